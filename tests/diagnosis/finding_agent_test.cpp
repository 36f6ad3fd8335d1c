// A program on this computer that takes connections is blamed, and not a device of the network.
#include "tests/diagnosis/diagnosis.hpp"

namespace callready {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

ProbeResult mute(ProbeResult result) {
  result.observation.outcome = failed;
  result.observation.detail = DetailCode::tls_timed_out;
  result.observation.evidence.clear();
  result.observation.round_trip = Milliseconds(0.1);
  return result;
}

ProbeResult taken(std::string host, std::uint16_t port, const std::string& who) {
  auto result = probe(CheckKind::hop, Transport::tcp, std::move(host), port, connected,
                      "answered_on_the_way");
  FactMap facts{{Fact::result, std::string("answered_on_the_way")}};
  if (!who.empty()) facts[Fact::who] = who;
  return with(result, {EvidenceKind::hop, "A connection request is answered", std::move(facts)});
}

Report seen_by(const std::string& who, std::vector<ProbeResult> web) {
  return report({row("web", std::move(web)),
                 follow_up({taken("a.vendor.com", 443, who), taken("b.vendor.com", 443, who)}),
                 controls({stun("stun.cloudflare.com"), stun("stun.l.google.com", 19302)})});
}

bool blames_it(const Codes& found) {
  return std::any_of(found.begin(), found.end(),
                     [](const auto& code) { return code.starts_with("computer.agent"); });
}

TEST(Agent, IsNamedWhereTheSystemSaysThatItIsHere) {
  const auto found =
      diagnose(seen_by("this_computer", {mute(tls("a.vendor.com")), mute(tls("b.vendor.com"))}));
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().code, FindingCode::computer_agent);
  EXPECT_EQ(found.front().confidence, Confidence::certain);
  EXPECT_EQ(found.front().owner, Owner::helpdesk);
  EXPECT_EQ(found.front().title,
            "A program on this computer intercepts TCP 443 and passes nothing on");
}

TEST(Agent, IsLikelyOnlyByTheTimeItTakes) {
  const auto found = diagnose(
      seen_by("sooner_than_the_router", {mute(tls("a.vendor.com")), mute(tls("b.vendor.com"))}));
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().code, FindingCode::computer_agent);
  EXPECT_EQ(found.front().confidence, Confidence::likely);
}

TEST(Agent, IsPossibleOnlyWhereItCarriesOthersOn) {
  const auto found =
      diagnose(seen_by("this_computer", {mute(tls("a.vendor.com")), tls("b.vendor.com")}));
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().code, FindingCode::computer_agent);
  EXPECT_EQ(found.front().confidence, Confidence::possible);
}

TEST(Agent, IsNoCauseWhereNothingIsLostOrADeviceOnTheWayTakesThem) {
  EXPECT_FALSE(blames_it(codes(seen_by("this_computer", {tls("a.vendor.com")}))));
  EXPECT_FALSE(
      blames_it(codes(seen_by("", {mute(tls("a.vendor.com")), mute(tls("b.vendor.com"))}))));
}

}  // namespace
}  // namespace callready
