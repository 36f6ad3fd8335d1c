// Causes of company networks: PAC files, VPNs, path MTU, IPv6.
#include "probe/verdict/findings.hpp"
#include "tests/verdict/site_report.hpp"

namespace callready {
namespace {

using namespace test;

std::vector<std::string> codes(const Report& site) {
  std::vector<std::string> list;
  for (const auto& finding : diagnose(site)) {
    list.push_back(fmt::format("{} ({})", finding.code, to_string(finding.confidence)));
  }
  return list;
}

using Codes = std::vector<std::string>;

ProbeResult pac(Outcome outcome, std::string detail) {
  auto result = probe("pac", Transport::tcp, "wpad.example.net", 80, outcome, std::move(detail));
  result.probe.control = true;
  Evidence evidence;
  evidence.kind = "pac";
  evidence.text = "The PAC file http://wpad.example.net/wpad.dat: its script fails";
  evidence.facts["place"] = std::string("http://wpad.example.net/wpad.dat");
  result.observation.evidence.push_back(std::move(evidence));
  return result;
}

ProbeResult path(std::string host, Transport transport, Outcome outcome, std::string detail,
                 int passes = 0) {
  auto result = probe("path", transport, std::move(host), transport == Transport::udp ? 3478 : 443,
                      outcome, std::move(detail));
  Evidence evidence;
  evidence.kind = "path_mtu";
  evidence.text = "packets of some size vanish";
  if (passes != 0) evidence.facts["passes"] = static_cast<std::int64_t>(passes);
  result.observation.evidence.push_back(std::move(evidence));
  return result;
}

ProbeResult families(std::string host, std::string six, std::string four = "connected") {
  auto result = probe("ipv6", Transport::tcp, std::move(host), 443,
                      four == "connected" ? connected : silent, "ipv4_first");
  for (const auto& [version, seen] : {std::pair("IPv6", six), std::pair("IPv4", four)}) {
    Evidence evidence;
    evidence.kind = "family";
    evidence.text = std::string(version) + ": " + seen;
    evidence.facts["version"] = std::string(version);
    evidence.facts["result"] = seen;
    result.observation.evidence.push_back(std::move(evidence));
  }
  return result;
}

Report site_with(std::vector<ProbeResult> more) {
  std::vector<ProbeResult> all{tls("www.google.com"), tls("www.cloudflare.com")};
  all.insert(all.end(), more.begin(), more.end());
  return report({row("turn", {turn("turn.vendor.com")}), controls(std::move(all))});
}

TEST(PacFinding, IsThereWhereTheFileCannotBeUsed) {
  EXPECT_EQ(codes(site_with({pac(failed, "pac_script")})), Codes{"proxy.pac_failed (certain)"});
  EXPECT_EQ(codes(site_with({pac(silent, "timed_out")})), Codes{"proxy.pac_failed (certain)"});
  EXPECT_EQ(codes(site_with({pac(answered, "pac_evaluated")})), Codes{});
  const auto finding = diagnose(site_with({pac(failed, "pac_script")})).front();
  EXPECT_EQ(finding.owner, Owner::proxy);
  EXPECT_NE(finding.title.find("wpad.example.net"), std::string::npos);
}

TEST(MtuFinding, OneHostIsLikelyAndTwoAreCertain) {
  const auto hole = [](const char* host) {
    return path(host, Transport::udp, failed, "black_hole", 1'400);
  };
  EXPECT_EQ(codes(site_with({hole("stun.a.com")})), Codes{"network.mtu (likely)"});
  EXPECT_EQ(codes(site_with({hole("stun.a.com"), hole("stun.b.com")})),
            Codes{"network.mtu (certain)"});
  EXPECT_EQ(codes(site_with({path("www.a.com", Transport::tls, failed, "black_hole")})),
            Codes{"network.mtu (certain)"});
  const auto finding = diagnose(site_with({hole("stun.a.com")})).front();
  EXPECT_NE(finding.title.find("1400"), std::string::npos);
  EXPECT_NE(finding.fix.find("1360"), std::string::npos);
}

TEST(MtuFinding, ARouterThatSpeaksIsNone) {
  EXPECT_EQ(codes(site_with({path("stun.a.com", Transport::udp, answered, "path_mtu", 1'400),
                             path("stun.b.com", Transport::udp, answered, "padding_ignored")})),
            Codes{});
}

TEST(Ipv6Finding, BrokenIsToldFromMissing) {
  EXPECT_EQ(
      codes(site_with({families("www.a.com", "timed_out"), families("www.b.com", "unreachable")})),
      Codes{"network.ipv6_broken (certain)"});
  EXPECT_EQ(codes(site_with({families("www.a.com", "timed_out")})),
            Codes{"network.ipv6_broken (likely)"});
  EXPECT_EQ(
      codes(site_with({families("www.a.com", "no_route"), families("www.b.com", "no_address")})),
      Codes{});
}

TEST(Ipv6Finding, OneThatWorksMakesItTheOthersFault) {
  EXPECT_EQ(
      codes(site_with({families("www.a.com", "timed_out"), families("www.b.com", "connected")})),
      Codes{});
}

class VpnFinding : public testing::Test {
 protected:
  Report site = site_with({});

  VpnFinding() {
    InterfaceInfo ethernet, tunnel;
    ethernet.name = "eth0";
    ethernet.addresses = {IpAddress::v4({10, 20, 0, 23})};
    tunnel.name = "tun0";
    tunnel.addresses = {IpAddress::v4({10, 8, 0, 2})};
    tunnel.tunnel = true;
    site.site.interfaces = {ethernet, tunnel};
    site.sets.front().title = "Vendor";
    site.sets.front().advice = {{"vpn-split-tunnel", "Route 20.0.0.0/8 past it.", "page 7"}};
  }
  void carry(const char* interface, bool tunnel, bool all, std::vector<std::string> hosts) {
    SiteWay way;
    way.interface = interface;
    way.tunnel = tunnel;
    way.default_route = all;
    way.hosts = std::move(hosts);
    site.site.ways.push_back(std::move(way));
  }
};

TEST_F(VpnFinding, ATunnelThatCarriesTheService) {
  carry("tun0", true, true, {"www.google.com", "turn.vendor.com"});
  EXPECT_EQ(codes(site), Codes{"network.vpn_full_tunnel (certain)"});
  const auto finding = diagnose(site).front();
  EXPECT_NE(finding.title.find("all traffic"), std::string::npos);
  EXPECT_NE(finding.fix.find("Vendor asks for it: \"Route 20.0.0.0/8 past it.\" (page 7)."),
            std::string::npos)
      << finding.fix;
}

TEST_F(VpnFinding, ATunnelForOthersIsNone) {
  carry("tun0", true, false, {"intranet.example.net"});
  carry("eth0", false, true, {"turn.vendor.com"});
  EXPECT_EQ(codes(site), Codes{});
}

TEST_F(VpnFinding, AModemIsNoTunnel) {
  site.site.interfaces.erase(site.site.interfaces.begin());
  carry("tun0", true, true, {"turn.vendor.com"});
  EXPECT_EQ(codes(site), Codes{});
}

}  // namespace
}  // namespace callready
