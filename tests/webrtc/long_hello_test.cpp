// DTLS greetings in two datagrams: what they are made of, and what counts as a part of one.
#include "probe/webrtc/long_hello.hpp"

#include <gtest/gtest.h>

#include "probe/webrtc/dtls.hpp"

namespace callready::webrtc {
namespace {

TEST(LongHello, IsOneMessageInTwoDatagrams) {
  const auto [first, second] = long_client_hello();
  EXPECT_EQ(first.size(), 1'200u);
  EXPECT_LT(second.size(), 400u);
  EXPECT_GT(second.size(), 150u);
  EXPECT_EQ(part_of_client_hello(first), 0u);
  EXPECT_EQ(part_of_client_hello(second), 1'200u - 25u);
  EXPECT_NE(long_client_hello()[0], first) << "each has its own random";
}

// A server of DTLS puts it together, and asks for a cookie.
TEST(LongHello, IsUnderstoodByAServer) {
  const Identity identity;
  Dtls server(identity, false, identity.fingerprint());
  const auto [first, second] = long_client_hello();
  server.take(first, "192.0.2.1:4000");
  EXPECT_TRUE(server.outgoing().empty()) << "half of it";
  server.take(second, "192.0.2.1:4000");
  const auto flight = server.outgoing();
  ASSERT_EQ(flight.size(), 1u);
  EXPECT_EQ(flight[0].at(0), 22) << "a handshake, not an alert";
  EXPECT_EQ(flight[0].at(13), 3) << "HelloVerifyRequest";
}

TEST(LongHello, NothingElseIsAPartOfOne) {
  const Identity identity;
  Dtls client(identity, true, identity.fingerprint());
  client.begin();
  for (const auto& whole : client.outgoing()) EXPECT_FALSE(part_of_client_hello(whole));
  const auto part = long_client_hello()[1];
  for (std::size_t size = 0; size < 25; ++size) {
    EXPECT_FALSE(part_of_client_hello(std::span(part).first(size)));
  }
  for (const std::size_t at : {0u, 4u, 13u}) {  // content type, epoch, message type
    auto other = part;
    ++other[at];
    EXPECT_FALSE(part_of_client_hello(other)) << at;
  }
  auto beyond = part;
  beyond[19] = 0xff;  // offset
  EXPECT_FALSE(part_of_client_hello(beyond));
}

}  // namespace
}  // namespace callready::webrtc
