// Whom a fix is for, and what it asks of them.
#include "tests/diagnosis/diagnosis.hpp"

namespace callready::who_is_asked_test {
namespace {

using namespace test;

TEST(WhoIsAsked, AControlsOperatorIsNotAskedToRenewACertificate) {
  const auto finding = only(report(
      {row("web", {tls("a.vendor.com", failed, "expired"), tls("b.vendor.com", failed, "expired")}),
       controls({tls("x.vendor.com", failed, "expired"), tls("www.cloudflare.com")})}));
  EXPECT_EQ(finding.code, FindingCode::tls_expired);
  EXPECT_TRUE(finding.fix.starts_with(
      "Ask the operator of a.vendor.com and b.vendor.com to renew the certificate"))
      << finding.fix;
  EXPECT_FALSE(holds(finding.title + finding.fix, "x.vendor.com"));
  EXPECT_TRUE(has_evidence(finding, "x.vendor.com")) << "it was seen all the same";
}

Report kept_in(bool sought) {
  auto made = report({row("turn", {turn("turn.vendor.com", silent, "")}),
                      controls({tls("www.google.com", silent, "timed_out"),
                                tls("www.cloudflare.com", silent, "timed_out")})});
  made.site.proxy_sought = sought;
  return made;
}

TEST(WhoIsAsked, ASearchForAProxyIsNotAskedForTwice) {
  const auto before = only(kept_in(false)), after = only(kept_in(true));
  EXPECT_EQ(before.code, FindingCode::network_offline);
  EXPECT_TRUE(holds(before.fix, "(or --proxy auto, which looks for it)")) << before.fix;
  // It goes to the firewall team, who cannot run the test again.
  EXPECT_EQ(before.owner, Owner::network);
  EXPECT_TRUE(holds(before.fix, "the person who ran this test needs its address")) << before.fix;
  EXPECT_FALSE(holds(after.fix, "which looks for it")) << after.fix;
  EXPECT_TRUE(holds(after.fix, "--proxy auto looked for one and found none")) << after.fix;
}

TEST(WhoIsAsked, LossIsForTheNetworkTeamAndCountsWhatWasSeen) {
  auto late = stun("stun.l.google.com", 19302);
  late.observation.attempts = 3;
  auto relay = turn("turn1.vendor.com"), other = stun("stun.cloudflare.com");
  relay.observation.round_trip = other.observation.round_trip = Milliseconds(20);
  const auto finding =
      only(report({row("turn", {relay, turn("turn2.vendor.com", silent)}),
                   controls({tls("www.google.com"), tls("www.cloudflare.com"), other, late})}));
  EXPECT_EQ(finding.code, FindingCode::network_loss);
  EXPECT_EQ(finding.owner, Owner::lan);
  EXPECT_TRUE(has_evidence(finding, "One request was answered only on the second try."));
  EXPECT_FALSE(has_evidence(finding, "1 requests"));
  EXPECT_FALSE(has_evidence(finding, " 0 "));
}

TEST(WhoIsAsked, AFilterIsAskedForAllNamesOfTheOwnerAtOnce) {
  const auto finding = only(report(
      {row("web", {tls("portal.vendor.com", unresolved, "no_such_name")}),
       follow_up({question("portal.vendor.com", "NXDOMAIN"),
                  question("portal.vendor.com", "NOERROR", "9.9.9.9"),
                  question("files.vendor.com", "NXDOMAIN"),
                  question("files.vendor.com", "NOERROR", "9.9.9.9"),
                  question("www.vendor.com", "NOERROR"), question("old.vendor.com", "NXDOMAIN"),
                  question("old.vendor.com", "NXDOMAIN", "9.9.9.9")}),
       controls({tls("www.google.com")})}));
  EXPECT_EQ(finding.code, FindingCode::dns_filtered);
  EXPECT_TRUE(holds(finding.fix, "them: portal.vendor.com and files.vendor.com.")) << finding.fix;
}

}  // namespace
}  // namespace callready::who_is_asked_test
