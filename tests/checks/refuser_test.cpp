// Who refused, where it is not known.
#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/two_routers.hpp"

namespace callready {
namespace {

TEST(Refuser, WithoutASocketNothingWasSent) {
  test::CheckRunner runner({}, test::Time::by_hand);
  test::TwoRouters network(runner.loop.executor());
  const SocketAddress server{*IpAddress::parse("203.0.113.9"), test::TwoRouters::refused_port};
  const auto seen = runner.run(CheckKind::stun, Transport::udp, "stun.example.com", server);
  EXPECT_EQ(seen.outcome, Outcome::refused);
  EXPECT_EQ(test::fact<std::string>(seen, EvidenceKind::refuser, Fact::who), "not_measured");
  EXPECT_EQ(test::fact<std::string>(seen, EvidenceKind::refuser, Fact::not_measured),
            "no packet was sent to 198.51.100.1, where the site ends");
}

TEST(Refuser, IsHeardBehindOtherPackets) {
  test::CheckRunner runner({}, test::Time::by_hand);
  test::TwoRouters network(runner.loop.executor());
  network.strays = 1;
  const SocketAddress server{*IpAddress::parse("203.0.113.9"), test::TwoRouters::refused_near_port};
  const auto seen = runner.run(CheckKind::stun, Transport::udp, "stun.example.com", server);
  EXPECT_EQ(seen.outcome, Outcome::rejected);
  EXPECT_EQ(test::fact<std::string>(seen, EvidenceKind::refuser, Fact::who), "on_the_way");
  EXPECT_EQ(test::fact<std::string>(seen, EvidenceKind::refuser, Fact::by), "192.168.1.1");
}

}  // namespace
}  // namespace callready
