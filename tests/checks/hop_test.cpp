// The part of `hop` that needs no router; the rest is tested on the private site
// (tests/site/confusion_test.py).
#include "tests/support/check_runner.hpp"

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

TEST(HopCheck, EndsWhenTheRunIsStopped) {
  test::CheckRunner runner;
  runner.loop.stop.stop();
  const auto seen = runner.run(CheckKind::hop, Transport::tcp, "127.0.0.1", here);
  EXPECT_EQ(seen.detail, DetailCode::silent);
}

}  // namespace
}  // namespace callready
