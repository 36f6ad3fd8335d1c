#include "tests/support/check_runner.hpp"

namespace callready {
namespace {

using asio::ip::tcp;

const IpAddress loopback = IpAddress::v4({127, 0, 0, 1});

TEST(TcpCheck, ConnectsToAListener) {
  test::CheckRunner runner;
  tcp::acceptor acceptor(runner.loop.context, {asio::ip::address_v4::loopback(), 0});
  const auto seen =
      runner.run("tcp", Transport::tcp, "localhost", {loopback, acceptor.local_endpoint().port()});
  EXPECT_EQ(seen.outcome, Outcome::connected);
  EXPECT_EQ(seen.address, loopback);
  EXPECT_EQ(seen.local->address, loopback);
  EXPECT_NE(seen.local->port, 0);
  ASSERT_TRUE(seen.round_trip);
  EXPECT_GT(seen.round_trip->count(), 0.0);
}

TEST(TcpCheck, IsRefusedByAClosedPort) {
  test::CheckRunner runner;
  std::uint16_t port = 0;
  {
    tcp::acceptor acceptor(runner.loop.context, {asio::ip::address_v4::loopback(), 0});
    port = acceptor.local_endpoint().port();
  }
  const auto seen = runner.run("tcp", Transport::tcp, "localhost", {loopback, port});
  EXPECT_EQ(seen.outcome, Outcome::refused);
  EXPECT_EQ(seen.detail, "connection_refused");
  EXPECT_FALSE(seen.round_trip);
}

TEST(TcpCheck, IsSkippedOnceTheRunIsStopped) {
  test::CheckRunner runner;
  runner.loop.stop.stop();
  const auto seen = runner.run("tcp", Transport::tcp, "localhost", {loopback, 9});
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, "stopped");
}

}  // namespace
}  // namespace callready
