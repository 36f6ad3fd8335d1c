// When datagrams came, however late they are read.
#include "probe/platform/arrival.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "probe/platform/descriptor.hpp"

namespace callready::platform {
namespace {

using std::chrono::milliseconds;

OwnedDescriptor bound(sockaddr_in& address) {
  OwnedDescriptor result(open_socket(AF_INET, SOCK_DGRAM, 0));
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const auto* as_any = reinterpret_cast<const sockaddr*>(&address);
  EXPECT_EQ(::bind(result.get(), as_any, size), 0);
  EXPECT_EQ(::getsockname(result.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return result;
}

void send(int socket, const sockaddr_in& to, char byte) {
  const auto* as_any = reinterpret_cast<const sockaddr*>(&to);
  ASSERT_EQ(::sendto(socket, &byte, 1, 0, as_any, sizeof to), 1);
}

// Linux begins to note a moment after it was asked. What came before that has no time, rather than
// that of the look at it.
void wait_until_noted(int socket, int sender, const sockaddr_in& to) {
  for (int tries = 0; tries < 500; ++tries) {
    send(sender, to, 'x');
    std::this_thread::sleep_for(milliseconds(10));
    const auto waited = next_arrival(socket).waited;
    char byte = 0;
    ASSERT_EQ(::recv(socket, &byte, 1, MSG_DONTWAIT), 1);
    if (!waited) continue;
    EXPECT_GE(*waited, milliseconds(9));
    return;
  }
  FAIL() << "arrivals are not noted";
}

TEST(Arrival, IsThatOfTheFirstDatagramWhichStaysWhereItIs) {
  sockaddr_in mine, other;
  const auto socket = bound(mine), sender = bound(other);
  ASSERT_TRUE(note_arrivals(socket.get()));
  EXPECT_FALSE(next_arrival(socket.get()).waited) << "nothing has come";
  ASSERT_NO_FATAL_FAILURE(wait_until_noted(socket.get(), sender.get(), mine));
  send(sender.get(), mine, 'a');
  std::this_thread::sleep_for(milliseconds(60));
  const auto before_second = std::chrono::steady_clock::now();
  send(sender.get(), mine, 'b');
  const auto waited = next_arrival(socket.get()).waited;
  ASSERT_TRUE(waited);
  EXPECT_GE(*waited, milliseconds(50));
  char byte = 0;
  ASSERT_EQ(::recv(socket.get(), &byte, 1, MSG_DONTWAIT), 1);
  EXPECT_EQ(byte, 'a');
  const auto second = next_arrival(socket.get()).waited;
  ASSERT_TRUE(second);
  // The first would be 60 ms older. Half of that is for two clocks.
  EXPECT_LT(*second, std::chrono::steady_clock::now() - before_second + milliseconds(30));
}

TEST(Arrival, IsNotKnownWhereItIsNotNoted) {
  sockaddr_in mine, other;
  const auto socket = bound(mine), sender = bound(other);
  send(sender.get(), mine, 'a');
  EXPECT_FALSE(next_arrival(socket.get()).waited);
}

TEST(Arrival, ReadsWhatTheHeaderSays) {
  sockaddr_in mine, other;
  const auto socket = bound(mine), sender = bound(other);
  ASSERT_TRUE(note_headers(socket.get(), false));
  ASSERT_TRUE(set_traffic_class(sender.get(), false, 0xB8));
  send(sender.get(), mine, 'a');
  const auto arrival = next_arrival(socket.get());
  EXPECT_EQ(arrival.traffic_class, 0xB8);
  EXPECT_EQ(arrival.ttl, 64);
  EXPECT_FALSE(arrival.waited) << "that was not asked for";
}

TEST(Arrival, CountsWhatHadNoRoom) {
  sockaddr_in mine, other;
  const auto socket = bound(mine), sender = bound(other);
  ASSERT_TRUE(note_headers(socket.get(), false));
  const int least = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
  constexpr int sent = 100;
  for (int i = 0; i < sent; ++i) send(sender.get(), mine, 'a');
  int room = 0;
  for (char byte = 0; ::recv(socket.get(), &byte, 1, MSG_DONTWAIT) == 1;) ++room;
  ASSERT_LT(room, sent);
  send(sender.get(), mine, 'b');
  EXPECT_EQ(next_arrival(socket.get()).dropped, static_cast<std::uint32_t>(sent - room));
}

// Whoever reads learns by the error that nobody listens: looking must not take it away.
TEST(Arrival, LeavesAnErrorToTheReader) {
  sockaddr_in mine, other;
  const auto socket = bound(mine);
  { const auto gone = bound(other); }
  const auto* as_any = reinterpret_cast<const sockaddr*>(&other);
  ASSERT_EQ(::connect(socket.get(), as_any, sizeof other), 0);
  ASSERT_TRUE(note_arrivals(socket.get()));
  const char byte = 'a';
  ASSERT_EQ(::send(socket.get(), &byte, 1, 0), 1);
  pollfd ready{socket.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&ready, 1, 10'000), 1);
  EXPECT_FALSE(next_arrival(socket.get()).waited);
  char answer = 0;
  EXPECT_EQ(::recv(socket.get(), &answer, 1, MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, ECONNREFUSED);
}

}  // namespace
}  // namespace callready::platform
