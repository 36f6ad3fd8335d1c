// Relays that stop carrying data: other transports show whose fault it is.
#include "tests/diagnosis/diagnosis.hpp"

namespace callready::finding_relays_test {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

ProbeResult relay(Transport transport, Outcome outcome, DetailCode detail) {
  const std::uint16_t port = transport == Transport::tls ? 443 : 3478;
  auto result = probe(CheckKind::turn, transport, "turn.vendor.com", port, outcome);
  result.observation.detail = detail;
  return result;
}
ProbeResult carries(Transport transport) { return relay(transport, answered, DetailCode::relayed); }
ProbeResult held(Transport transport, bool died, bool server_answers = false) {
  auto result = died ? relay(transport, failed, DetailCode::relay_dies) : carries(transport);
  result.probe.with["hold"] = "true";
  result.probe.id = probe_id(result.probe);
  result.probe.purpose = Purpose::control;
  Evidence life;
  life.kind = EvidenceKind::relay_life;
  life.text = died ? "the relay died after 3 packets" : "the relay carried 80 of 80 packets";
  life.facts = {{Fact::carried, !died}};
  if (died) life.facts[Fact::answered] = server_answers;
  result.observation.evidence.push_back(std::move(life));
  return result;
}

Report with(std::vector<ProbeResult> rows, std::vector<ProbeResult> holds) {
  auto others = anchors();
  others.insert(others.end(), holds.begin(), holds.end());
  return report({row("relays", std::move(rows)), controls(std::move(others))});
}

// What the server's own setting says; only peers elsewhere notice.
TEST(PrivateRelay, IsTheServersOwnSetting) {
  const auto at_address = [](const char* relay_address, const char* server) {
    auto result = carries(Transport::udp);
    result.observation.address = IpAddress::parse(server);
    result.observation.evidence.push_back(
        {EvidenceKind::relay, "a relay", {{Fact::address, std::string(relay_address)}}});
    return report({row("relays", {std::move(result)}), controls(anchors())});
  };
  const auto found = only(at_address("10.77.0.5", "185.199.40.11"));
  EXPECT_EQ(found.code, FindingCode::turn_relay_private);
  EXPECT_EQ(found.owner, Owner::vendor);
  EXPECT_EQ(found.title, "Relays of turn.vendor.com get private addresses");
  EXPECT_EQ(codes(at_address("185.199.40.11", "185.199.40.11")), Codes{});
  EXPECT_EQ(codes(at_address("10.77.0.5", "10.77.0.5")), Codes{}) << "for calls inside the site";
}

TEST(DyingRelay, IsADevicesWhereOthersLiveOn) {
  const auto site = with({carries(Transport::udp), carries(Transport::tls)},
                         {held(Transport::udp, true), held(Transport::tls, false)});
  const auto found = only(site);
  EXPECT_EQ(found.code, FindingCode::turn_relay_dies);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_EQ(found.owner, Owner::security);
  EXPECT_EQ(found.title, "Relays over UDP stop carrying data");
  EXPECT_TRUE(has_evidence(found, "the relay died after 3 packets"));
  EXPECT_TRUE(has_evidence(found, "the relay carried 80 of 80 packets"));
}

TEST(DyingRelay, IsTheVendorsWhereItStillAnswersOnThatFlow) {
  const auto site = with({carries(Transport::udp), carries(Transport::tls)},
                         {held(Transport::udp, true, true), held(Transport::tls, false)});
  EXPECT_EQ(only(site).owner, Owner::vendor);
  EXPECT_EQ(only(site).confidence, Confidence::likely);
}

TEST(DyingRelay, IsNobodysForSureWhereAllDie) {
  const auto site = with({carries(Transport::udp), carries(Transport::tls)},
                         {held(Transport::udp, true), held(Transport::tls, true)});
  EXPECT_EQ(codes(site), Codes{"turn.relay_dies (possible)"});
  EXPECT_EQ(only(site).owner, Owner::vendor);
}

TEST(DyingRelay, ThatNeverCarriedIsTheWaysWhereOthersDo) {
  const auto dead = relay(Transport::udp, failed, DetailCode::relay_dead);
  const auto site = with({dead, carries(Transport::tls)}, {});
  EXPECT_EQ(codes(site), Codes{"turn.relay_dies (likely)"});
  EXPECT_EQ(only(site).owner, Owner::security);
  // Over all transports: the server's.
  const auto all = with({dead, relay(Transport::tls, failed, DetailCode::relay_dead)}, {});
  EXPECT_EQ(codes(all), Codes{"turn.relay_dead (certain)"});
}

TEST(DyingRelay, IsNoneWhereAllLive) {
  EXPECT_EQ(codes(with({carries(Transport::udp)}, {held(Transport::udp, false)})), Codes{});
}

}  // namespace
}  // namespace callready::finding_relays_test
