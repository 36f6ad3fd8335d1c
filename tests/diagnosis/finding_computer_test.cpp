// What this computer itself keeps back is reported as such, and no network device is blamed.
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
  EXPECT_EQ(finding.code, FindingCode::computer_firewall);
  EXPECT_EQ(finding.confidence, Confidence::certain);
  EXPECT_EQ(finding.owner, Owner::helpdesk);
  EXPECT_EQ(finding.title, "This computer's own firewall blocks UDP 14000-16000");
  EXPECT_TRUE(holds(finding.fix, "Change nothing on the network")) << finding.fix;
  EXPECT_TRUE(finding.rules.empty()) << "the network's firewall has nothing to let through";
}

// A saved report may hold any number: none of these is a port.
TEST(OwnFirewall, NamesRealPortsOnly) {
  for (const double number : {1e300, -1e300, 75'536.0, -1.0}) {
    auto media =
        range("media.vendor.com",
              {{10'000, "left_site", "84.199.10.1"}, {14'000, "kept_here"}, {16'000, "kept_here"}},
              {10'000, 20'000});
    media.observation.evidence.back().facts[Fact::port] = number;
    EXPECT_EQ(only(report({row("media", {media}), controls(anchors())})).title,
              "This computer's own firewall blocks UDP 14000")
        << number;
  }
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
  EXPECT_EQ(finding.code, FindingCode::computer_firewall);
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

// What this computer keeps back needs no proxy, and the network need not let it through.
TEST(OwnFirewall, IsNotTheProxys) {
  const auto found = diagnose(report(
      {row("web", {tls("www.vendor.com", silent, "timed_out"), proxied(tls("www.vendor.com"))}),
       row("push", {tcp("push.vendor.com", 5223, silent)}),
       row("sip", {kept(sip_tls("sip.vendor.com"))}),
       controls({tls("www.google.com", silent, "timed_out")})}));
  ASSERT_EQ(codes(found),
            (std::vector<std::string>{"computer.firewall (certain)", "proxy.required (certain)"}));
  EXPECT_EQ(found[0].explains, std::vector<std::string>{"vendor/sip"});
  EXPECT_EQ(found[1].explains, (std::vector<std::string>{"vendor/web", "vendor/push"}));
}

// A long answer needs TCP, also from the system's own DNS servers, whose port no probe names.
TEST(OwnFirewall, IsNamedWithTheWayThatALongAnswerTakes) {
  const auto made = [](bool truncated) {
    auto asked = kept(question("a.vendor.com", "NOERROR"), 0);
    asked.observation.evidence.push_back({EvidenceKind::dns_no_answer, "", {}});
    auto& facts = asked.observation.evidence.back().facts;
    if (truncated) facts[Fact::truncated_over_udp] = true;
    return only(report({row("names", {asked}), controls(anchors())}));
  };
  EXPECT_EQ(made(true).title, "This computer's own firewall blocks TCP 53");
  EXPECT_EQ(made(true).confidence, Confidence::likely);
  EXPECT_TRUE(holds(made(true).fix, "to let TCP 53 out")) << made(true).fix;
  EXPECT_EQ(made(false).title, "This computer's own firewall blocks UDP 53");
}

// No row asks for DNS itself.
TEST(OwnFirewall, ExplainsNamesWithLongAnswers) {
  const auto lost = [](const char* name) {
    return probe(CheckKind::http, Transport::tls, name, 443, unresolved, "dns_failed");
  };
  auto asked = kept(question("portal.vendor.com", "NOERROR"), 0);
  asked.observation.evidence.push_back(
      {EvidenceKind::dns_no_answer, "", {{Fact::truncated_over_udp, true}}});
  const auto web = row("web", {lost("portal.vendor.com"), lost("api.vendor.com")});
  const auto finding = only(report({web, controls(anchors()), follow_up({asked})}));
  EXPECT_EQ(finding.code, FindingCode::computer_firewall);
  EXPECT_EQ(finding.title, "This computer's own firewall blocks TCP 53");
  EXPECT_EQ(finding.explains, std::vector<std::string>{"vendor/web"});
  EXPECT_TRUE(has_evidence(finding, "api.vendor.com")) << "of the same owner, and not asked for";
  const auto turn = row("turn", {kept(stun("turn.vendor.com"))});
  const auto both = only(report({web, turn, controls(anchors()), follow_up({asked})}));
  EXPECT_TRUE(holds(both.fix, "UDP 3478; TCP 53")) << both.fix;
}

// The proxy may be fine: what depends on it depends on this computer.
TEST(OwnFirewall, MayStandBetweenThisComputerAndTheProxy) {
  const auto lost = [](std::string host) { return tls(std::move(host), silent, "timed_out"); };
  const auto made =
      report({row("web", {lost("portal.vendor.com"), kept(proxied(tls("portal.vendor.com")))}),
              controls({lost("www.google.com"), lost("www.cloudflare.com")})});
  const auto finding = only(made);
  EXPECT_EQ(finding.code, FindingCode::computer_firewall);
  EXPECT_EQ(finding.owner, Owner::helpdesk);
  EXPECT_EQ(finding.title,
            "This computer's own firewall blocks TCP to the proxy http://10.20.0.3:3128");
  EXPECT_TRUE(holds(finding.fix, "let TCP to the proxy http://10.20.0.3:3128 out")) << finding.fix;
  EXPECT_EQ(finding.explains, std::vector<std::string>{"vendor/web"});
  EXPECT_TRUE(has_evidence(finding, "Without the proxy, no TCP connection gets out."));
}

// --- the hosts file
// --------------------------------------------------------------------------------

ProbeResult by_hosts_file(ProbeResult result, std::string address) {
  result.observation.address = IpAddress::parse(address);
  return with(result, {EvidenceKind::hosts_file,
                       "this computer's hosts file has the name at " + address,
                       {{Fact::address, address}}});
}

TEST(HostsFile, IsBlamedAndNotTheDnsServers) {
  const auto finding =
      only(report({row("web", {by_hosts_file(tcp("web.vendor.com", 443, silent), "127.0.0.1")}),
                   controls(anchors())}));
  EXPECT_EQ(finding.code, FindingCode::computer_hosts_file);
  EXPECT_EQ(finding.owner, Owner::helpdesk);
  EXPECT_EQ(finding.confidence, Confidence::certain);
  EXPECT_TRUE(holds(finding.fix, "web.vendor.com")) << finding.fix;
}

TEST(HostsFile, IsNoCauseWhereItWorksOrNothingSaysOtherwise) {
  const auto made = [](Outcome outcome, const char* address) {
    return codes(report({row("web", {by_hosts_file(tcp("web.vendor.com", 443, outcome), address)}),
                         controls(anchors())}));
  };
  const auto blamed = [&](Outcome outcome, const char* address) {
    const auto found = made(outcome, address);
    return std::any_of(found.begin(), found.end(), [](const std::string& code) {
      return code.starts_with("computer.hosts_file");
    });
  };
  EXPECT_FALSE(blamed(answered, "10.1.2.3"));
  EXPECT_FALSE(blamed(silent, "20.1.2.3")) << "perhaps the right one";
  EXPECT_TRUE(blamed(silent, "10.1.2.3"));
}

TEST(HostsFile, IsComparedWithDnsByAddressesOfOneKind) {
  const auto blamed = [](const char* address, const std::string& by_dns) {
    auto answer = question("web.vendor.com", "NOERROR", "", {{Fact::records, by_dns}});
    answer.observation.evidence.back().text = "10.20.0.1:53 answered NOERROR in 3 ms: A " + by_dns;
    const auto found =
        codes(report({row("web", {by_hosts_file(tcp("web.vendor.com", 443, silent), address)}),
                      follow_up({answer}), controls(anchors())}));
    return std::ranges::count(found, "computer.hosts_file (certain)") > 0;
  };
  EXPECT_TRUE(blamed("20.1.2.3", "20.1.2.30"));
  EXPECT_FALSE(blamed("20.1.2.3", "20.1.2.3"));
  EXPECT_FALSE(blamed("2001:db8::3", "20.1.2.3")) << "the name may have both";
}

// --- search domains
// --------------------------------------------------------------------------------

TEST(SearchDomain, IsToldWhereANameIsDenied) {
  const auto missing =
      probe(CheckKind::tls, Transport::tls, "web.vendor.com", 443, unresolved, "no_such_name");
  const auto completed = with(missing, {EvidenceKind::search_domain,
                                        "with this computer's search domain it exists",
                                        {{Fact::address, std::string("10.1.2.3")}}});
  const auto site = [&](const ProbeResult& seen) {
    return report({row("web", {seen}),
                   follow_up({question("web.vendor.com", "NXDOMAIN"),
                              question("web.vendor.com", "NOERROR", "9.9.9.9")}),
                   controls(anchors())});
  };
  EXPECT_EQ(codes(site(completed)), std::vector<std::string>{"dns.filtered (certain)"});
  EXPECT_TRUE(has_evidence(only(site(completed)), "with this computer's search domain"));
  EXPECT_FALSE(has_evidence(only(site(missing)), "search domain"));
}

// --- addresses of 100.64.0.0/10
// --------------------------------------------------------------------

Report with_shared_address(bool tunnel, bool another_link) {
  auto mapping = with(probe(CheckKind::nat, Transport::udp, "stun.cloudflare.com", 3478, answered,
                            "address_and_port_dependent"),
                      {EvidenceKind::nat_mapping,
                       "the NAT shows another address to another server",
                       {{Fact::value, std::string("address_and_port_dependent")}}});
  auto site = report({recommended("nat", {mapping}), controls(anchors())});
  InterfaceInfo link, ethernet;
  link.name = "corp0";
  link.addresses = {IpAddress::v4({100, 64, 0, 2})};
  link.default_route = true;
  link.tunnel = tunnel;
  ethernet.name = "eth0";
  ethernet.addresses = {IpAddress::v4({10, 20, 0, 23})};
  site.site.interfaces = {link};
  if (another_link) site.site.interfaces.push_back(ethernet);
  return site;
}

TEST(SharedAddress, OfAVpnsTunnelIsNoCarriers) {
  const auto blamed = [](bool tunnel, bool another_link) {
    return holds(only(with_shared_address(tunnel, another_link)).fix, "provider uses NAT");
  };
  EXPECT_FALSE(blamed(true, true));
  EXPECT_TRUE(blamed(false, true));
  EXPECT_TRUE(blamed(true, false)) << "a modem is no VPN";
}

// --- relays
// ----------------------------------------------------------------------------------------

TEST(Relay, ThatCarriedNothingIsNoPass) {
  const auto status = [](bool outbound, bool inbound) {
    const auto trip = with(turn("turn.vendor.com", answered, "allocated"),
                           {EvidenceKind::relay_trip,
                            "UDP from here to the relay's port 50000 ...",
                            {{Fact::relay_port, std::int64_t{50'000}},
                             {Fact::outbound, outbound},
                             {Fact::inbound, inbound}}});
    Requirement row;
    row.id = "turn";
    row.severity = Severity::required;
    row.check = CheckKind::turn;
    return diagnosed_alone(row, "media", trip).sets.front().requirements.front().status;
  };
  EXPECT_EQ(status(false, false), Status::unknown);
  EXPECT_EQ(status(true, false), Status::pass);
}

}  // namespace
}  // namespace callready
