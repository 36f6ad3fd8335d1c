#include "probe/media/echo.hpp"

#include <gtest/gtest.h>

#include <random>

namespace callready::media {
namespace {

using Bytes = std::vector<std::uint8_t>;
using namespace std::chrono_literals;

const Bytes secret(24, 0x5A), other_secret(24, 0x5B);
const SocketAddress client{IpAddress::v4({192, 0, 2, 7}), 40'000};

struct EchoTest : testing::Test {
  EchoLimits limits;
  std::optional<EchoKeeper> made;
  std::chrono::steady_clock::time_point now{1h};
  EchoKeeper& keeper() {
    if (!made) made.emplace(secret, limits);
    return *made;
  }
  bool answered(const Bytes& request, const SocketAddress& from = client) {
    const auto reply = keeper().answer(request, from, now);
    EXPECT_TRUE(reply.empty() || reply.size() == request.size());
    return !reply.empty();
  }
};

TEST_F(EchoTest, AnswersWhoHasTheKeyAndProvesThatItHasItToo) {
  const auto request = echo_request(secret);
  EXPECT_EQ(request.size(), echo_bytes);
  EXPECT_EQ(request[0], 0x80) << "RTP to whoever looks at it";
  const auto reply = keeper().answer(request, client, now);
  ASSERT_EQ(reply.size(), request.size());
  EXPECT_TRUE(echo_matches(request, reply, secret));
  EXPECT_FALSE(echo_matches(request, request, secret)) << "only sent back";
  EXPECT_FALSE(echo_matches(request, reply, other_secret));
  EXPECT_FALSE(echo_matches(echo_request(secret), reply, secret)) << "to another one";
  EXPECT_FALSE(answered(reply)) << "a reply draws none";
}

TEST_F(EchoTest, AnswersNothingElse) {
  EXPECT_FALSE(answered(echo_request({})));
  EXPECT_FALSE(answered(echo_request(other_secret)));
  EXPECT_FALSE(answered({}));
  const auto whole = echo_request(secret);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(answered(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  std::mt19937 random(1);
  for (int i = 0; i < 200'000; ++i) {
    auto forged = whole;
    forged[random() % forged.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
    EXPECT_FALSE(answered(forged));
  }
  EXPECT_TRUE(answered(whole));
}

TEST_F(EchoTest, AnswersNoPacketTwiceWhoeverSendsIt) {
  const auto request = echo_request(secret);
  EXPECT_TRUE(answered(request));
  now += 24h;
  EXPECT_FALSE(answered(request));
  EXPECT_FALSE(answered(request, {IpAddress::v4({198, 51, 100, 9}), 5'000}));
}

TEST_F(EchoTest, KeepsItsRates) {
  limits.packets_per_second = 10;
  limits.all_packets_per_second = 15;
  const SocketAddress second{IpAddress::v4({192, 0, 2, 8}), 40'000};
  int first_got = 0, second_got = 0;
  for (int i = 0; i < 20; ++i) first_got += answered(echo_request(secret));
  for (int i = 0; i < 20; ++i) second_got += answered(echo_request(secret), second);
  EXPECT_EQ(first_got, 10);
  EXPECT_EQ(second_got, 5);
  now += 1s;
  EXPECT_TRUE(answered(echo_request(secret)));
}

TEST_F(EchoTest, KnowsSoManyAddressesAndPackets) {
  limits.addresses = 2;
  limits.packets = 4;
  const auto at = [](std::uint8_t last) {
    return SocketAddress{IpAddress::v4({192, 0, 2, last}), 40'000};
  };
  EXPECT_TRUE(answered(echo_request(secret), at(1)));
  EXPECT_TRUE(answered(echo_request(secret), at(2)));
  EXPECT_FALSE(answered(echo_request(secret), at(3)));
  now += limits.forget + 1s;
  EXPECT_TRUE(answered(echo_request(secret), at(3))) << "the others are gone";
  EXPECT_FALSE(answered(echo_request(secret), at(3))) << "the key is used up";
}

}  // namespace
}  // namespace callready::media
