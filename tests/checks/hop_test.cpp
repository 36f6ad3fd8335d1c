// The part of `hop` that needs no router; the rest is tested on the private site
// (tests/site/confusion_test.py).
#include "tests/support/check_runner.hpp"
#include "tests/support/two_routers.hpp"

namespace callready {
namespace {

const SocketAddress here{IpAddress::v4({127, 0, 0, 1}), 9};

TEST(HopCheck, KnowsNothingWhereNoRouterAnswers) {
  test::CheckRunner runner;
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    const auto seen = runner.run(CheckKind::hop, transport, "127.0.0.1", here);
    EXPECT_EQ(seen.outcome, Outcome::silent);
    EXPECT_EQ(seen.detail, DetailCode::silent);
    ASSERT_EQ(seen.evidence.size(), 1U);
    EXPECT_EQ(seen.evidence.front().kind, EvidenceKind::hop);
    EXPECT_EQ(std::get<std::string>(seen.evidence.front().facts.at(Fact::result)), "silent");
  }
}

TEST(HopCheck, TakesOnlyPayloadsThatItKnows) {
  test::CheckRunner runner;
  const auto seen =
      runner.run(CheckKind::hop, Transport::udp, "127.0.0.1", here, {{"payload", "smtp"}});
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::bad_parameter);
}

TEST(HopCheck, SaysWhatWasNotSent) {
  test::CheckRunner runner({}, test::Time::by_hand);
  test::TwoRouters network(runner.loop.executor());
  std::vector<Probe> probes(3);
  for (auto& probe : probes) {
    probe.check = CheckKind::hop;
    probe.target.host = "media.example.com";
    probe.target.transport = Transport::udp;
  }
  probes[0].target.ports = {test::TwoRouters::open_port, test::TwoRouters::open_port};
  probes[1].target.ports = {test::TwoRouters::unsent_port, test::TwoRouters::unsent_port};
  probes[2].target.ports = {test::TwoRouters::link_down_port, test::TwoRouters::link_down_port};
  const auto seen = runner.run_all(probes, IpAddress::v4({203, 0, 113, 9}));
  EXPECT_EQ(seen[2].detail, DetailCode::silent) << "this computer does not turn away its own";
  EXPECT_EQ(seen[0].detail, DetailCode::left_site);
  EXPECT_EQ(seen[0].attempts, 1);
  EXPECT_EQ(seen[1].outcome, Outcome::silent);
  EXPECT_EQ(seen[1].detail, DetailCode::silent);
  EXPECT_EQ(seen[1].attempts, 0);
  ASSERT_EQ(seen[1].evidence.size(), 1U);
  EXPECT_EQ(seen[1].evidence.front().text,
            "A packet (RTP) to media.example.com, UDP 20002, was not sent: it is not known whether "
            "packets leave the site");
}

TEST(HopCheck, EndsWhenTheRunIsStopped) {
  test::CheckRunner runner;
  runner.loop.stop.stop();
  const auto seen = runner.run(CheckKind::hop, Transport::tcp, "127.0.0.1", here);
  EXPECT_EQ(seen.detail, DetailCode::silent);
}

}  // namespace
}  // namespace callready
