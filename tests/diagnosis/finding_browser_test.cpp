// A browser policy that forbids what a row needs is reported, at most as likely.
#include "tests/diagnosis/diagnosis.hpp"

namespace callready {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

Report with_policy(std::string name, std::string value, bool recommended = false) {
  auto site = report({row("turn", {turn("turn.vendor.com")}), controls(anchors())});
  site.site.browser_policies = {{"Google Chrome", std::move(name), std::move(value),
                                 "/etc/opt/chrome/policies/managed/site.json", recommended}};
  return site;
}

TEST(BrowserPolicy, ThatForbidsUdpIsLikely) {
  const auto finding = only(with_policy("WebRtcIPHandling", "disable_non_proxied_udp"));
  EXPECT_EQ(finding.code, FindingCode::computer_browser_policy);
  EXPECT_EQ(finding.confidence, Confidence::likely);
  EXPECT_EQ(finding.owner, Owner::helpdesk);
  EXPECT_EQ(finding.title, "A policy stops Google Chrome from using UDP for media");
  ASSERT_EQ(finding.affects.size(), 1U);
  EXPECT_EQ(finding.affects.front().set, "vendor");
}

TEST(BrowserPolicy, IsPossibleOnlyWhereItIsForSomePagesOrUsersMayChangeIt) {
  const Codes possible{"computer.browser_policy (possible)"};
  EXPECT_EQ(codes(with_policy("WebRtcIPHandlingUrl",
                              R"([{"handling":"disable_non_proxied_udp","url":"*"}])")),
            possible);
  EXPECT_EQ(codes(with_policy("WebRtcIPHandling", "disable_non_proxied_udp", true)), possible);
}

TEST(BrowserPolicy, IsAFactAloneWhereItForbidsNothing) {
  EXPECT_EQ(codes(with_policy("WebRtcIPHandling", "default_public_interface_only")), Codes{});
  EXPECT_EQ(codes(with_policy("QuicAllowed", "false")), Codes{});
  EXPECT_EQ(codes(with_policy("WebRtcUdpPortRange", "10000-11999")), Codes{});
  auto web = report({row("web", {tls("web.vendor.com")}), controls(anchors())});
  web.site.browser_policies =
      with_policy("WebRtcIPHandling", "disable_non_proxied_udp").site.browser_policies;
  EXPECT_EQ(codes(web), Codes{}) << "no row has media over UDP";
}

TEST(BrowserPolicy, APortRangeContradictsTheDocumentsSourcePorts) {
  auto site = with_policy("WebRtcUdpPortRange", "10000-11999");
  FirewallRule rule;
  rule.transport = Transport::udp;
  rule.source_ports = {{50'000, 50'059}};
  site.sets.front().requirements.front().rules = {rule};
  EXPECT_EQ(codes(site), Codes{"computer.browser_policy (likely)"});
  rule.source_ports.push_back({11'000, 11'100});
  site.sets.front().requirements.front().rules = {rule};
  EXPECT_EQ(codes(site), Codes{});
  RequirementResult between_servers;
  between_servers.id = "trunk";
  between_servers.status = Status::skip;
  rule.source_ports = {{5'060, 5'061}};
  between_servers.rules = {rule};
  site.sets.front().requirements.push_back(between_servers);
  EXPECT_EQ(codes(site), Codes{}) << "nobody tries it from here";
}

}  // namespace
}  // namespace callready
