// Neighbouring causes that only a second measurement tells apart (docs/design.md, "How neighbours
// are told apart"): each with its near miss.
#include "probe/diagnosis/findings.hpp"

#include "tests/diagnosis/diagnosis.hpp"
#include "tests/diagnosis/scene.hpp"

namespace callready::neighbours_test {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

std::vector<ProbeResult> anchors() {
  return {tls("www.google.com"), tls("www.cloudflare.com"), stun("stun.cloudflare.com"),
          stun("stun.l.google.com", 19302), ntp("pool.ntp.org")};
}

// TCP works, and of the servers that answer everybody none answers over UDP.
std::vector<ProbeResult> without_udp(Outcome ntp_pool = silent) {
  return {tls("www.google.com"),
          tls("www.cloudflare.com"),
          stun("stun.l.google.com", 19302, silent),
          stun("stun.cloudflare.com", 3478, silent),
          ntp("time.cloudflare.com", ntp_pool),
          ntp("pool.ntp.org", ntp_pool)};
}

ProbeResult later(ProbeResult result, int seconds) {
  *result.observation.sent_at += std::chrono::seconds(seconds);
  return result;
}

// --- the site as a whole ---

// Another port of the host lies between two of its range.
TEST(Offline, NamesASilentRangeOnce) {
  const auto found =
      diagnose(report({row("media", {range("media.vendor.com", all_ports("silent")),
                                     stun("media.vendor.com", 11000, silent)}),
                       controls({tls("www.google.com", silent), tls("www.cloudflare.com", silent),
                                 stun("stun.l.google.com", 19302, silent)})}));
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().code, FindingCode::network_offline);
  const auto of_range = [](const FindingEvidence& one) {
    return one.text.starts_with("media.vendor.com:10000-20000");
  };
  EXPECT_EQ(std::ranges::count_if(found.front().evidence, of_range), 1);
}

Report unplugged() {
  auto page = probe(CheckKind::http, Transport::tls, "portal.vendor.com", 443, unresolved,
                    "dns_unreachable");
  auto media = range("20.1.2.3", {});
  media.observation.outcome = skipped;
  media.observation.detail = DetailCode::no_route;
  auto made = report({row("web", {page}), row("media", {media}),
                      controls({probe(CheckKind::tls, Transport::tls, "www.google.com", 443,
                                      unresolved, "dns_unreachable")})});
  made.site.interfaces.front().default_route = false;
  return made;
}

TEST(Unplugged, IsNotTheNameServersFault) {
  EXPECT_EQ(codes(unplugged()), Codes{"network.offline (certain)"});
  auto wired = unplugged();
  wired.site.interfaces.front().default_route = true;
  EXPECT_EQ(codes(wired), Codes{"dns.unreachable (likely)"});
}

TEST(Offline, IsNoneWhereAProxyWantsALogin) {
  auto found = codes(report(
      {row("web", {tls("portal.vendor.com", silent, "timed_out"),
                   proxied(tcp("portal.vendor.com", 443), denied, "407")}),
       controls({tls("www.google.com", silent, ""), tls("www.cloudflare.com", silent, "")})}));
  EXPECT_EQ(found, Codes{"proxy.auth_required (certain)"});
}

// No name is found here, so only the outside name servers that were asked have an address.
TEST(Offline, IsSeenByNameServersWhereNoNameIsFound) {
  const auto server = [](const std::string& address, Outcome outcome, const std::string& detail) {
    auto asked = probe(CheckKind::dns, Transport::udp, address, 53, outcome, detail);
    asked.probe.with = {{"server", "true"}, {"name", "www.google.com"}};
    return asked;
  };
  const auto made = [&](Outcome outcome, const std::string& detail, Outcome over_tcp) {
    return codes(
        report({row("web", {tls("portal.vendor.com", unresolved, "dns_failed")}),
                controls({tls("www.google.com", unresolved, "dns_failed"),
                          tls("www.cloudflare.com", unresolved, "dns_failed"),
                          server("9.9.9.9", outcome, detail), server("1.1.1.1", outcome, detail)}),
                follow_up({tcp("9.9.9.9", 443, over_tcp), tcp("1.1.1.1", 443, over_tcp)})}));
  };
  EXPECT_EQ(made(rejected, "unreachable", silent), Codes{"network.offline (certain)"});
  EXPECT_EQ(made(silent, "timed_out", silent), Codes{"network.offline (certain)"});
  EXPECT_EQ(made(silent, "timed_out", connected), Codes{"dns.unreachable (certain)"});
  // Where many hosts are asked for, one name server is all that there is room for.
  const auto one = [&](const char* names, Outcome over_tcp, std::vector<ProbeResult> media = {}) {
    return codes(report({row("web", {tls("portal.vendor.com", unresolved, names),
                                     tls("www.vendor.com", unresolved, names)}),
                         row("media", media),
                         controls({tls("www.google.com", unresolved, names),
                                   server("9.9.9.9", silent, "timed_out")}),
                         follow_up({tcp("9.9.9.9", 443, over_tcp)})}));
  };
  EXPECT_EQ(one("dns_failed", silent), Codes{"network.offline (likely)"});
  EXPECT_EQ(one("dns_failed", connected), Codes{"dns.unreachable (certain)"});
  // Media ports of so many operators at once: each alone may be silent to strangers.
  std::vector<ProbeResult> media;
  for (const auto* address : {"20.1.2.3", "99.1.2.3", "142.1.2.3"}) {
    media.push_back(range(address, {{50'000, "silent"}, {60'000, "silent"}}));
    media.back().observation.outcome = silent;
  }
  EXPECT_EQ(one("dns_failed", silent, media), Codes{"network.offline (certain)"});
  media.pop_back();
  EXPECT_EQ(one("dns_failed", silent, media), Codes{"network.offline (likely)"});
  EXPECT_EQ(one("dns_unreachable", silent), Codes{"dns.unreachable (likely)"});
}

// A set that asks for one name and one network: the site's name server finds nothing, and the
// router says of two ports of a range that it knows no way there.
TEST(Offline, ExplainsNamesAndARouterWithoutAWayOut) {
  auto name = probe(CheckKind::dns, Transport::udp, "www.vendor.com", 53, failed, "servfail");
  name.observation.address.reset();
  auto media = range("20.1.2.3", {{50'000, "prohibited"}, {60'000, "silent"}});
  media.observation.outcome = rejected;
  media.observation.detail = DetailCode::partly_prohibited;
  auto& said = media.observation.evidence.front().facts;
  said[Fact::by] = std::string("10.20.0.1");
  said[Fact::reason] = std::string("unreachable");
  const auto made = report({row("dns", {name}), row("media", {media}),
                            controls({tls("www.google.com", unresolved, "dns_failed")}),
                            follow_up({tcp("9.9.9.9", 443, silent), tcp("1.1.1.1", 443, silent)})});
  EXPECT_EQ(codes(made), Codes{"network.offline (certain)"});
  EXPECT_EQ(diagnose(made).front().owner, Owner::provider);
}

// Connections are accepted much sooner than anybody out there can answer, and then stay silent.
TEST(TakenConnections, AreNamedWhereTheyAreMute) {
  const auto sooner = [](ProbeResult result, double milliseconds) {
    result.observation.round_trip = Milliseconds(milliseconds);
    if (result.observation.timing_ms.contains(Timing::connect)) {
      result.observation.timing_ms[Timing::connect] = milliseconds;
    }
    return result;
  };
  const auto mute = [&](const char* host, double milliseconds) {
    return sooner(sip_tcp(host, 5060, failed, "sip_timed_out"), milliseconds);
  };
  const auto made = [&](double milliseconds, const char* seen) {
    return report(
        {row("sip", {mute("sbc1.vendor.com", milliseconds), mute("sbc2.vendor.com", milliseconds)}),
         row("web", {sooner(tls("www.vendor.com"), 40)}),
         follow_up({tcp_hop("sbc1.vendor.com", 5075, seen)})});
  };
  const auto found = diagnose(made(0.1, "answered_on_the_way"));
  EXPECT_EQ(codes(found), Codes{"firewall.tcp_port_blocked (certain)"});
  EXPECT_TRUE(holds(found.front().title, "answers TCP to port 5060 itself"));
  // As far away as all others, such a server may have nothing to say to strangers.
  for (const auto& one : diagnose(made(40, "answered_on_the_way"))) {
    EXPECT_FALSE(holds(one.title, "itself")) << one.title;
  }
}

// Whatever is sent over them: TLS alone would be a filter of TLS.
TEST(TakenConnections, AreNotWhatServersTakeAndADeviceCutsOff) {
  const auto mute = [](ProbeResult result) {
    result.observation.round_trip = Milliseconds(40);
    return result;
  };
  const auto made = [&](Outcome plain, const std::string& detail) {
    return report(
        {row("web", {mute(tls("portal.vendor.com", failed, "tls_timed_out")),
                     mute(tls("files.vendor.com", failed, "tls_timed_out"))}),
         row("turn", {turn("turn.vendor.com")}),
         controls(
             {mute(tls("www.google.com", failed, "tls_timed_out")),
              mute(probe(CheckKind::http, Transport::tcp, "www.msftncsi.com", 80, plain, detail)),
              mute(probe(CheckKind::http, Transport::tcp, "captive.apple.com", 80, plain, detail)),
              stun("stun.cloudflare.com"), stun("stun.l.google.com", 19302)}),
         follow_up({tcp_hop("portal.vendor.com", 443, "left_site")})});
  };
  const auto found = diagnose(made(failed, "http_timed_out"));
  EXPECT_EQ(codes(found), Codes{"firewall.tcp_port_blocked (certain)"});
  EXPECT_TRUE(holds(found.front().title, "connects, but carries nothing"));
  EXPECT_TRUE(holds(found.front().fix, "asymmetric routing")) << found.front().fix;
  for (const auto& one : diagnose(made(answered, "200")))
    EXPECT_NE(one.code, FindingCode::firewall_tcp_port_blocked) << one.title;
}

TEST(WebOnly, IsSeenThroughInspection) {
  const auto opened = [](std::string host) {
    return with_root(tls(std::move(host), failed, "untrusted", "CN=Corp CA"), false);
  };
  const auto made =
      report({row("web", {opened("portal.vendor.com")}),
              row("sip", {sip_tcp("sip.vendor.com", 5060, silent), sip_tls("sip.other.net", silent),
                          stun("turn.vendor.com", 3478, silent)}),
              controls({opened("www.google.com"), opened("www.cloudflare.com"),
                        stun("stun.l.google.com", 19302, silent)}),
              follow_up({tcp_hop("www.google.com", 5222, "dropped"),
                         udp_hop("turn.vendor.com", 443, "dropped"),
                         udp_hop("turn.vendor.com", 3478, "dropped", "stun"),
                         udp_hop("turn.vendor.com", 50'000, "dropped")})});
  EXPECT_EQ(codes(made), (Codes{"firewall.web_only (certain)", "tls.intercepted (certain)"}));
}

// --- who refuses, and whom ---

TEST(Destination, AResetInItsNameIsNotItsOwn) {
  const auto made = [](const std::string& hop_result) {
    return report({row("turn", {turn("turn1.vendor.com", silent, "timed_out"),
                                turn_tls("turn1.vendor.com", refused), turn("turn2.vendor.com"),
                                turn_tls("turn2.vendor.com")}),
                   controls(anchors()),
                   follow_up({tcp_hop("turn1.vendor.com", 443, hop_result),
                              tcp("turn1.vendor.com", 80, refused),
                              udp_hop("turn1.vendor.com", 3478, "dropped", "stun")})});
  };
  EXPECT_EQ(codes(made("refused_on_the_way")), Codes{"firewall.destination_blocked (certain)"});
  const auto own = codes(made("left_site"));
  EXPECT_EQ(std::count(own.begin(), own.end(), "firewall.destination_blocked (certain)"), 0);
}

// --- one protocol, or the port ---

TEST(StunFilter, TellsTurnFromStun) {
  const auto made = [](Outcome elsewhere) {
    return report({row("turn", {turn("turn1.vendor.com", silent, ""), stun("turn1.vendor.com"),
                                turn("turn2.vendor.com", elsewhere, "401")}),
                   controls(anchors()),
                   follow_up({udp_hop("turn1.vendor.com", 3478, "dropped", "turn"),
                              udp_hop("turn1.vendor.com", 3478, "left_site", "rtp")})});
  };
  EXPECT_EQ(codes(made(silent)), Codes{"firewall.stun_filtered (certain)"});
  EXPECT_EQ(diagnose(made(silent)).front().title, "The firewall lets UDP out, but not TURN");
  EXPECT_NE(codes(made(answered)), Codes{"firewall.stun_filtered (certain)"});
}

ProbeResult unanswered_turn(std::string host) {
  auto result = turn(std::move(host), silent, "");
  result.observation.attempts = 4;
  return result;
}

TEST(StunFilter, IsNoneWhereOtherPacketsDieOnThatPortElsewhere) {
  const auto made = [](const std::string& elsewhere, std::vector<ProbeResult> servers) {
    return codes(report({row("turn", std::move(servers)), controls(anchors()),
                         follow_up({udp_hop("turn.vendor.com", 3478, "dropped", "turn"),
                                    udp_hop("turn.vendor.com", 3478, "left_site", "rtp"),
                                    udp_hop("www.google.com", 3478, elsewhere, "rtp")})}));
  };
  const auto one = unanswered_turn("turn.vendor.com"), two = unanswered_turn("turn2.vendor.com");
  EXPECT_EQ(made("left_site", {one, two}), Codes{"firewall.stun_filtered (likely)"});
  EXPECT_EQ(made("dropped", {one, two}).front(), "firewall.flow_blocked (possible)");
  EXPECT_EQ(made("left_site", {one}), Codes{"firewall.stun_filtered (possible)"})
      << "the server may be out of order, and the packet lost by chance";
}

// What turns STUN away may stand beyond the router that saw other packets, and turn them away, too.
TEST(StunFilter, NeedsAnotherPacketThatPassedWhoTurnsItAway) {
  const auto made = [](const std::string& device) {
    auto hop = udp_hop("turn.vendor.com", 3478, "left_site", "rtp");
    hop.observation.evidence.back().facts[Fact::by] = std::string("100.72.10.1");
    return report({row("turn", {rejected_by(turn("turn.vendor.com", silent, ""), device),
                                rejected_by(turn("turn2.vendor.com", silent, ""), device),
                                turn_tls("turn.vendor.com")}),
                   controls(anchors()), follow_up({hop})});
  };
  EXPECT_EQ(codes(made("192.168.1.1")), Codes{"firewall.stun_filtered (certain)"});
  EXPECT_EQ(codes(made("62.4.8.2")), Codes{"firewall.stun_filtered (possible)"});
}

TEST(SipFilter, OfUdpStandsBesideTcpThatWorks) {
  const auto made = [](const std::string& payload) {
    return report({row("sip", {sip("sip.vendor.com", 5060, silent), sip_tcp("sip.vendor.com")}),
                   controls(anchors()),
                   follow_up({udp_hop("sip.vendor.com", 5060, "dropped", "sip"),
                              udp_hop("sip.vendor.com", 5060, "left_site", payload)})});
  };
  EXPECT_EQ(codes(made("rtp")), Codes{"firewall.sip_filtered (certain)"});
  EXPECT_NE(codes(made("sip")), Codes{"firewall.sip_filtered (certain)"});
}

TEST(UdpRange, SaysWhereOnlyStunPasses) {
  const auto made = [](const std::string& result) {
    return report({row("media", {range("20.1.2.3", all_ports("dropped"))}), controls(anchors()),
                   follow_up({udp_hop("20.1.2.3", 10'000, result, "stun"),
                              udp_hop("20.1.2.3", 20'000, result, "stun")})});
  };
  EXPECT_EQ(codes(made("left_site")), Codes{"firewall.media_filtered (certain)"});
  EXPECT_EQ(codes(made("dropped")), Codes{"firewall.udp_range_blocked (likely)"});
}

// That something refuses on another port is no proof that the host is reached.
TEST(Flows, AreHeldAgainstWhatAnswers) {
  const auto made = [](Outcome other) {
    return diagnose(report({row("turn", {turn("turn.vendor.com", silent, "")}), controls(anchors()),
                            follow_up({udp_hop("turn.vendor.com", 3478, "dropped", "turn"),
                                       udp_hop("turn.vendor.com", 3478, "dropped", "rtp"),
                                       stun("turn.vendor.com", 3479, other)})}));
  };
  const auto speaks_of_it = [](const std::vector<Finding>& found) {
    return std::any_of(found.begin(), found.end(), [](const Finding& finding) {
      return has_evidence(finding, "Port 3479 of turn.vendor.com");
    });
  };
  EXPECT_TRUE(speaks_of_it(made(answered)));
  EXPECT_FALSE(speaks_of_it(made(refused)));
}

// --- only the proxy ---

// That TCP gets out only through the proxy says nothing of UDP, which nobody measured.
TEST(ProxyRequired, SaysNothingOfUdpByTcpAlone) {
  const auto made = [](const std::string& udp) {
    return report(
        {row("web", {tls("www.vendor.com", silent, "timed_out"), proxied(tls("www.vendor.com"))}),
         row("sip", {sip_tls("sip.vendor.com", silent, "timed_out")}),
         row("media", {range("20.1.2.3", all_ports(udp))}),
         controls({tls("www.google.com", silent, "timed_out")})});
  };
  const auto explains_media = [](const Finding& finding) {
    return std::count(finding.explains.begin(), finding.explains.end(), "vendor/media") > 0;
  };
  const auto title = [&](const std::string& udp) { return diagnose(made(udp)).front().title; };
  EXPECT_EQ(codes(made("silent")).front(), "proxy.required (certain)");
  EXPECT_FALSE(explains_media(diagnose(made("silent")).front()));
  EXPECT_EQ(title("silent"), "This site lets TCP out only through the proxy");
  EXPECT_TRUE(explains_media(diagnose(made("dropped")).front()));
  EXPECT_EQ(title("dropped"), "This site lets traffic out only through the proxy");
}

// Where connections are explicitly refused, a packet that simply vanished met something else.
TEST(ProxyRequired, ExplainsSilenceOnlyWherePacketsVanish) {
  const auto speaks_of_it = [](const std::string& device, Outcome web) {
    const auto seen = [](ProbeResult result, const std::string& by) {
      return by.empty() ? result : rejected_by(std::move(result), by);
    };
    const auto found = diagnose(report(
        {row("web", {seen(tls("www.vendor.com", web, "timed_out"), web == silent ? "" : device),
                     proxied(tls("www.vendor.com"))}),
         row("sip", {seen(tcp("sip.vendor.com", 5060, silent), device)}),
         row("calls", {tcp_hop("52.129.96.1", 5062, "silent")}),
         controls({seen(tls("www.google.com", silent, "timed_out"), device)})}));
    EXPECT_EQ(found.front().code, FindingCode::proxy_required);
    return has_evidence(found.front(), "52.129.96.1:5062");
  };
  EXPECT_FALSE(speaks_of_it("10.20.0.1", rejected));
  EXPECT_FALSE(speaks_of_it("10.20.0.1", silent)) << "one device speaks, and another does not";
  EXPECT_TRUE(speaks_of_it("", silent));
}

// Ports that no proxy is for do not prove it: the web's own were not tried.
TEST(ProxyRequired, IsNotCertainWhereTheWebWasNotTried) {
  const auto made = [](std::uint16_t port) {
    return codes(report({row("sip", {tcp("sip.vendor.com", 5060, silent),
                                     tcp("sip.vendor.com", port, silent),
                                     tcp("sip.other.net", 5060, silent)}),
                         row("web", {proxied(tls("www.vendor.com"))})}))
        .front();
  };
  EXPECT_EQ(made(443), "proxy.required (certain)");
  EXPECT_EQ(made(5061), "proxy.required (possible)");
}

// A server that refuses got the packet: that port is let out, as far as is known.
TEST(ProxyRequired, LeavesOutThePortThatAServerRefuses) {
  const auto speaks_of_it = [](Outcome spare) {
    const auto found = diagnose(report(
        {row("web", {tls("www.vendor.com", silent, "timed_out"), proxied(tls("www.vendor.com"))}),
         row("sip", {sip_tls("sip.vendor.com", silent, "timed_out")}),
         row("old", {tcp_hop("52.129.96.1", 80, "silent")}),
         controls({tcp("www.other.net", 80, spare)})}));
    EXPECT_EQ(found.front().code, FindingCode::proxy_required);
    return has_evidence(found.front(), "52.129.96.1:80");
  };
  EXPECT_FALSE(speaks_of_it(refused));
  EXPECT_TRUE(speaks_of_it(silent));
}

// --- the way out ---

// A device turns everybody away, and yet a router beyond it saw some packets.
TEST(UdpBlocked, IsNoneWhereSomeIsSeenBehindTheDevice) {
  const auto made = [](std::int64_t seen_at, bool device_is_seen = false, bool climbed = false,
                       const std::string& router = "130.60.40.1") {
    const auto at_ttl = [](ProbeResult hop, std::int64_t ttl, const std::string& by) {
      auto& facts = hop.observation.evidence.back().facts;
      facts[Fact::ttl] = ttl;
      facts[Fact::by] = by;
      return hop;
    };
    const std::string device = "130.60.1.1";
    auto run =
        report({row("media", {range("20.1.2.3", {{3478, "prohibited", device}}, {3478, 3478})}),
                controls({tls("www.google.com"), tls("www.cloudflare.com"),
                          rejected_by(stun("stun.l.google.com", 19302), device),
                          rejected_by(ntp("pool.ntp.org"), device)}),
                follow_up({at_ttl(udp_hop("20.1.2.3", 3478, "prohibited", "stun"), 2, device),
                           at_ttl(udp_hop("20.1.2.3", 443, "left_site"), seen_at, router)})});
    // A connection request ends by its TTL at the device itself.
    if (device_is_seen) {
      run.probes.push_back(at_ttl(tcp_hop("20.1.2.3", 443, "left_site"), 2, device));
      run.probes.back().probe.purpose = Purpose::way_out;
    }
    // A climb to the media port was first turned away in the second place.
    if (climbed) run.probes.front().observation.evidence.front().facts[Fact::ttl] = std::int64_t{2};
    run.site.interfaces = {{"eth0", {IpAddress::v4({130, 60, 1, 23})}, true}};
    return codes(run).front();
  };
  // It may stand before the device, or beyond it: one port got farther, and not all UDP is shut.
  for (const std::int64_t seen_at : {1, 2})
    EXPECT_EQ(made(seen_at), "firewall.udp_port_blocked (certain)") << seen_at;
  EXPECT_EQ(made(1, true), "firewall.udp_blocked (certain)") << "known to be nearer";
  EXPECT_EQ(made(2, true), "firewall.udp_port_blocked (certain)");
  EXPECT_EQ(made(1, false, true), "firewall.udp_blocked (certain)")
      << "another router stands there";
  EXPECT_EQ(made(2, true, false, "130.60.1.1"), "firewall.udp_blocked (certain)")
      << "the device counts hops before it looks at its rules";
  EXPECT_EQ(made(2, false, true), "firewall.udp_port_blocked (certain)");
}

// TCP 3478 is turned away as well, and other TCP ports get out: it may be a list of what may pass,
// for both. But a packet to a port of that list died over UDP.
TEST(UdpBlocked, IsNamedBesideAClosedTcpPort) {
  const std::string device = "10.20.0.1";
  const auto run = report(
      {row("stun", {stun("stun.vendor.com", 3478, silent), turn("turn.vendor.com", silent, "")}),
       row("stun-tcp", {rejected_by(tcp("stun.vendor.com", 3478), device),
                        rejected_by(tcp("turn.vendor.com", 3478), device)}),
       row("media",
           {range("20.1.2.3", all_ports("dropped")),
            range("99.1.2.3", {{1, "dropped"}, {10'000, "prohibited", device}, {65'535, "dropped"}},
                  {1, 65'535})}),
       controls({tls("www.google.com"), tls("www.cloudflare.com"),
                 stun("stun.l.google.com", 19302, silent),
                 stun("stun.cloudflare.com", 3478, silent),
                 rejected_by(ntp("time.cloudflare.com"), device), ntp("pool.ntp.org", silent)}),
       follow_up({udp_hop("stun.vendor.com", 443, "dropped"),
                  udp_hop("stun.vendor.com", 50'000, "dropped"),
                  tcp_hop("www.vendor.com", 5061, "left_site"),
                  tcp_hop("www.vendor.com", 5222, "left_site"),
                  tcp_hop("www.vendor.com", 8443, "left_site")})});
  EXPECT_EQ(codes(run),
            (Codes{"firewall.udp_blocked (certain)", "firewall.tcp_port_blocked (certain)"}));
}

// A device refuses everybody, but says so at most once a second: what it was silent about did not
// pass. All three packets that were answered were refused by it.
TEST(UdpBlocked, IsCertainWhereTheDeviceRationsItsRefusals) {
  const std::string device = "10.20.0.1";
  const auto made = [&](const char* before_the_edge) {
    return codes(report({row("sip", {rejected_by(sip("sip.vendor.com"), device)}),
                         row("sip-5080", {sip("sip2.vendor.com", 5080, silent)}),
                         row("media", {range("20.1.2.3", all_ports(before_the_edge))}),
                         controls({tls("www.google.com"), tls("www.cloudflare.com"),
                                   rejected_by(stun("stun.l.google.com", 19302), device),
                                   rejected_by(ntp("pool.ntp.org"), device)})}));
  };
  EXPECT_EQ(made("dropped"), Codes{"firewall.udp_blocked (certain)"});
  EXPECT_EQ(made("silent").front(), "firewall.udp_blocked (certain)");
}

// On the port of DNS the vendor's server answers and strangers' do not: there is a list, and
// strangers tell nothing of UDP.
TEST(UdpBlocked, IsNotToldByStrangersWhereAListIsSeenOnThePortOfDns) {
  const auto made = [](Outcome strangers) {
    return codes(
        report({row("stun", {stun("turn.vendor.com", 3478, silent)}),
                row("stun-53", {stun("turn.vendor.com", 53)}), row("web", {tls("www.vendor.com")}),
                controls({tls("www.google.com"), tls("www.cloudflare.com"),
                          stun("stun.l.google.com", 19302, silent), ntp("pool.ntp.org", silent),
                          stun("stun.cloudflare.com", 53, strangers)})}));
  };
  EXPECT_EQ(made(silent), Codes{"firewall.flow_blocked (possible)"});
  EXPECT_EQ(made(answered), Codes{"firewall.udp_blocked (likely)"});
}

// --- the way back ---

// Media is seen far out, and public servers no further than one router: there may be a list.
TEST(UdpBlocked, IsNotLikelyWhereOthersMayBeStoppedOnTheWay) {
  const auto made = [](const std::string& climbed_to) {
    const auto seen = [](ProbeResult hop, const std::string& router, bool with_control) {
      hop.observation.evidence.back().facts[Fact::by] = router;
      if (with_control) hop.probe.with["control"] = "20.1.1.1:443";
      return hop;
    };
    return report(
        {row("media", {range("20.1.2.3", all_ports("left_site", "62.4.8.9"))}),
         row("other", {range("20.1.2.3", {{3478, "silent"}}, {3478, 3478})}),
         controls({tls("www.google.com"), tls("www.cloudflare.com"),
                   stun("stun.l.google.com", 19302, silent),
                   stun("stun.cloudflare.com", 3478, silent), ntp("pool.ntp.org", silent)}),
         follow_up(
             {seen(udp_hop("stun.l.google.com", 19302, "left_site", "stun"), "84.199.10.1", true),
              seen(udp_hop("stun.cloudflare.com", 3478, "left_site", "stun"), "84.199.10.1", true),
              seen(at(udp_hop("stun.cloudflare.com", 3478, "left_site", "stun"), "151.188.1.9"),
                   climbed_to, false)})});
  };
  EXPECT_EQ(codes(made("84.199.10.1")), Codes{"firewall.udp_blocked (possible)"});
  EXPECT_EQ(codes(made("151.188.1.1")), Codes{"firewall.udp_blocked (likely)"});
}

// Connections that a nearby device takes say nothing of what gets out to others.
TEST(UdpBlocked, IsNotLikelyByConnectionsThatStandAndSayNothing) {
  auto at_its_door = at(udp_hop("stun.l.google.com", 19302, "left_site", "stun"), "20.5.5.9");
  at_its_door.observation.evidence.back().facts[Fact::by] = "20.5.5.1";
  const auto made = [&](Outcome outcome, const std::string& detail) {
    return report({row("media", {range("20.1.2.3", all_ports("silent"))}),
                   row("turn", {range("20.1.2.3", {{3478, "left_site"}}, {3478, 3478})}),
                   controls({tls("www.google.com", outcome, detail),
                             tls("www.cloudflare.com", outcome, detail),
                             stun("stun.l.google.com", 19302, silent), ntp("pool.ntp.org", silent),
                             stun("stun.cloudflare.com", 3478, silent)}),
                   follow_up({at_its_door})});
  };
  EXPECT_EQ(codes(made(answered, "trusted")), Codes{"firewall.udp_blocked (likely)"});
  for (const auto& code : codes(made(failed, "tls_timed_out")))
    EXPECT_NE(code, "firewall.udp_blocked (likely)");
}

TEST(UdpBlocked, WhereNoReplyComesBack) {
  const auto made = [](Outcome other) {
    return report({row("turn", {turn("turn.vendor.com", silent, "")}), controls(without_udp(other)),
                   follow_up({udp_hop("turn.vendor.com", 3478, "left_site", "turn")})});
  };
  EXPECT_EQ(codes(made(silent)), Codes{"firewall.udp_blocked (likely)"});
  EXPECT_NE(diagnose(made(silent)).front().title.find("replies"), std::string::npos);
  EXPECT_EQ(codes(made(answered)), Codes{"firewall.flow_blocked (possible)"}) << "or it is down";
}

// A public server that is down refuses from beyond the site: errors get in where replies do not.
TEST(UdpBlocked, WhereNoReplyComesBackAlsoBesideAServerThatIsDown) {
  auto refused_beyond = stun("stun.cloudflare.com", 3478, refused);
  auto& seen = refused_beyond.observation;
  seen.detail = DetailCode::connection_refused;
  seen.evidence = {{EvidenceKind::icmp_error, "", {{Fact::sender, seen.address->to_string()}}},
                   {EvidenceKind::refuser, "", {{Fact::who, std::string("beyond")}}}};
  const auto site =
      report({row("turn", {turn("turn.vendor.com", silent, "")}),
              controls({tls("www.google.com"), tls("www.cloudflare.com"), refused_beyond,
                        stun("stun.l.google.com", 19302, silent),
                        ntp("time.cloudflare.com", silent), ntp("pool.ntp.org", silent)}),
              follow_up({udp_hop("turn.vendor.com", 3478, "left_site", "turn")})});
  EXPECT_EQ(diagnose(site).front().title, "The firewall blocks UDP replies from port 3478 up");
}

// Nothing is known of ports below the lowest one that gets no reply: what fails there has another
// cause.
TEST(UdpBlocked, SaysFromWhichPortUpNoReplyComesBack) {
  const auto made = [](const std::string& ntp_leaves) {
    return diagnose(
        report({row("turn", {turn("turn.vendor.com", silent, "")}), controls(without_udp()),
                follow_up({udp_hop("turn.vendor.com", 3478, "left_site", "turn"),
                           udp_hop("pool.ntp.org", 123, ntp_leaves, "rtp")})}));
  };
  const auto all = made("left_site").front();
  EXPECT_EQ(all.title, "The firewall blocks all UDP replies");
  const auto high = made("silent").front();
  EXPECT_EQ(high.title, "The firewall blocks UDP replies from port 3478 up");
  EXPECT_EQ(high.explains, Codes{"vendor/turn"});
}

// A call is offered over TLS on port 443, and its media goes to another port.
TEST(UdpBlocked, WithoutRepliesFromAPortUpExplainsCallsToSuchPorts) {
  const auto made = [](std::int64_t far_port) {
    auto call = probe(CheckKind::ice, Transport::tls, "call.vendor.com", 443, failed, "ice_silent");
    Evidence answer;
    answer.kind = EvidenceKind::call_answer;
    answer.facts = {{Fact::far_address, std::string("192.0.2.1")}, {Fact::far_port, far_port}};
    call.observation.evidence.push_back(answer);
    return diagnose(report({row("turn", {turn("turn.vendor.com", silent, "")}),
                            row("web", {tls("www.vendor.com")}), row("call", {call}),
                            controls(without_udp()),
                            follow_up({udp_hop("turn.vendor.com", 3478, "left_site", "turn")})}))
        .front();
  };
  const auto high = made(8622);
  EXPECT_EQ(high.title, "The firewall blocks UDP replies from port 3478 up");
  EXPECT_EQ(high.explains, (Codes{"vendor/turn", "vendor/call"}));
  EXPECT_TRUE(holds(high.fix, "UDP 8622 of 192.0.2.1")) << high.fix;
  EXPECT_EQ(made(2000).explains, Codes{"vendor/turn"});
}

// Where the vendors' packets leave, and others' are dropped, the others' silence is the list's.
TEST(UdpBlocked, IsNotToldByThoseWhoAreOnNoList) {
  const auto made = [](const std::string& others) {
    return codes(
        report({row("turn", {turn("turn.vendor.com", silent, "")}), controls(without_udp()),
                follow_up({udp_hop("turn.vendor.com", 3478, "left_site", "turn"),
                           udp_hop("stun.l.google.com", 19302, others, "stun")})}));
  };
  EXPECT_EQ(made("left_site"), Codes{"firewall.udp_blocked (likely)"});
  EXPECT_NE(made("dropped").front(), "firewall.udp_blocked (likely)");
}

// A server to which SIP was seen to leave, and which answers over a connection, is evidence, too:
// if the routers had no answer for STUN's packets, that does not mean a STUN filter.
TEST(UdpBlocked, WhereNoSipComesBack) {
  const auto made = [](Outcome other) {
    return report({row("turn", {turn("turn.vendor.com", silent, ""), turn_tls("turn.vendor.com")}),
                   row("sip", {sip("sip.vendor.com", 5060, silent, ""), sip_tls("sip.vendor.com")}),
                   controls(without_udp(other)),
                   follow_up({udp_hop("turn.vendor.com", 3478, "silent", "turn"),
                              udp_hop("sip.vendor.com", 5060, "left_site", "sip")})});
  };
  EXPECT_EQ(codes(made(silent)), Codes{"firewall.udp_blocked (likely)"});
  EXPECT_EQ(codes(made(answered)).front(), "firewall.udp_port_blocked (likely)");
}

// Two ports may each be shut, and where answers come late new flows may be limited.
TEST(UdpBlocked, IsOnlyPossibleWhereFewTell) {
  const auto made = [](std::uint16_t port, int attempts) {
    auto quad9 = question("www.google.com", "NOERROR", "9.9.9.9");
    quad9.observation.attempts = attempts;
    auto soon = tls("www.cloudflare.com");
    soon.observation.round_trip = Milliseconds(20);
    return codes(
        report({row("turn", {turn("turn.vendor.com", silent, "")}),
                controls({tls("www.google.com"), soon, quad9, stun("stun.other.net", port, silent),
                          stun("stun.third.org", port, silent), ntp("time.third.org", silent),
                          ntp("pool.ntp.org", silent)}),
                follow_up({udp_hop("turn.vendor.com", 3478, "left_site", "turn")})}));
  };
  EXPECT_EQ(made(19302, 1), Codes{"firewall.udp_blocked (likely)"});
  EXPECT_EQ(made(3478, 1).front(), "firewall.udp_blocked (possible)") << "two ports";
  EXPECT_EQ(made(19302, 5).front(), "firewall.udp_blocked (possible)") << "new flows";
}

TEST(UdpRanges, OfOneSilentOperatorAreSaidOfIt) {
  const auto made = [](const std::string& alive) {
    return codes(report({row("media", {range("media1.vendor.com", all_ports("dropped")),
                                       range("media2.vendor.com", all_ports("dropped"))}),
                         spare("others", {range("media.other.net",
                                                {{13'000, "left_site"}, {15'000, "left_site"}})}),
                         spare("web", {tls("www.other.net"), tls(alive)}), controls(anchors())}));
  };
  EXPECT_EQ(made("www.vendor.com"), Codes{"firewall.udp_range_blocked (likely)"});
  EXPECT_EQ(made("media1.vendor.com").front(), "firewall.udp_range_blocked (likely)");
}

TEST(Flows, LostBeyondTheSiteAreNotItsFault) {
  const auto made = [](const std::string& hop) {
    return report({row("sip", {sip_tls("sip.vendor.com", silent)}), controls(anchors()),
                   follow_up({tcp_hop("sip.vendor.com", 5061, hop), tcp("sip.vendor.com", 443)})});
  };
  EXPECT_EQ(codes(made("left_site")), Codes{"firewall.flow_blocked (possible)"});
  EXPECT_EQ(diagnose(made("left_site")).front().owner, Owner::vendor);
  const auto other = diagnose(made("left_site")).front().runner_up;
  ASSERT_TRUE(other);
  EXPECT_EQ(other->cause.string(), "packets that get lost by chance");
  EXPECT_TRUE(other->tells.string().starts_with("To find out, run this again at a quiet time"));
  const auto wider = diagnose(made("dropped")).front().runner_up;
  ASSERT_TRUE(wider);
  EXPECT_EQ(wider->cause.string(), "a firewall rule against TCP 5061 to any destination");
  EXPECT_EQ(codes(made("dropped")), Codes{"firewall.flow_blocked (likely)"});
  EXPECT_EQ(diagnose(made("dropped")).front().owner, Owner::network);
}

// Two operators' servers in one network: nothing is known of other destinations.
TEST(Flows, LostBeyondTheSiteInOneNetworkSayNothingOfOthers) {
  const auto made = [](const std::string& other) {
    const auto lost = [](std::string host, const std::string& address) {
      return at(turn(std::move(host), silent, ""), address);
    };
    const auto hop = [](std::string host, const std::string& address) {
      return at(udp_hop(std::move(host), 3478, "left_site", "turn"), address);
    };
    const auto found = diagnose(
        report({row("turn", {lost("turn.vendor.com", "20.1.2.3"), lost("turn.other.net", other)}),
                row("tls", {at(turn_tls("turn.vendor.com"), "20.1.2.3"),
                            at(turn_tls("turn.other.net"), other)}),
                controls({tls("www.google.com"), tls("www.cloudflare.com"),
                          at(stun("stun.cloudflare.com", 3478, silent), other),
                          stun("stun.l.google.com", 19302), ntp("pool.ntp.org")}),
                follow_up({hop("turn.vendor.com", "20.1.2.3"), hop("turn.other.net", other)})}));
    return std::any_of(found.begin(), found.end(), [](const Finding& finding) {
      return finding.code == FindingCode::firewall_udp_port_blocked;
    });
  };
  EXPECT_TRUE(made("20.7.7.7"));
  EXPECT_FALSE(made("20.1.2.9"));
}

// Two operators are not down at once, on one port whose hosts are alive.
TEST(Flows, LostOfTwoOperatorsAreLostAtTheProvider) {
  const auto made = [](const std::string& other, Outcome alive) {
    return report(
        {row("sip", {sip_tls("sip.vendor.com", silent), sip_tls("sip.other.net", silent)}),
         controls(anchors()),
         follow_up({tcp_hop("sip.vendor.com", 5061, "left_site"), tcp("sip.vendor.com", 443),
                    tcp_hop("sip.other.net", 5061, other), tcp("sip.other.net", 443, alive)})});
  };
  const auto found = made("left_site", connected);
  EXPECT_EQ(codes(found), Codes{"firewall.tcp_port_blocked (likely)"});
  EXPECT_EQ(diagnose(found).front().owner, Owner::provider);
  EXPECT_NE(diagnose(found).front().fix.find("Internet provider"), std::string::npos);
  // The router outside had no answer left for the second host.
  EXPECT_EQ(codes(made("silent", connected)), Codes{"firewall.tcp_port_blocked (likely)"});
  // Nothing else is known of the other: it may be down, and would have to be just now.
  EXPECT_EQ(codes(made("left_site", silent)), Codes{"firewall.tcp_port_blocked (likely)"});
}

TEST(Device, BeyondTheSiteIsTheProviders) {
  const auto made = [](std::string device) {
    auto one = rejected_by(sip_tls("sip.vendor.com"), device);
    auto other = rejected_by(sip_tls("sip.other.net"), device);
    return diagnose(report({row("sip", {one, other}), controls(anchors())})).front().fix;
  };
  EXPECT_NE(made("84.199.10.1").find("provider"), std::string::npos);
  EXPECT_EQ(made("10.20.0.1").find("provider"), std::string::npos);
}

// --- SIP on another port ---

TEST(SipAlg, IsPossibleWhereOnlyAnotherPortAnswers) {
  const auto made = [](Outcome other) {
    return report({row("sip", {sip("sip.vendor.com", 5060, silent), sip_tcp("sip.vendor.com")}),
                   controls(anchors()),
                   follow_up({sip("sip.vendor.com", 5080, other),
                              udp_hop("sip.vendor.com", 5060, "left_site", "sip")})});
  };
  EXPECT_EQ(codes(made(answered)), Codes{"sip.alg (possible)"});
  EXPECT_EQ(codes(made(silent)), Codes{});
}

// --- rows that ask for DNS itself ---

TEST(DnsUnreachable, ExplainsTheRowThatAsksForDns) {
  const auto lost = [](const char* host) {
    return probe(CheckKind::tls, Transport::tls, host, 443, unresolved, "dns_unreachable");
  };
  const auto found = diagnose(
      report({row("web", {lost("portal.vendor.com"), lost("www.vendor.com")}),
              row("dns", {probe(CheckKind::dns, Transport::tcp, "www.vendor.com", 53, silent)}),
              controls({lost("www.google.com")}), follow_up({tcp("9.9.9.9", 443)})}));
  ASSERT_EQ(codes(found), Codes{"dns.unreachable (certain)"});
  EXPECT_EQ(found.front().explains, (std::vector<std::string>{"vendor/web", "vendor/dns"}));
}

// --- a name that the site's resolver keeps silent about ---

Report kept_silent(double others_took_ms, bool asked_again) {
  auto other = tls("www.google.com");
  other.observation.timing_ms[Timing::dns] = others_took_ms;
  std::vector<ProbeResult> more{question("portal.vendor.com", "NOERROR", "9.9.9.9")};
  if (asked_again) {
    auto again =
        probe(CheckKind::dns, Transport::udp, "portal.vendor.com", 53, silent, "timed_out");
    const auto text = fmt::format("{}:53 did not answer", lan_resolver);
    more.push_back(with(again, {EvidenceKind::dns_no_answer, text, {}}));
  }
  auto lost = probe(CheckKind::tls, Transport::tls, "portal.vendor.com", 443, unresolved,
                    "dns_unreachable");
  return report({row("web", {lost}), controls({other, tls("www.cloudflare.com")}),
                 follow_up(std::move(more))});
}

TEST(DnsFilter, MayBeSilence) {
  EXPECT_EQ(codes(kept_silent(3, true)), Codes{"dns.unreachable (likely)"})
      << "a filter that drops the question, or the way to the name's own servers";
  EXPECT_EQ(codes(kept_silent(3, false)), Codes{}) << "one question may be lost";
  EXPECT_EQ(codes(kept_silent(1'500, true)), Codes{}) << "a resolver that loses questions";
  auto lossy = kept_silent(3, true);
  auto late =
      probe(CheckKind::tls, Transport::tls, "www.example.org", 443, unresolved, "dns_unreachable");
  for (auto& result : {late, question("www.example.org", "NOERROR")}) {
    lossy.probes.push_back(result);
    lossy.probes.back().probe.purpose = Purpose::control;
    lossy.probes.back().probe.id = probe_id(result.probe);
  }
  EXPECT_EQ(codes(lossy), Codes{}) << "another name was found the second time";
}

TEST(DnsFilter, SilenceIsThatOfTheOwnersOtherNamesToo) {
  auto made = kept_silent(3, true);
  for (const auto* host : {"files.vendor.com", "www.other.net"}) {
    auto lost = probe(CheckKind::tls, Transport::tls, host, 443, unresolved, "dns_unreachable");
    lost.probe.id = probe_id(lost.probe);
    made.sets.front().requirements.front().probes.push_back(lost.probe.id);
    made.probes.push_back(lost);
  }
  EXPECT_EQ(diagnose(made).front().title,
            "This site's DNS does not answer queries for portal.vendor.com and files.vendor.com")
      << "of the other owner nothing is known";
}

// --- a device that refuses in the server's name ---

ProbeResult refused_by(ProbeResult result, std::string who) {
  result = with(
      result,
      {EvidenceKind::icmp_error, "port unreachable", {{Fact::sender, std::string("20.1.2.3")}}});
  return with(result, {EvidenceKind::refuser,
                       "who refused",
                       {{Fact::who, std::move(who)}, {Fact::by, std::string("10.20.0.1")}}});
}

TEST(ForgedRefusal, StandsForOtherServersOnThatPort) {
  const auto made = [](std::string others) {
    return report({row("turn", {refused_by(turn("turn.vendor.com", rejected), "on_the_way"),
                                refused_by(turn("turn.other.net", refused), std::move(others))}),
                   row("turn-tls", {turn_tls("turn.vendor.com"), turn_tls("turn.other.net")}),
                   follow_up({stun("stun.l.google.com", 19302)}),
                   controls({tls("www.google.com"), tls("www.cloudflare.com")})});
  };
  EXPECT_EQ(codes(made("not_measured")), Codes{"firewall.udp_port_blocked (certain)"});
  EXPECT_NE(codes(made("beyond")), Codes{"firewall.udp_port_blocked (certain)"});
}

TEST(ForgedRefusal, StandsForAllThatIsRefusedOnThatPort) {
  const auto made = [](std::string others) {
    auto nat = stun("turn.vendor.com", 3478, refused);
    nat.probe.check = CheckKind::nat;
    return report(
        {row("turn", {refused_by(turn("turn.vendor.com", rejected), "on_the_way"),
                      refused_by(turn("turn.other.net", rejected), "on_the_way")}),
         row("turn-tls", {turn_tls("turn.vendor.com"), turn_tls("turn.other.net")}),
         follow_up({refused_by(nat, std::move(others)), stun("stun.l.google.com", 19302)}),
         controls({tls("www.google.com"), tls("www.cloudflare.com")})});
  };
  EXPECT_EQ(codes(made("not_measured")), Codes{"firewall.udp_port_blocked (certain)"});
  // The server itself is known to have refused another packet: the port is open, to some.
  EXPECT_NE(codes(made("beyond")), Codes{"firewall.udp_port_blocked (certain)"});
}

// --- packets that take too long ---

Finding slow_media(double server_ms, std::optional<double> anchor_ms,
                   const std::string& anchor_host = "www.google.com") {
  // The media row itself has no reply to time; signaling to the same host has.
  auto server = sip_tls("media.vendor.com");
  server.observation.round_trip = Milliseconds(server_ms);
  auto anchor = tls(anchor_host);
  if (anchor_ms) anchor.observation.round_trip = Milliseconds(*anchor_ms);
  auto made = report({row("media", {stun("media.vendor.com", 30000, passed)}), row("sip", {server}),
                      controls({anchor})});
  auto& slow = made.sets.front().requirements.front();
  slow.status = Status::warn;
  slow.poor = true;
  slow.summary = "reached; about 170 ms one way";
  const auto findings = diagnose(made);
  EXPECT_EQ(findings.size(), 1u);
  return findings.empty() ? Finding() : findings.front();
}

TEST(MediaDelay, IsTheLinesOrTheServers) {
  const auto line = slow_media(340, 330);
  EXPECT_EQ(line.code, FindingCode::media_delay);
  EXPECT_EQ(line.owner, Owner::provider);
  EXPECT_EQ(line.confidence, Confidence::likely);
  EXPECT_EQ(line.explains, std::vector<std::string>{"vendor/media"});
  const auto far = slow_media(340, 20);
  EXPECT_EQ(far.owner, Owner::vendor);
  EXPECT_EQ(far.confidence, Confidence::likely);
}

TEST(MediaDelay, IsNobodysInParticularWithoutAnythingToCompareWith) {
  const auto alone = slow_media(340, std::nullopt);
  EXPECT_EQ(alone.confidence, Confidence::possible);
  EXPECT_EQ(alone.title.find("far away"), std::string::npos) << alone.title;
  EXPECT_NE(alone.fix.find("If those are as slow"), std::string::npos) << alone.fix;
  // The second round's questions to the vendor's own hosts are no comparison.
  EXPECT_EQ(slow_media(340, 20, "media.vendor.com").confidence, Confidence::possible);
}

// --- how long a binding lives ---

TEST(IdleTimeout, IsSaidOfShortLivesOnly) {
  const auto made = [](std::string life, std::string mapping) {
    auto seen =
        with(stun("stun.vendor.com"),
             {EvidenceKind::nat_mapping, "the mapping", {{Fact::value, std::move(mapping)}}});
    seen.probe.check = CheckKind::nat;
    seen = with(seen,
                {EvidenceKind::nat_lifetime, "an idle binding", {{Fact::value, std::move(life)}}});
    seen = with(seen, {EvidenceKind::nat_translations,
                       "two routers translate",
                       {{Fact::value, std::string("two")}}});
    return codes(report({recommended("nat", {seen}), controls(anchors())}));
  };
  for (const auto* life : {"<10", "20-30"}) {
    EXPECT_EQ(made(life, "endpoint_independent"), Codes{"firewall.idle_timeout (certain)"}) << life;
  }
  for (const auto* life : {">180", "90-120", "not_measured", "", "-", "<"}) {
    EXPECT_EQ(made(life, "endpoint_independent"), Codes{}) << life;
  }
  EXPECT_EQ(made(">180", "not_measured"), Codes{"nat.double (possible)"});
}

// --- a device that took offence ---

Report shut_out(Outcome again, bool line_is_up) {
  auto second = later(tcp("www.google.com", 443, again), 9);
  auto other = later(tcp("www.cloudflare.com", 443, again), 9);
  for (auto* result : {&second, &other}) result->probe.with["again"] = "true";
  std::vector<ProbeResult> more{second, other};
  if (line_is_up) more.push_back(later(question("example.com", "NOERROR"), 9));
  return report({row("sip", {sip_tcp("sip.vendor.com", 5060, silent),
                             sip_tls("sip.vendor.com", silent), turn("turn.vendor.com", silent)}),
                 controls({tls("www.google.com"), tls("www.cloudflare.com")}),
                 follow_up(std::move(more))});
}

TEST(RateLimit, ExplainsWhatWasCutOffInTheMiddle) {
  auto made = shut_out(silent, true);
  for (auto& result : made.probes) {
    const bool tls_sip = result.probe.check == CheckKind::sip && result.probe.target.port() == 5061;
    if (!tls_sip) continue;
    result.observation.outcome = failed;
    result.observation.detail = DetailCode::tls_timed_out;
    result.observation.timing_ms[Timing::connect] = 20;
  }
  const auto findings = diagnose(made);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings.front().code, FindingCode::firewall_rate_limited);
  EXPECT_EQ(findings.front().explains, std::vector<std::string>{"vendor/sip"});
}

TEST(RateLimit, IsWhatAnsweredAndDoesNotAnyMore) {
  EXPECT_EQ(codes(shut_out(silent, true)), Codes{"firewall.rate_limited (certain)"});
  EXPECT_EQ(codes(shut_out(silent, false)), Codes{"firewall.rate_limited (likely)"});
  const auto finding = diagnose(shut_out(silent, true)).front();
  EXPECT_NE(finding.fix.find("10.20.0.23"), std::string::npos) << finding.fix;
  EXPECT_EQ(finding.evidence.front().text,
            "www.cloudflare.com, TCP 443, answered, but not 9 s later.");
}

// Everything is shut out, and the pages known by heart are no longer their own.
TEST(RateLimit, IsNoneWhereASignInEnded) {
  auto made = shut_out(silent, true);
  std::vector<ProbeResult> late;
  for (const auto* host : {"captive.apple.com", "www.msftncsi.com"}) {
    for (const bool own : {true, false}) {
      auto page = probe(CheckKind::http, Transport::tcp, host, 80, own ? answered : failed,
                        own ? "200" : "unexpected_body");
      page.probe.with["body"] = "Success";
      if (!own) {
        page.probe.with["again"] = "true";
        page = later(std::move(page), 10);
      }
      page.probe.purpose = own ? Purpose::control : Purpose::repeat;
      page.probe.id = probe_id(page.probe);
      Evidence reply{EvidenceKind::http_reply, "HTTP", {{Fact::body_matches, own}}};
      if (!own) reply.facts[Fact::redirect_host] = std::string("login.hotel.example");
      made.probes.push_back(with(std::move(page), std::move(reply)));
    }
  }
  EXPECT_EQ(codes(made), Codes{"network.captive_portal (certain)"});
  const auto finding = diagnose(made).front();
  EXPECT_EQ(finding.title, "The sign-in to this network ended during this test (captive portal)");
  EXPECT_EQ(finding.explains, std::vector<std::string>{"vendor/sip"});
}

// The site's name servers, too: then it is the line that went down, as far as anybody knows.
TEST(RateLimit, MayBeTheLine) {
  auto made = shut_out(silent, true);
  for (auto& one : made.probes) {
    if (one.probe.check != CheckKind::dns) continue;
    one.observation.outcome = silent;
    one.observation.evidence.clear();
  }
  const auto finding = diagnose(made).front();
  EXPECT_EQ(finding.code, FindingCode::firewall_rate_limited);
  EXPECT_EQ(finding.confidence, Confidence::possible);
  EXPECT_EQ(finding.owner, Owner::provider);
  EXPECT_EQ(finding.title, "During this test, everything fell silent");
}

// A resolver that can no longer ask anybody says so at once.
TEST(RateLimit, ShutsOutNoResolver) {
  auto made = shut_out(silent, false);
  auto cut_off = later(question("example.com", "SERVFAIL"), 9);
  cut_off.observation.outcome = failed;
  cut_off.observation.detail = DetailCode::servfail;
  cut_off.probe.purpose = Purpose::control;
  cut_off.probe.id = probe_id(cut_off.probe);
  made.probes.push_back(std::move(cut_off));
  const auto finding = diagnose(made).front();
  EXPECT_EQ(finding.confidence, Confidence::possible);
  EXPECT_EQ(finding.title, "During this test, everything fell silent");
}

TEST(RateLimit, AnAnswerFromBeforeSaysNothingOfTheLine) {
  auto made = shut_out(silent, true);
  for (auto& one : made.probes) {
    if (one.probe.check == CheckKind::dns) *one.observation.sent_at -= std::chrono::seconds(5);
  }
  EXPECT_EQ(codes(made), Codes{"firewall.rate_limited (likely)"});
}

TEST(RateLimit, ACertificateThatCameLaterIsAnAnswer) {
  auto made = shut_out(silent, true);
  auto greeted = later(tls("www.example.org", failed, "wrong_name"), 10);
  greeted.probe.purpose = Purpose::control;
  greeted.probe.id = probe_id(greeted.probe);
  made.probes.push_back(std::move(greeted));
  for (const auto& code : codes(made)) {
    EXPECT_FALSE(code.starts_with("firewall.rate_limited")) << code;
  }
}

TEST(RateLimit, NamesThisComputerByIpv6WhereItHasNoIpv4) {
  auto made = shut_out(silent, true);
  made.site.interfaces.front().addresses = {*IpAddress::parse("fe80::23"),
                                            *IpAddress::parse("2001:db8::23")};
  const auto finding = diagnose(made).front();
  EXPECT_TRUE(holds(finding.fix, "Exempt this computer (2001:db8::23)")) << finding.fix;
}

// All that the set asked for had passed before: from here it no longer works all the same.
TEST(RateLimit, LeavesNothingReadyThatPassedBefore) {
  Scene run;
  run.add("sip", {sip_tls("sip.vendor.com")});
  run.add_controls({tls("www.google.com"), tls("www.cloudflare.com")});
  std::vector<ProbeResult> again{tcp("sip.vendor.com", 5061, silent),
                                 tcp("www.google.com", 443, silent),
                                 tcp("www.cloudflare.com", 443, silent)};
  for (auto& result : again) {
    result = later(std::move(result), 9);
    result.probe.with["again"] = "true";
  }
  again.push_back(later(question("example.com", "NOERROR"), 9));
  run.add_controls(std::move(again));
  const auto& set = run.judge();
  EXPECT_EQ(run.found(), std::vector<std::string>{"firewall.rate_limited"});
  EXPECT_EQ(row_of(set, "sip").status, Status::pass);
  EXPECT_EQ(set.verdict, Verdict::degraded);
  ASSERT_EQ(run.report.findings.front().affects.size(), 1u);
  EXPECT_EQ(run.report.findings.front().affects.front().set, "vendor");
}

// Once it drops, no router on the way answers any more, either.
TEST(RateLimit, ExplainsPacketsThatWereToEndOnTheWay) {
  Scene run;
  run.report.probes = shut_out(silent, true).probes;
  run.add("media", {range("media.vendor.com", all_ports("silent"))});
  run.add("media-tcp", {tcp_hop("media.vendor.com", 443, "silent")});
  const auto& set = run.judge();
  EXPECT_EQ(run.found(), std::vector<std::string>{"firewall.rate_limited"});
  for (const auto* row : {"media", "media-tcp"}) {
    EXPECT_EQ(row_of(set, row).status, Status::fail) << row;
  }
}

// A range is one probe, however many of its ports were asked.
TEST(RateLimit, SaysOnceWhatARangeMet) {
  auto made = shut_out(silent, true);
  std::erase_if(made.probes, [](const ProbeResult& one) { return !one.probe.control(); });
  Scene run;
  run.report.probes = std::move(made.probes);
  run.add("media", {range("media.vendor.com", all_ports("silent"))});
  run.judge();
  ASSERT_EQ(run.found(), std::vector<std::string>{"firewall.rate_limited"});
  const auto of_range = [](const FindingEvidence& one) {
    return one.text.starts_with("media.vendor.com");
  };
  EXPECT_EQ(std::ranges::count_if(run.report.findings.front().evidence, of_range), 1);
}

// A limit on new flows lets some connections to one port through, and others not.
TEST(NewFlows, ConnectionsByTurnsLeaveASilentHostPossible) {
  const auto made = [](Outcome first) {
    return report(
        {row("turn", {turn("turn1.vendor.com", silent, "timed_out"), turn("turn2.vendor.com")}),
         controls({tls("www.google.com", first, first == silent ? "timed_out" : "trusted"),
                   tls("www.cloudflare.com"), stun("stun.l.google.com", 19302)}),
         follow_up({tcp("www.google.com", 443), udp_hop("turn1.vendor.com", 443, "dropped"),
                    udp_hop("turn1.vendor.com", 3478, "dropped", "turn"),
                    udp_hop("turn1.vendor.com", 50'000, "dropped")})});
  };
  EXPECT_EQ(codes(made(answered)), Codes{"firewall.destination_blocked (likely)"});
  for (const auto& finding : diagnose(made(silent))) {
    EXPECT_EQ(finding.confidence, Confidence::possible) << finding.title;
  }
}

TEST(RateLimit, IsNoneWhereItStillAnswers) {
  for (const auto& code : codes(shut_out(connected, true))) {
    EXPECT_FALSE(code.starts_with("firewall.rate_limited")) << code;
  }
}

// --- the proxy ---

TEST(Proxy, OneConnectionShowsThatItIsGone) {
  EXPECT_EQ(
      codes(report({row("web", {tls("portal.vendor.com"),
                                proxied(tls("portal.vendor.com"), refused, "proxy_unreachable")}),
                    controls(anchors())})),
      Codes{"proxy.unreachable (certain)"});
}

TEST(Proxy, OpensTlsForEverybodyOrForNone) {
  const auto opened = [](std::string host) {
    auto result = with_root(tls(std::move(host), failed, "untrusted", "CN=Corp CA"), false);
    return at(proxied(std::move(result), failed, "untrusted"), "10.20.0.3");
  };
  const auto made = [&](ProbeResult contrast) {
    return report({row("web", {opened("portal.vendor.com")}), controls(anchors()),
                   follow_up({std::move(contrast)})});
  };
  EXPECT_EQ(codes(made(opened("www.google.com"))), Codes{"tls.intercepted (certain)"});
  EXPECT_EQ(codes(made(proxied(tls("www.google.com")))), Codes{"tls.untrusted (likely)"});
}

// --- what nobody misses ---

TEST(Outdated, IsNotSaidOfANameThatNobodyMisses) {
  auto gone = tls("old.vendor.com", unresolved, "no_such_name");
  gone.observation.address.reset();
  const auto made = [&](Row row) {
    return report({std::move(row), controls(anchors()),
                   follow_up({question("old.vendor.com", "NXDOMAIN", "9.9.9.9")})});
  };
  EXPECT_EQ(codes(made(row("web", {gone, tls("portal.vendor.com")}))),
            Codes{"target.outdated (likely)"});
  EXPECT_EQ(codes(made(spare("web", {gone, tls("portal.vendor.com")}))), Codes{});
}

}  // namespace
}  // namespace callready::neighbours_test
