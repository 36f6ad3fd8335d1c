// What this computer itself keeps back is named so, and no device of the network is blamed for it.
#include "tests/diagnosis/diagnosis.hpp"

namespace callready {
namespace {

using namespace test;

ProbeResult kept(ProbeResult result, int code = 1) {
  auto& seen = result.observation;
  seen.outcome = rejected;
  seen.detail = DetailCode::kept_here;
  seen.timing_ms.clear();
  Evidence evidence;
  evidence.kind = EvidenceKind::error;
  evidence.text =
      code == 0 ? "the system could not send the connection request" : "Operation not permitted";
  evidence.facts[Fact::code] = std::int64_t{code};
  seen.evidence = {evidence};
  return result;
}

TEST(OwnFirewall, IsNamedWithItsPortsAndItsOwner) {
  const auto finding = only(report({row("media", {range("media.vendor.com",
                                                        {{10'000, "left_site", "84.199.10.1"},
                                                         {14'000, "kept_here"},
                                                         {16'000, "kept_here"}},
                                                        {10'000, 20'000})}),
                                    controls(anchors())}));
  EXPECT_EQ(finding.code, "computer.firewall");
  EXPECT_EQ(finding.confidence, Confidence::certain);
  EXPECT_EQ(finding.owner, Owner::helpdesk);
  EXPECT_EQ(finding.title, "This computer's own firewall blocks UDP 14000-16000");
  EXPECT_TRUE(holds(finding.fix, "Change nothing on the network")) << finding.fix;
  EXPECT_TRUE(finding.rules.empty()) << "the network's firewall has nothing to let through";
}

TEST(OwnFirewall, TakesThePlaceOfTheNetworks) {
  // All UDP, and a port over TCP on two networks.
  const auto site = report(
      {row("turn", {kept(stun("turn.vendor.com"))}),
       row("sip", {kept(tcp("sip.vendor.com", 5061), 0), kept(tcp("sip.other.com", 5061), 0)}),
       controls({tls("www.google.com"), tls("www.cloudflare.com"),
                 kept(stun("stun.cloudflare.com")), kept(stun("stun.l.google.com", 19302)),
                 kept(ntp("pool.ntp.org"))})});
  const auto finding = only(site);
  EXPECT_EQ(finding.code, "computer.firewall");
  EXPECT_EQ(finding.title, "This computer's own firewall blocks UDP 123, 3478 and 19302; TCP 5061");
  EXPECT_TRUE(has_evidence(finding, "Operation not permitted"));
}

TEST(OwnFirewall, OneConnectionRequestThatCouldNotBeSentAgainIsLikelyOnly) {
  const auto once =
      report({row("sip", {kept(tcp("sip.vendor.com", 5061), 0)}), controls(anchors())});
  EXPECT_EQ(codes(once), std::vector<std::string>{"computer.firewall (likely)"});
}

TEST(OwnFirewall, IsNoCauseWhereNoRowNeedsWhatItKeeps) {
  const auto site =
      report({row("web", {tls("web.vendor.com")}),
              controls({tls("www.google.com"), tls("www.cloudflare.com"),
                        stun("stun.l.google.com", 19302), kept(ntp("pool.ntp.org"))})});
  EXPECT_EQ(codes(site), std::vector<std::string>{});
}

TEST(OwnFirewall, ExplainsWhatWasSilentOnTheSameFlow) {
  auto silent_page = probe(CheckKind::http, Transport::tls, "web.vendor.com", 443, silent);
  const auto site = report({row("tls", {kept(tls("web.vendor.com"), 0)}),
                            row("page", {silent_page}), controls(anchors())});
  EXPECT_EQ(codes(site), std::vector<std::string>{"computer.firewall (likely)"});
  EXPECT_EQ(only(site).explains.size(), 2u);
}

}  // namespace
}  // namespace callready
