#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"

namespace callready::tcp_test {
namespace {

using asio::ip::tcp;

const IpAddress loopback = IpAddress::v4({127, 0, 0, 1});

TEST(TcpCheck, ConnectsToAListener) {
  test::CheckRunner runner;
  tcp::acceptor acceptor(runner.loop.context, {asio::ip::address_v4::loopback(), 0});
  const auto seen = runner.run(CheckKind::tcp, Transport::tcp, "localhost",
                               {loopback, acceptor.local_endpoint().port()});
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
  const auto seen = runner.run(CheckKind::tcp, Transport::tcp, "localhost", {loopback, port});
  EXPECT_EQ(seen.outcome, Outcome::refused);
  EXPECT_EQ(seen.detail, DetailCode::connection_refused);
  EXPECT_FALSE(seen.round_trip);
}

// A listener whose queue is full takes no more SYNs.
class OverTcp : public testing::TestWithParam<CheckKind> {};

TEST_P(OverTcp, WaitsLessForAHostThatWasSilentBefore) {
  for (const bool doubtful : {false, true}) {
    test::CheckRunner runner({}, test::Time::by_hand);
    runner.doubtful = doubtful;
    tcp::acceptor acceptor(runner.loop.context, tcp::v4());
    acceptor.bind({asio::ip::address_v4::loopback(), 0});
    acceptor.listen(0);
    std::vector<tcp::socket> queued;
    for (int i = 0; i < 4; ++i) {
      auto& socket = queued.emplace_back(runner.loop.context, tcp::v4());
      socket.async_connect(acceptor.local_endpoint(), [](error_code) {});
    }
    const auto start = runner.loop.clock.now();
    const auto seen = runner.run(GetParam(), Transport::tcp, "localhost",
                                 {loopback, acceptor.local_endpoint().port()});
    const auto expected = doubtful ? timeouts::silent_host_connect : timeouts::tcp_connect;
    EXPECT_EQ(runner.loop.clock.now() - start, expected);
    EXPECT_EQ(seen.outcome, Outcome::silent);
    const auto* wait = test::find_evidence(seen, EvidenceKind::short_wait);
    ASSERT_EQ(wait != nullptr, doubtful);
    if (wait == nullptr) continue;
    EXPECT_EQ(wait->facts.at(Fact::waited_ms), EvidenceValue(std::int64_t{1'500}));
    EXPECT_EQ(wait->text, "given up after 1.5 s: this host had answered nothing by then");
  }
}

INSTANTIATE_TEST_SUITE_P(Checks, OverTcp, testing::Values(CheckKind::tcp, CheckKind::http));

TEST(TcpCheck, IsSkippedOnceTheRunIsStopped) {
  test::CheckRunner runner;
  runner.loop.stop.stop();
  const auto seen = runner.run(CheckKind::tcp, Transport::tcp, "localhost", {loopback, 9});
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::stopped);
}

}  // namespace
}  // namespace callready::tcp_test
