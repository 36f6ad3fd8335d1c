// Whether it is this computer that answers in others' names; loopback stands for the world.
#include "probe/net/own_answers.hpp"

#include <gtest/gtest.h>

#include "probe/platform/own_sockets.hpp"
#include "tests/support/stream_server.hpp"
#include "tests/support/two_routers.hpp"

namespace callready {
namespace {

using asio::ip::tcp;
using test::Loop;

asio::awaitable<void> wait_for_the_end(tcp::socket& peer) {
  std::array<char, 1> byte{};
  co_await peer.async_read_some(asio::buffer(byte), asio::as_tuple(asio::use_awaitable));
}

bool asks_its_sockets() { return !platform::inner_link().empty(); }

TEST(OwnAnswers, AResetOfARequestThatCannotLeaveIsOurOwn) {
  if (!asks_its_sockets()) GTEST_SKIP() << "nobody may ask so here";
  Loop loop;
  std::optional<test::TcpServer> server;
  server.emplace(loop, [](tcp::socket& peer) { return wait_for_the_end(peer); });
  const auto address = server->address();
  EXPECT_FALSE(loop.run(is_reset_here(loop.executor(), loop.scope, address))) << "it is taken";
  const SocketAddress nobody{IpAddress::v4({127, 0, 0, 1}), 9};
  EXPECT_TRUE(loop.run(is_reset_here(loop.executor(), loop.scope, nobody)));
}

TEST(OwnAnswers, AProgramOfThisComputerIsSeenToTakeAConnection) {
  if (!asks_its_sockets()) GTEST_SKIP() << "the system does not say";
  Loop loop;
  const test::TcpServer server(loop, [](tcp::socket& peer) { return wait_for_the_end(peer); });
  const auto taker =
      loop.run(who_takes(loop.executor(), loop.scope, server.address(), std::string(), 1));
  EXPECT_TRUE(taker.taken);
  EXPECT_TRUE(taker.on_this_computer());
  EXPECT_FALSE(taker.for_nobody) << "nothing was sent out for it";
}

TEST(OwnAnswers, NobodyTakesAClosedPort) {
  Loop loop;
  const SocketAddress closed{IpAddress::v4({127, 0, 0, 1}), 9};
  const auto taker = loop.run(who_takes(loop.executor(), loop.scope, closed, std::string(), 1));
  EXPECT_FALSE(taker.taken);
  EXPECT_FALSE(taker.on_this_computer());
}

TEST(OwnAnswers, TheTableHasNoOtherEndOfAPortThatNobodyUses) {
  const auto here = platform::is_taken_here({IpAddress::v4({127, 0, 0, 1}), 1});
  if (!asks_its_sockets()) GTEST_SKIP() << "the system does not say";
  EXPECT_EQ(here, std::optional(false));
}

TEST(OwnAnswers, TheFirstRouterIsHeardBehindOtherPackets) {
  Loop loop(test::Time::by_hand);
  test::TwoRouters network(loop.executor());
  network.connecting = {};
  network.strays = 1;
  const SocketAddress remote{*IpAddress::parse("203.0.113.9"), 443};
  const auto taker = loop.run(who_takes(loop.executor(), loop.scope, remote, std::string(), 2));
  EXPECT_TRUE(taker.for_nobody);
  EXPECT_TRUE(taker.router);
}

TEST(OwnAnswers, SoonerThanTheRouterIsMuchSooner) {
  Taker taker;
  taker.for_nobody = true;
  taker.round_trip = Milliseconds(0.2);
  taker.router = Milliseconds(1);
  EXPECT_TRUE(taker.sooner_than_the_router());
  taker.round_trip = Milliseconds(0.5);
  EXPECT_FALSE(taker.sooner_than_the_router()) << "the router itself may take connections";
  taker.round_trip = Milliseconds(0.2);
  taker.for_nobody = false;
  EXPECT_FALSE(taker.sooner_than_the_router());
}

}  // namespace
}  // namespace callready
