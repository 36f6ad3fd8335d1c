#include <gtest/gtest.h>

#include "probe/diagnosis/questions/follow_up.hpp"
#include "probe/diagnosis/rules.hpp"
#include "tests/diagnosis/diagnosis.hpp"

namespace callready::findings {
namespace {

const auto ours = IpAddress::v4({10, 20, 0, 23}), router = IpAddress::v4({10, 20, 0, 1});

Site wired() {
  Site site;
  site.links = {{"eth0", LinkState::up, false}};
  site.interfaces = {{"eth0", {ours}, true}};
  site.gateways = {{router, "eth0", true}};
  return site;
}

Text title_of(const Site& site) { return disconnected(site).value_or(Cause()).title; }

constexpr std::string_view on_no_network =
    "This computer is not connected to any network (no cable, no Wi-Fi)";

TEST(Disconnection, IsNoneOnAUsualNetworkNorWhereTheReportDoesNotSay) {
  EXPECT_FALSE(disconnected(wired()));
  EXPECT_FALSE(disconnected({})) << "the report does not say";
  auto quiet = wired();
  quiet.gateways.front().answers.reset();
  EXPECT_FALSE(disconnected(quiet)) << "the system does not say";
}

TEST(Disconnection, ACableThatIsOutOutlivesItsRoute) {
  auto site = wired();
  site.links->front().state = LinkState::no_signal;
  site.gateways.front().answers = false;
  site.links->push_back({"wlan0", LinkState::disabled, true});
  const auto finding = disconnected(site).value_or(Cause());
  EXPECT_EQ(finding.title, on_no_network);
  EXPECT_TRUE(test::has_evidence(finding, "eth0 has no signal"));
  EXPECT_TRUE(test::has_evidence(finding, "wlan0 is switched off"));
  EXPECT_EQ(finding.owner, Owner::user);
}

TEST(Disconnection, LinksOfProgramsInsideThisComputerLeadNowhere) {
  auto site = wired();
  site.links = {{"eth0", LinkState::no_signal, false}, {"docker0", LinkState::up, false}};
  site.interfaces = {{"docker0", {IpAddress::v4({172, 17, 0, 1})}, false}};
  EXPECT_EQ(title_of(site), on_no_network);
}

TEST(Disconnection, AnAddressThatTheComputerGaveItselfIsNone) {
  auto site = wired();
  site.interfaces = {{"eth0", {IpAddress::v4({169, 254, 3, 7})}, false}};
  EXPECT_EQ(title_of(site), "This computer gets no IP address from the network");
}

TEST(Disconnection, ATunnelMayBeTheWayOut) {
  auto site = wired();
  site.links->front().state = LinkState::no_signal;
  InterfaceInfo modem{"ppp0", {IpAddress::v4({84, 199, 10, 2})}, true};
  modem.tunnel = true;
  site.interfaces = {modem};
  EXPECT_FALSE(disconnected(site));
}

TEST(Disconnection, OneGatewayOfTwoIsEnough) {
  auto site = wired();
  site.gateways.front().answers = false;
  EXPECT_EQ(title_of(site), "The default gateway 10.20.0.1 does not answer");
  site.gateways.push_back({*IpAddress::parse("fe80::1"), "eth0", true});
  EXPECT_FALSE(disconnected(site));
}

TEST(Disconnection, ADeadAdapterMayHideALinkThatWorks) {
  auto site = wired();
  site.links->push_back({"eth1", LinkState::up, false});
  site.interfaces = {{"eth0", {ours}, false}, {"eth1", {IpAddress::v4({192, 168, 137, 5})}, true}};
  site.gateways = {{IpAddress::v4({192, 168, 137, 1}), "eth1", false}};
  const auto cause = disconnected(site).value_or(Cause());
  EXPECT_EQ(cause.owner, Owner::helpdesk);
  EXPECT_TRUE(test::holds(cause.fix, "over eth1, where no router answers, although eth0"))
      << cause.fix;
  site.interfaces.erase(site.interfaces.begin());
  EXPECT_EQ(disconnected(site).value_or(Cause()).owner, Owner::lan);
}

TEST(Disconnection, AnAdapterWithoutACableMayOwnTheDefaultRoute) {
  auto site = wired();
  site.links->push_back({"dock0", LinkState::no_signal, false});
  site.interfaces = {{"eth0", {ours}, false}, {"dock0", {IpAddress::v4({192, 168, 77, 23})}, true}};
  const auto cause = disconnected(site).value_or(Cause());
  EXPECT_EQ(cause.title, "This computer sends everything over dock0, which is not connected");
  EXPECT_EQ(cause.owner, Owner::helpdesk);
  EXPECT_TRUE(test::holds(cause.fix, "eth0, which is connected, switch off dock0")) << cause.fix;
}

TEST(Disconnection, TwoSilentGatewaysAreSaidAsTwo) {
  auto site = wired();
  site.gateways.front().answers = false;
  site.gateways.push_back({*IpAddress::parse("fe80::1"), "eth0", false});
  EXPECT_EQ(title_of(site), "The default gateways 10.20.0.1 and fe80::1 do not answer");
}

// --- in a diagnosis ---

Report cable_out() {
  using namespace test;
  auto made = report(
      {row("web", {tls("portal.vendor.com", Outcome::unresolved, "dns_unreachable"),
                   proxied(tcp("portal.vendor.com", 443), Outcome::silent, "proxy_timed_out")})});
  made.site.links = {{"eth0", LinkState::no_signal, false}};
  return made;
}

TEST(Disconnection, ComesBeforeAProxyThatNobodyCanReach) {
  EXPECT_EQ(test::codes(cable_out()), std::vector<std::string>{"network.offline (certain)"});
  auto wired_up = cable_out();
  wired_up.site.links->front().state = LinkState::up;
  EXPECT_NE(test::codes(wired_up), std::vector<std::string>{"network.offline (certain)"});
}

TEST(Disconnection, LeavesNothingToAsk) {
  auto made = cable_out();
  EXPECT_TRUE(follow_ups(made).empty());
  made.site.links->front().state = LinkState::up;
  EXPECT_FALSE(follow_ups(made).empty());
}

TEST(Disconnection, IsNotSaidWhereSomethingOutsideAnswered) {
  using namespace test;
  auto made = report({row("web", {tls("portal.vendor.com")})});
  made.site.links = {{"eth0", LinkState::no_signal, false}};
  EXPECT_EQ(codes(made), std::vector<std::string>{});
}

Report line_down(const char* names, const std::string& by = "10.20.0.1") {
  using namespace test;
  const auto server = [&](const std::string& address) {
    auto asked =
        probe(CheckKind::dns, Transport::udp, address, 53, Outcome::rejected, "unreachable");
    asked.probe.with = {{"server", "true"}, {"name", "www.google.com"}};
    asked.observation.evidence.push_back(
        {EvidenceKind::icmp_error, by + " answered: network unreachable", {{Fact::sender, by}}});
    return asked;
  };
  auto made = report({row("web", {tls("portal.vendor.com", Outcome::unresolved, names)}),
                      controls({server("9.9.9.9"), server("1.1.1.1")})});
  made.site.links = {{"eth0", LinkState::up, false}};
  made.site.gateways = {{router, "eth0", true}};
  return made;
}

TEST(Line, IsDownWhereTheRouterSaysThatItHasNoWay) {
  const auto found = test::only(line_down("dns_failed"));
  EXPECT_EQ(found.code, FindingCode::network_offline);
  EXPECT_EQ(found.owner, Owner::provider);
  EXPECT_EQ(found.confidence, Confidence::certain);
  EXPECT_EQ(found.title, "The Internet line is down: the router 10.20.0.1 has no route out");
  EXPECT_FALSE(test::has_evidence(test::only(line_down("dns_unreachable")), "DNS servers answer"));
}

// "Host unreachable" in this computer's own name: its gateway does not answer.
TEST(Line, IsNotSaidToBeDownByThisComputerItself) {
  for (const auto& finding : diagnose(line_down("dns_failed", ours.to_string()))) {
    EXPECT_FALSE(test::holds(finding.title.string(), ours.to_string())) << finding.title;
  }
}

}  // namespace
}  // namespace callready::findings
