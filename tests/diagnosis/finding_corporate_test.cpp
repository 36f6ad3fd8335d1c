// Causes of company networks: PAC files, VPNs, path MTU, IPv6.
#include "probe/diagnosis/findings.hpp"
#include "tests/diagnosis/diagnosis.hpp"
#include "tests/support/said.hpp"

namespace callready::finding_corporate_test {
namespace {

using namespace test;

using Codes = std::vector<std::string>;

ProbeResult pac(Outcome outcome, test::Said detail) {
  auto result = probe(CheckKind::pac, Transport::tcp, "wpad.example.net", 80, outcome, detail);
  result.probe.purpose = Purpose::control;
  Evidence evidence;
  evidence.kind = EvidenceKind::pac;
  evidence.text = "The PAC file http://wpad.example.net/wpad.dat: its script fails";
  evidence.facts[Fact::place] = std::string("http://wpad.example.net/wpad.dat");
  result.observation.evidence.push_back(std::move(evidence));
  return result;
}

ProbeResult path(std::string host, Transport transport, Outcome outcome, test::Said detail,
                 int passes = 0) {
  auto result = probe(CheckKind::path, transport, std::move(host),
                      transport == Transport::udp ? 3478 : 443, outcome, detail);
  Evidence evidence;
  evidence.kind = EvidenceKind::path_mtu;
  evidence.text = "packets of some size vanish";
  if (passes != 0) evidence.facts[Fact::passes] = static_cast<std::int64_t>(passes);
  result.observation.evidence.push_back(std::move(evidence));
  return result;
}

ProbeResult families(std::string host, std::string six, std::string four = "connected") {
  auto result = probe(CheckKind::ipv6, Transport::tcp, std::move(host), 443,
                      four == "connected" ? connected : silent, "ipv4_first");
  for (const auto& [version, seen] : {std::pair("IPv6", six), std::pair("IPv4", four)}) {
    Evidence evidence;
    evidence.kind = EvidenceKind::family;
    evidence.text = std::string(version) + ": " + seen;
    evidence.facts[Fact::version] = std::string(version);
    evidence.facts[Fact::result] = seen;
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

TEST(PacFinding, IsNoneWhereNoNameIsFound) {
  const auto lost = [](const char* host) {
    return probe(CheckKind::tls, Transport::tls, host, 443, unresolved, "dns_unreachable");
  };
  EXPECT_EQ(codes(report({row("web", {lost("portal.vendor.com")}),
                          controls({lost("www.google.com"), pac(unresolved, "dns_unreachable")})})),
            Codes{"dns.unreachable (likely)"});
}

// --- what the proxy wants ---

Finding login(const std::string& schemes, const std::string& refused = {}) {
  auto turned_away =
      proxied(probe(CheckKind::http, Transport::tls, "portal.vendor.com", 443, denied, "407"),
              denied, "407");
  Evidence evidence;
  evidence.kind = EvidenceKind::proxy_reply;
  evidence.facts[Fact::schemes] = schemes;
  if (!refused.empty()) evidence.facts[Fact::refused_schemes] = refused;
  turned_away.observation.evidence.push_back(std::move(evidence));
  const auto found = diagnose(site_with({turned_away}));
  EXPECT_EQ(found.size(), 1u);
  return found.empty() ? Finding{} : found.front();
}

TEST(ProxyLoginFinding, SaysWhichLoginIsWanted) {
  const auto password = login("NTLM, Basic");
  EXPECT_NE(password.title.find("requires a user name and password"), std::string::npos);
  EXPECT_NE(password.fix.find("CALLREADY_PROXY_USER"), std::string::npos);
  EXPECT_EQ(password.fix.find("klist"), std::string::npos);
  const auto domain = login("Negotiate");
  EXPECT_NE(domain.title.find("Negotiate"), std::string::npos) << domain.title;
  EXPECT_NE(domain.fix.find("klist"), std::string::npos);
  EXPECT_EQ(domain.fix.find("CALLREADY_PROXY_USER"), std::string::npos) << domain.fix;
  const auto either = login("Negotiate, NTLM");
  EXPECT_NE(either.fix.find("klist shows the ticket) or set CALLREADY_PROXY_USER"),
            std::string::npos)
      << either.fix;
}

TEST(ProxyLoginFinding, TellsAWrongOneFromNone) {
  const auto wrong = login("NTLM", "NTLM");
  EXPECT_NE(wrong.title.find("rejects the given user name and password"), std::string::npos);
  EXPECT_NE(wrong.fix.find("correct CALLREADY_PROXY_USER"), std::string::npos);
  // The ticket was not good enough, and no password was given.
  EXPECT_EQ(login("Negotiate", "Negotiate").title.find("refuses"), std::string::npos);
}

// --- a proxy that says yes, and sends a page of its own ---

TEST(ProxyDenials, MayBeAPageInPlaceOfTls) {
  const auto sent_a_page = [](const char* host) {
    auto result = proxied(tls(host, failed, "not_tls"), failed, "not_tls");
    result.observation.evidence = {
        {EvidenceKind::not_tls, "", {{Fact::first_bytes, std::string("HTTP/")}}}};
    return result;
  };
  const auto shut = [](const char* host) { return tls(host, silent, "timed_out"); };
  const auto made = [&](std::vector<ProbeResult> pages, std::vector<ProbeResult> others) {
    return diagnose(report({row("web", std::move(pages)), row("more", std::move(others)),
                            controls({shut("www.google.com"), proxied(tls("www.google.com")),
                                      shut("www.cloudflare.com")})}));
  };
  const auto found = made({shut("portal.vendor.com"), sent_a_page("portal.vendor.com"),
                           shut("www.other.com"), sent_a_page("www.other.com")},
                          {shut("sip.vendor.com")});
  ASSERT_EQ(codes(found), (std::vector<std::string>{"proxy.required (certain)",
                                                    "proxy.connect_denied (certain)"}));
  EXPECT_EQ(found[0].explains, std::vector<std::string>{"vendor/more"});
  EXPECT_EQ(found[1].explains, std::vector<std::string>{"vendor/web"});
  const auto one =
      made({shut("portal.vendor.com"), sent_a_page("portal.vendor.com")}, {shut("sip.vendor.com")});
  EXPECT_EQ(codes(one).back(), "proxy.connect_denied (possible)") << "the server may be like that";
}

// --- DNS over TCP ---

ProbeResult question(std::string name, Transport transport, Outcome outcome, test::Said detail) {
  auto result = probe(CheckKind::dns, transport, std::move(name), 53, outcome, detail);
  result.observation.address = IpAddress::v4({10, 20, 0, 1});
  return result;
}

TEST(DnsWithoutTcp, LosesLongAnswersOnly) {
  const auto lost = [](const char* name) {
    return probe(CheckKind::http, Transport::tls, name, 443, unresolved, "dns_failed");
  };
  const auto made = [&](std::vector<ProbeResult> more) {
    std::vector<ProbeResult> rows{lost("portal.vendor.com"), lost("api.vendor.com")};
    return report({row("web", rows), controls({tls("www.google.com"), tls("www.cloudflare.com")}),
                   follow_up(std::move(more))});
  };
  const auto found = made({question("portal.vendor.com", Transport::udp, failed, "truncated")});
  EXPECT_EQ(codes(found), Codes{"dns.unreachable (certain)"});
  const auto finding = diagnose(found).front();
  EXPECT_EQ(finding.owner, Owner::dns);
  EXPECT_NE(finding.evidence.back().text.find("api.vendor.com"), std::string::npos)
      << "a name of the same owner that was not asked for again";
  EXPECT_EQ(codes(made({question("portal.vendor.com", Transport::udp, failed, "servfail")})),
            Codes{});
}

TEST(DnsWithoutTcp, IsSeenWhereARowAsksForIt) {
  const auto made = [](Outcome over_udp, Outcome over_tcp = refused, test::Said said = "") {
    return report({row("names", {question("a.vendor.com", Transport::tcp, over_tcp, said)}),
                   controls({tls("www.google.com"), tls("www.cloudflare.com"),
                             question("a.vendor.com", Transport::udp, over_udp, "records")})});
  };
  EXPECT_EQ(codes(made(answered)), Codes{"dns.unreachable (certain)"});
  EXPECT_EQ(codes(made(silent)), Codes{}) << "then it is not TCP alone";
  EXPECT_EQ(codes(made(answered, failed, "servfail")), Codes{}) << "SERVFAIL came over TCP";
}

TEST(MtuFinding, OneHostIsLikelyAndTwoAreCertain) {
  const auto hole = [](const char* host) {
    return path(host, Transport::udp, failed, "black_hole", 1'400);
  };
  EXPECT_EQ(codes(site_with({hole("stun.a.com")})), Codes{"network.mtu (likely)"});
  EXPECT_EQ(codes(site_with({hole("stun.a.com"), hole("stun.b.com")})),
            Codes{"network.mtu (certain)"});
  const auto stuck = path("www.a.com", Transport::tls, failed, "black_hole");
  auto again = stuck;
  again.probe.with["again"] = "true";
  again.probe.id = probe_id(again.probe);
  EXPECT_EQ(codes(site_with({stuck})), Codes{"network.mtu (likely)"});
  EXPECT_EQ(codes(site_with({stuck, again})), Codes{"network.mtu (certain)"});
  again.observation.outcome = answered;
  again.observation.detail = DetailCode::full_size;
  EXPECT_EQ(codes(site_with({stuck, again})), Codes{}) << "a bad line";
  const auto finding = diagnose(site_with({hole("stun.a.com")})).front();
  EXPECT_NE(finding.title.find("1400"), std::string::npos);
  EXPECT_NE(finding.fix.find("1360"), std::string::npos);
}

// Media and STUN share a port, and small datagrams get no answer there either.
TEST(MtuFinding, DoesNotDependOnWhichRowAskedFirst) {
  auto media =
      probe(CheckKind::udp_range, Transport::udp, "turn.vendor.com", 3478, silent, "silent");
  media.observation.evidence.push_back(
      {EvidenceKind::udp_port,
       "UDP 3478: silent",
       {{Fact::port, std::int64_t{3478}}, {Fact::result, std::string("silent")}}});
  const auto relay = stun("turn.vendor.com", 3478, silent);
  const auto made = [&](const ProbeResult& first, const ProbeResult& second) {
    const auto found = codes(
        report({row("first", {first}), row("second", {second}),
                controls({tls("www.google.com"), tls("www.cloudflare.com"),
                          path("stun.a.com", Transport::udp, failed, "black_hole", 1'400),
                          path("stun.b.com", Transport::udp, failed, "black_hole", 1'400)})}));
    return std::ranges::count(found, "network.mtu (possible)");
  };
  EXPECT_EQ(made(relay, media), 1);
  EXPECT_EQ(made(media, relay), 1);
}

TEST(MtuFinding, Ipv6HasLargerHeaders) {
  auto hole = at(path("stun.a.com", Transport::udp, failed, "black_hole", 1'280), "2a00:1450::1");
  EXPECT_TRUE(holds(only(site_with({hole})).fix, "1220"));
  hole.observation.evidence.back().facts[Fact::passes] = 1e300;
  EXPECT_EQ(only(site_with({hole})).title, "Large packets are lost in transit");
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

ProbeResult of_service(std::string host, std::string six) {
  auto result = families(std::move(host), std::move(six));
  result.probe.with["service"] = "true";
  result.probe.purpose = Purpose::control;
  return result;
}

TEST(Ipv6Finding, IsTheFirewallsWhereItSaysNo) {
  const auto found =
      only(site_with({families("www.a.com", "prohibited"), families("www.b.com", "prohibited")}));
  EXPECT_TRUE(holds(found.fix, "on the firewall, which refuses it")) << found.fix.string();
}

TEST(Ipv6Finding, IsTheNetworksWhereTheRouterKnowsNoWay) {
  const auto found =
      only(site_with({families("www.a.com", "unreachable"), families("www.b.com", "unreachable")}));
  EXPECT_TRUE(holds(found.fix, "Give the router an IPv6 route")) << found.fix.string();
  EXPECT_EQ(found.owner, Owner::lan);
}

TEST(Ipv6Finding, IsDeadForOneVendorAlone) {
  const auto works = families("www.anchor.com", "connected");
  const auto one = of_service("a.vendor.com", "timed_out"),
             two = of_service("b.vendor.com", "unreachable");
  EXPECT_EQ(codes(site_with({works, one, two})), Codes{"network.ipv6_vendor_dead (likely)"});
  EXPECT_EQ(codes(site_with({works, one})), Codes{"network.ipv6_vendor_dead (possible)"});
  const auto found = only(site_with({works, one, two}));
  EXPECT_EQ(found.owner, Owner::provider);
  EXPECT_TRUE(has_evidence(found, "www.anchor.com: IPv6: connected"));
  // Nobody else is known to answer: it is everybody's, or nothing is known.
  EXPECT_EQ(codes(site_with({one, two})), Codes{"network.ipv6_broken (likely)"});
}

TEST(Ipv6Finding, IsTheVendorsWhereOneHostAnswersOrAllRefuse) {
  const auto works = families("www.anchor.com", "connected");
  const auto some = only(site_with(
      {works, of_service("a.vendor.com", "timed_out"), of_service("b.vendor.com", "connected")}));
  EXPECT_EQ(some.confidence, Confidence::possible);
  EXPECT_EQ(some.owner, Owner::vendor);
  EXPECT_EQ(some.title, "IPv6 to a.vendor.com does not work, but IPv4 does");
  const auto two = only(site_with({works, of_service("a.vendor.com", "timed_out"),
                                   of_service("b.vendor.com", "connected"),
                                   of_service("c.vendor.com", "timed_out")}));
  EXPECT_EQ(two.title, "IPv6 to a.vendor.com and c.vendor.com does not work, but IPv4 does");
  const auto refused = only(site_with({works, of_service("a.vendor.com", "connection_refused"),
                                       of_service("b.vendor.com", "connection_refused")}));
  EXPECT_EQ(refused.confidence, Confidence::likely);
  EXPECT_EQ(refused.owner, Owner::vendor);
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
    EgressPath way;
    way.interface = interface;
    way.tunnel = tunnel;
    way.default_route = all;
    way.hosts = std::move(hosts);
    site.site.ways.push_back(std::move(way));
  }
};

TEST_F(VpnFinding, TwoLinksAreNotASymmetricNat) {
  auto nat = with(stun("turn.vendor.com"), {EvidenceKind::nat_mapping,
                                            "the mapping",
                                            {{Fact::value, std::string("destination_dependent")}}});
  nat.probe.check = CheckKind::nat;
  std::string second_host = "turn2.vendor.com";
  nat.probe.with["other"] = "turn2.vendor.com:3478";
  const auto measured = [&](const char* second_link) {
    site = report(
        {recommended("nat", {nat}), controls({tls("www.google.com"), tls("www.cloudflare.com")})});
    carry("tun0", false, false, {"turn.vendor.com"});
    carry(second_link, false, true, {second_host});
    return codes(site);
  };
  EXPECT_EQ(measured("eth0"), Codes{});
  EXPECT_EQ(measured("tun0"), Codes{"nat.symmetric (certain)"});
  second_host = "2001:db8::2";
  nat.probe.with["other"] = "[2001:db8::2]:3478";
  EXPECT_EQ(measured("eth0"), Codes{});
}

TEST_F(VpnFinding, ATunnelThatCarriesTheService) {
  carry("tun0", true, true, {"www.google.com", "turn.vendor.com"});
  EXPECT_EQ(codes(site), Codes{"network.vpn_full_tunnel (certain)"});
  const auto finding = diagnose(site).front();
  EXPECT_NE(finding.title.find("all traffic"), std::string::npos);
  EXPECT_NE(finding.fix.find("Vendor asks for this: \"Route 20.0.0.0/8 past it.\" (page 7)."),
            std::string::npos)
      << finding.fix;
}

// Everything works today, through the tunnel: what the service needs is asked for all the same.
TEST_F(VpnFinding, AsksForAllThatIsRequiredMediaFirst) {
  const auto rule = [](Transport transport, std::uint16_t port, const char* peer) {
    FirewallRule made;
    made.set = "vendor";
    made.transport = transport;
    made.ports = {{port, port}};
    made.peers = {{peer, PeerKind::name, "", "", Lifecycle::current}};
    return made;
  };
  auto& rows = site.sets.front().requirements;
  rows.front().rules = {rule(Transport::tcp, 443, "portal.vendor.com")};
  RequirementResult media;
  media.id = "media";
  media.rules = {rule(Transport::udp, 3478, "turn.vendor.com")};
  RequirementResult extra;
  extra.id = "extra";
  extra.severity = Severity::optional;
  extra.rules = {rule(Transport::tcp, 5061, "federation.vendor.com")};
  rows.push_back(media);
  rows.push_back(extra);
  carry("tun0", true, true, {"turn.vendor.com"});
  const auto finding = only(site);
  EXPECT_TRUE(holds(finding.fix,
                    "(split tunnel): UDP 3478 to turn.vendor.com; TCP 443 to "
                    "portal.vendor.com. Full list: callready firewall"))
      << finding.fix;
  EXPECT_FALSE(holds(finding.fix, "5061"));
  EXPECT_EQ(finding.owner, Owner::vpn);
  for (auto& one : rows) one.rules.clear();
  EXPECT_EQ(hole_in(only(site).fix), "") << "a report without rules";
}

TEST_F(VpnFinding, ATunnelForOthersIsNone) {
  carry("tun0", true, false, {"intranet.example.net"});
  carry("eth0", false, true, {"turn.vendor.com"});
  EXPECT_EQ(codes(site), Codes{});
}

TEST_F(VpnFinding, OverPppItMayBeAnAccessLine) {
  site.site.interfaces.back().name = "ppp0";
  carry("ppp0", true, true, {"turn.vendor.com"});
  EXPECT_EQ(codes(site), Codes{"network.vpn_full_tunnel (likely)"});
}

TEST_F(VpnFinding, AContainersBridgeIsNoOtherWayOut) {
  site.site.interfaces.front().name = "docker0";
  carry("tun0", true, true, {"turn.vendor.com"});
  EXPECT_EQ(codes(site), Codes{});
}

TEST_F(VpnFinding, AModemIsNoTunnel) {
  site.site.interfaces.erase(site.site.interfaces.begin());
  carry("tun0", true, true, {"turn.vendor.com"});
  EXPECT_EQ(codes(site), Codes{});
}

}  // namespace
}  // namespace callready::finding_corporate_test
