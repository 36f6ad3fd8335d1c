// How far a finding about ports, destinations and flows may go: sites as customers have them, where
// it is easy to say more than was measured, to blame the wrong one, or to leave the cause unnamed.
#include "probe/diagnosis/ways/claims.hpp"
#include "tests/diagnosis/diagnosis.hpp"

namespace callready {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

// --- port or destination -------------------------------------------------------------------------

TEST(Destination, ThatADeviceTurnsAwayIsNotAPortOfItsOwn) {
  const auto away = [](ProbeResult result) { return rejected_by(std::move(result), "10.20.0.1"); };
  const auto found =
      only(report({row("web", {away(tls("20.1.1.10")), away(tls("20.2.2.10"))}),
                   row("sip", {away(tcp("20.1.1.10", 5061)), away(tcp("20.2.2.10", 5061))}),
                   controls(anchors())}));
  EXPECT_EQ(found.code, FindingCode::firewall_destination_blocked);
  EXPECT_EQ(found.confidence, Confidence::certain);
  EXPECT_EQ(found.title, "No TCP connection gets through to 20.1.1.10 and 20.2.2.10");
  EXPECT_EQ(found.explains, (Codes{"vendor/web", "vendor/sip"}));
  EXPECT_TRUE(holds(found.fix, "TCP 443 and 5061 to 20.1.1.10 and 20.2.2.10")) << found.fix;
  EXPECT_TRUE(has_evidence(found, "The same port (443) of other hosts is reachable."));
}

// Packets that this computer's own routes send to another router do not meet the firewall.
TEST(Destination, BehindAnotherRouterIsTheHelpdesks) {
  auto run = report({row("web", {tls("20.1.1.10", silent, "timed_out"),
                                 hop(Transport::tcp, "20.1.1.10", 443, "dropped")}),
                     row("sip", {tcp("20.1.1.10", 5061, silent),
                                 hop(Transport::tcp, "20.1.1.10", 5061, "dropped")}),
                     controls(anchors())});
  EXPECT_EQ(only(run).owner, Owner::network);
  run.site.gateways = {{IpAddress::v4({10, 20, 0, 1}), "eth0", true}};
  run.site.ways = {{"eth0", IpAddress::v4({10, 20, 0, 1}), false, true, {"www.google.com"}},
                   {"eth0", IpAddress::v4({10, 20, 0, 254}), false, true, {"20.1.1.10"}}};
  const auto found = only(run);
  EXPECT_EQ(found.code, FindingCode::firewall_destination_blocked);
  EXPECT_NE(found.confidence, Confidence::certain);
  EXPECT_EQ(found.owner, Owner::helpdesk);
  EXPECT_TRUE(holds(found.fix, "to the router 10.20.0.254")) << found.fix;
}

TEST(Destination, ThatIsOnlySilentMayBeDown) {
  const auto found = only(report(
      {row("turn", {turn("turn1.vendor.com", silent, ""), turn_tls("turn1.vendor.com", silent),
                    turn("turn2.vendor.com"), turn_tls("turn2.vendor.com")}),
       controls(anchors())}));
  EXPECT_EQ(found.code, FindingCode::firewall_destination_blocked);
  EXPECT_EQ(found.confidence, Confidence::possible);
  EXPECT_EQ(found.title, "Nothing comes back from turn1.vendor.com");
  EXPECT_TRUE(holds(found.fix, "ask the servers' operator whether they are up")) << found.fix;
}

TEST(Destination, ThatIsDownIsNoPartOfAnothersBlock) {
  const auto found = diagnose(report(
      {row("web", {rejected_by(tls("20.1.1.10"), "10.20.0.1"),
                   rejected_by(tcp("20.1.1.10", 80), "10.20.0.1")}),
       row("turn", {turn("turn.vendor.com", silent, ""), turn_tls("turn.vendor.com", silent)}),
       controls(anchors()), follow_up({tcp("www.google.com", 80)})}));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].title, "No TCP connection gets through to 20.1.1.10");
  EXPECT_EQ(found[0].confidence, Confidence::certain);
  EXPECT_EQ(found[1].title, "Nothing comes back from turn.vendor.com");
  EXPECT_EQ(found[1].confidence, Confidence::possible);
}

// One port that a device refuses, and silence on another that was guessed: it is that port.
TEST(Destination, IsNotNamedByOnePortAndAGuess) {
  const auto made = [](bool guessed) {
    auto guess = tcp("stun.vendor.com", 80, silent);
    if (guessed) guess.probe.purpose = Purpose::neighbour;
    guess.probe.id = probe_id(guess.probe);
    auto run =
        report({row("stun", {rejected_by(stun("stun.vendor.com", 19302, rejected), "10.20.0.1")}),
                row("other", {tcp("www.other.net", 80)}), controls(anchors())});
    run.probes.push_back(guess);
    return codes(run).front();
  };
  EXPECT_EQ(made(true), "firewall.flow_blocked (likely)");
  EXPECT_EQ(made(false), "firewall.destination_blocked (certain)");
}

TEST(Destination, OfUdpAloneSaysSo) {
  const auto found = only(report({row("media", {range("20.1.2.3", all_ports("dropped")),
                                                range("20.9.9.9", all_ports("left_site"))}),
                                  controls(anchors())}));
  EXPECT_EQ(found.code, FindingCode::firewall_destination_blocked);
  EXPECT_EQ(found.title,
            "No UDP gets through to 20.1.2.3 (tried: 10000, 12000, 14000, 16000 and 2 more)");
  EXPECT_TRUE(has_evidence(found, "20.1.2.3, UDP 10000: ")) << found.evidence.front().text;
}

// "Nothing comes back", although a router did say something.
TEST(Destination, ThatARouterKnowsNoWayToIsTheProvidersToMend) {
  const auto gone_at = [](const std::string& router, ProbeResult result) {
    result = rejected_by(std::move(result), router);
    result.observation.detail = DetailCode::unreachable;
    return result;
  };
  const auto made = [&](const std::string& router) {
    return only(report(
        {row("login", {gone_at(router, tls("20.1.1.10")), gone_at(router, tcp("20.1.1.10", 80))}),
         controls(anchors()), follow_up({tcp("www.google.com", 80)})}));
  };
  EXPECT_EQ(made("62.4.8.2").title, "The router 62.4.8.2 has no route to 20.1.1.10");
  EXPECT_EQ(made("62.4.8.2").owner, Owner::provider);
  EXPECT_TRUE(holds(made("62.4.8.2").fix, "it is the Internet provider's"));
  EXPECT_EQ(made("10.20.0.1").owner, Owner::lan);
  EXPECT_FALSE(holds(made("10.20.0.1").fix, "provider"));
  const auto mixed = only(report({row("login", {rejected_by(tls("20.1.1.10"), "10.20.0.1"),
                                                gone_at("10.20.0.1", tcp("20.1.1.10", 80))}),
                                  controls(anchors()), follow_up({tcp("www.google.com", 80)})}));
  EXPECT_FALSE(holds(mixed.title, "no route")) << "one of them is a rule's";
  EXPECT_TRUE(holds(made("20.1.1.1").title, "is not answered")) << "a router beside it";
}

// It was "no UDP gets through to" the one, and "UDP 3478, 3479 and 2 more" to the other.
TEST(Flows, ThatOneRuleClosesAtTwoHostsAreOneFinding) {
  const std::vector<Port> closed{
      {3478, "dropped"}, {3479, "dropped"}, {3480, "dropped"}, {3481, "dropped"}};
  const auto found = only(report(
      {row("media",
           {range("52.112.0.1", closed, {3478, 3481}), range("52.122.0.1", closed, {3478, 3481})}),
       row("quic", {range("52.112.0.1", {{443, "left_site"}}, {443, 443})}), controls(anchors()),
       follow_up({udp_hop("stun.l.google.com", 3478, "left_site")})}));
  EXPECT_EQ(found.title, "UDP 3478-3481 to 52.112.0.1 and 52.122.0.1 does not get through");
  EXPECT_EQ(found.confidence, Confidence::likely);
}

// The row's sample passed; what a second look found between its ports decides.
TEST(UdpRange, IsCutByAPortThatALaterLookTried) {
  const auto range = [](std::vector<Port> ports) {
    return test::range("20.1.2.3", std::move(ports), {15'000, 65'000});
  };
  auto later = range({{15'000, "left_site"},
                      {19'302, "prohibited", "10.0.0.1"},
                      {25'000, "prohibited", "10.0.0.1"},
                      {65'000, "left_site"}});
  later.probe.with["closed"] = "19302";
  later.probe.purpose = Purpose::way_out;
  later.probe.id = probe_id(later.probe);
  auto run = report({row("media", {range({{15'000, "left_site"}, {65'000, "left_site"}})}),
                     controls({tls("www.google.com"), std::move(later)})});
  const auto found = only(run);
  EXPECT_EQ(found.code, FindingCode::firewall_udp_range_blocked);
  EXPECT_EQ(found.confidence, Confidence::certain);
  EXPECT_EQ(found.title,
            "The firewall blocks outgoing UDP to roughly ports 19302-25000 of 20.1.2.3");
}

TEST(UdpRange, HasExactEndsWhereTheRowHasThemOrTheNextPortGetsOut) {
  const auto title = [](std::uint16_t open) {
    std::vector<Port> seen{{10'000, "left_site"}, {open, "left_site"}};
    for (std::uint16_t port = 14'000; port <= 16'000; port += 500) {
      seen.push_back({port, "dropped"});
    }
    return only(report({row("media", {range("media.vendor.com", seen, {10'000, 16'000})}),
                        controls(anchors())}))
        .title.string();
  };
  EXPECT_EQ(title(12'000),
            "The firewall blocks outgoing UDP to roughly ports 14000-16000 of media.vendor.com");
  EXPECT_EQ(title(13'999),
            "The firewall blocks outgoing UDP to ports 14000-16000 of media.vendor.com");
}

// A firewall that knows the one vendor's networks, and not the other's.
TEST(UdpRange, OfOneDestinationHasNoBoundsFromAnother) {
  const auto made =
      report({row("media", {range("20.1.2.3", all_ports("left_site")), tcp("media.other.net", 443),
                            range("media.other.net",
                                  {{16384, "dropped"}, {24576, "dropped"}, {32767, "dropped"}},
                                  {16384, 32767})}),
              controls(anchors()), follow_up({udp_hop("www.google.com", 16384, "left_site")})});
  const auto found = only(made);
  EXPECT_EQ(found.code, FindingCode::firewall_flow_blocked);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_EQ(found.title, "UDP 16384, 24576 and 32767 to media.other.net does not get through");
  EXPECT_TRUE(holds(found.fix, "UDP 16384-32767 to media.other.net")) << found.fix;
  EXPECT_FALSE(holds(found.fix, "20.1.2.3")) << found.fix;
}

// What is refused is STUN, and media to that port died, too.
TEST(UdpRange, IsCertainByADeviceThatRefusesThere) {
  const auto made = [](const std::string& payload, Outcome stun_elsewhere) {
    auto again = udp_hop("20.1.2.3", 10'000, "prohibited", payload);
    again.observation.evidence.back().facts[Fact::by] = "10.20.0.1";
    return report({row("media", {range("20.1.2.3", {{10'000, "dropped"}, {12'000, "left_site"}})}),
                   controls({tls("www.google.com"), tls("www.cloudflare.com"), ntp("pool.ntp.org"),
                             stun("stun.l.google.com", 19302, stun_elsewhere)}),
                   follow_up({again})});
  };
  EXPECT_EQ(codes(made("stun", silent)), Codes{"firewall.udp_range_blocked (certain)"});
  EXPECT_EQ(codes(made("stun", answered)), Codes{"firewall.udp_range_blocked (certain)"});
  EXPECT_EQ(codes(made("rtp", silent)), Codes{"firewall.udp_range_blocked (certain)"});
  const auto found = only(made("stun", answered));
  EXPECT_TRUE(has_evidence(found, "UDP 10000 is blocked; open: "));
  EXPECT_FALSE(holds(found.fix, "whole range")) << "it is one port: " << found.fix;
}

// Half of a vendor's region is down, or all of it. The router outside had answers left for one of
// the hosts only.
TEST(Flows, OfServersThatAreDownTogetherAreOneCause) {
  const auto made = [](Outcome third) {
    std::vector<ProbeResult> seen;
    for (const auto* host : {"eu1.vendor.com", "eu2.vendor.com"}) {
      seen.push_back(turn(host, silent, ""));
      seen.push_back(turn_tls(host, silent));
    }
    seen.push_back(turn("eu3.vendor.com", third));
    seen.push_back(turn_tls("eu3.vendor.com", third));
    return only(report({row("turn", seen), controls(anchors()),
                        follow_up({tcp_hop("eu1.vendor.com", 443, "left_site"),
                                   udp_hop("eu1.vendor.com", 3478, "left_site", "turn")})}));
  };
  const auto half = made(answered), all = made(silent);
  for (const auto& found : {half, all}) {
    EXPECT_EQ(found.code, FindingCode::firewall_flow_blocked);
    EXPECT_EQ(found.owner, Owner::vendor);
  }
  EXPECT_EQ(half.title,
            "TCP 443 and UDP 3478 to eu1.vendor.com and eu2.vendor.com are lost beyond this site");
  EXPECT_EQ(all.title, "All tested servers of vendor.com are down, or blocked beyond this site");
}

// Servers that answer over TLS are up: their replies may be dropped.
TEST(Flows, OfServersThatAnswerOtherwiseAreNotTheVendors) {
  const auto found = only(report(
      {row("turn", {turn("eu1.vendor.com", silent, ""), turn_tls("eu1.vendor.com"),
                    turn("eu2.vendor.com", silent, ""), turn_tls("eu2.vendor.com")}),
       controls(anchors()), follow_up({udp_hop("eu1.vendor.com", 3478, "left_site", "turn")})}));
  EXPECT_EQ(found.code, FindingCode::firewall_flow_blocked);
  EXPECT_TRUE(holds(found.title, "packets leave this site, and nothing comes back"));
  EXPECT_EQ(found.owner, Owner::network);
}

TEST(UdpRange, ThatLetsNothingBackInIsNamed) {
  auto media = range("media.vendor.com", {{10000, "arrived"}, {20000, "arrived"}});
  media.observation.outcome = silent;
  media.observation.detail = DetailCode::inbound_dropped;
  for (auto& evidence : media.observation.evidence) evidence.facts[Fact::inbound] = false;
  const auto found = only(report({row("media", {media}), controls(anchors())}));
  EXPECT_EQ(found.code, FindingCode::media_one_way);
  EXPECT_EQ(found.confidence, Confidence::certain);
  EXPECT_TRUE(holds(found.title, "do not come in")) << found.title;
  EXPECT_TRUE(holds(found.fix, "UDP 10000-20000 to media.vendor.com")) << found.fix;
  // On a full line: "one-way audio", certain, where replies took two seconds.
  auto control = stun("stun.l.google.com", 19302);
  control.observation.round_trip = Milliseconds(2'000);
  for (const auto& one : diagnose(report({row("media", {media}), controls({control})})))
    EXPECT_NE(one.code, FindingCode::media_one_way);
}

TEST(UdpPort, OfOneHostIsNotEveryHosts) {
  const auto found =
      only(report({row("turn", {rejected_by(turn("turn.vendor.com"), "10.20.0.1")}),
                   controls({tls("www.google.com"), stun("stun.l.google.com", 19302)})}));
  EXPECT_EQ(found.title, "The firewall blocks outgoing UDP to port 3478 of turn.vendor.com");
}

// A host that is shut off on both transports, on ports that nobody else has.
TEST(UdpPort, IsNoneWhereTcpToTheHostIsClosedAsWell) {
  const auto site = report({row("sip", {sip("sbc.vendor.com", 5075, silent, "timed_out"),
                                        sip_tls("sbc.vendor.com", silent, "timed_out")}),
                            controls(anchors())});
  const findings::Facts facts(site);
  const reach::Box box{.kind = reach::Kind::hosts,
                       .code = FindingCode::firewall_destination_blocked};
  const auto claimed = [&](bool tcp_too) {
    findings::ClosedFlows closed;
    closed.box = &box;
    closed.flows = facts.select([&](const findings::Flow& flow) {
      return flow.host == "sbc.vendor.com" && (flow.udp || tcp_too);
    });
    closed.sure = closed.whole_sure = closed.near_sure = 1;
    closed.ports_sure = .5;  // nobody else was tried there
    return findings::claim_of(facts, closed).code;
  };
  EXPECT_EQ(claimed(false), FindingCode::firewall_udp_port_blocked);
  EXPECT_EQ(claimed(true), FindingCode::firewall_flow_blocked);
}

// One port was tried at one host only, the other at two.
TEST(Claim, AboutUdpPortsThatOneRuleClosesIsOne) {
  const auto site = report(
      {row("turn", {turn("turn.vendor.com", silent, ""), stun("turn.vendor.com", 19302, silent)}),
       controls(anchors())});
  const findings::Facts facts(site);
  reach::Box box{.kind = reach::Kind::rule, .code = FindingCode::firewall_udp_blocked};
  const auto claim = [&](std::uint16_t port, bool by_hosts) {
    findings::Claim made;
    made.code = FindingCode::firewall_udp_port_blocked;
    made.box = &box;
    made.sure = 1;
    made.confidence = Confidence::likely;
    made.by_hosts = by_hosts;
    made.flows = facts.select([&](const findings::Flow& flow) {
      return flow.host == "turn.vendor.com" && flow.port == port;
    });
    return made;
  };
  const auto at_one = claim(19302, true), at_two = claim(3478, false);
  EXPECT_TRUE(at_one.goes_with(at_two));
  box.ports = {{3478, 3478}, {19302, 19302}};
  EXPECT_FALSE(at_one.goes_with(at_two)) << "two rules, or one with two ports";
}

// It does not matter which of the two was found first.
TEST(Claim, IsSeenToBeBlockedWhereAnyPartOfItIs) {
  findings::Claim silent_one, blocked_one;
  blocked_one.blocked = true;
  auto sum = silent_one;
  sum.add(blocked_one);
  EXPECT_TRUE(sum.blocked);
  blocked_one.add(silent_one);
  EXPECT_TRUE(blocked_one.blocked);
}

// `closed_by` of a saved report may name any code.
TEST(LostRow, FailsByItsOwnProbesOnly) {
  auto site = report({row("sip", {sip("sbc.vendor.com", 5060, silent, "timed_out")})});
  site.sets.front().requirements.front().closed_by = FindingCode::computer_agent;
  const findings::Diagnosis context(site);
  EXPECT_TRUE(context.fails_required_row({&site.probes.front()}));
  EXPECT_FALSE(context.fails_required_row({}));
  EXPECT_FALSE(context.breaks_capability({}));
}

// No public server is known over UDP.
TEST(UdpBlocked, IsProvedWithoutAnybodyElse) {
  const auto made = [](std::string media) {
    return report({row("web", {tls("20.1.2.3"), tls("20.1.2.4")}),
                   row("turn", {turn("20.1.2.4", silent, "")}),
                   row("media", {range(std::move(media), all_ports("dropped"))}),
                   controls({tls("www.google.com"), tls("www.cloudflare.com")}),
                   follow_up({udp_hop("20.1.2.4", 3478, "dropped", "turn"),
                              udp_hop("20.1.2.4", 443, "dropped")})});
  };
  const auto found = only(made("20.7.7.7"));
  EXPECT_EQ(found.code, FindingCode::firewall_udp_blocked);
  EXPECT_EQ(found.confidence, Confidence::certain);
  EXPECT_TRUE(has_evidence(found, "TCP works: 20.1.2.3, port 443, is reachable.")) << found.fix;
  EXPECT_EQ(only(made("20.1.2.5")).confidence, Confidence::likely) << "or it is that network";
  EXPECT_EQ(found.title, "The firewall blocks all outgoing UDP");
  auto with_one_port = made("20.7.7.7");
  with_one_port.probes.push_back(stun("stun.vendor.com", 53));
  EXPECT_EQ(only(with_one_port).title, "The firewall blocks all outgoing UDP except port 53");
}

// The vendor's server is silent or refuses, and so are all others: not certain, since no device on
// the way was seen.
TEST(UdpBlocked, IsNoMoreThanLikelyWhereNoDeviceIsSeen) {
  const auto made = [](bool refused) {
    auto media = turn("20.1.2.3", silent, "");
    if (refused) media = rejected_by(media, "20.1.2.3");
    return report(
        {row("media", {media}),
         controls({tls("www.google.com"), tls("www.cloudflare.com"),
                   stun("stun.l.google.com", 19302, silent), ntp("pool.ntp.org", silent)})});
  };
  EXPECT_EQ(only(made(false)).confidence, Confidence::likely);
  EXPECT_EQ(only(made(true)).confidence, Confidence::likely);
}

TEST(FirewallList, OfASetOfOnesOwnNeedsItsFile) {
  auto made = report({row("sip", {rejected_by(tcp("sip.vendor.com", 5061), "10.20.0.1"),
                                  rejected_by(tcp("sip.other.net", 5061), "10.20.0.1")}),
                      controls(anchors())});
  EXPECT_TRUE(holds(only(made).fix, "callready firewall vendor.")) << only(made).fix;
  made.site.own_hosts = {"sip.vendor.com", "sip.other.net"};
  EXPECT_TRUE(holds(only(made).fix, "callready firewall vendor (with your --set FILE)."))
      << only(made).fix;
}

TEST(WebOnly, DoesNotNameAPortThatIsShut) {
  const auto made = [](Outcome plain) {
    return report(
        {row("all",
             {tls("portal.vendor.com"), tls("sip.vendor.com"), tls("push.other.net"),
              sip_tls("sip.vendor.com", silent, ""), sip_tls("portal.vendor.com", silent, ""),
              tcp("push.other.net", 5223, silent), tcp("push.other.net", 2197, silent),
              turn("turn.vendor.com", silent, ""), tcp("portal.vendor.com", 80, plain)}),
         controls({tls("www.google.com"), tls("www.cloudflare.com"),
                   stun("stun.cloudflare.com", 3478, silent),
                   stun("stun.l.google.com", 19302, silent), ntp("pool.ntp.org", silent)})});
  };
  EXPECT_TRUE(holds(diagnose(made(connected)).front().title, "(TCP 80 and 443)"));
  EXPECT_TRUE(holds(diagnose(made(silent)).front().title, "(TCP 443)"));
}

TEST(Flows, NameNoPortOfAHostThatWasReached) {
  const auto found =
      only(report({row("web", {tls("a.vendor.com", silent, ""), tcp("a.vendor.com", 80),
                               sip_tls("b.vendor.com", silent, ""), tls("b.vendor.com")}),
                   controls(anchors())}));
  EXPECT_EQ(found.title, "TCP 443 to a.vendor.com and TCP 5061 to b.vendor.com are not answered");
}

// All of a vendor's servers are in one network, and die on a port before the site's own router.
TEST(Flows, OfSeveralHostsOfOneNetworkAreAPort) {
  const auto at_vendors = [](ProbeResult result, int number) {
    return at(std::move(result), fmt::format("203.0.113.{}", number));
  };
  std::vector<ProbeResult> sip, ways;
  for (int i = 1; i <= 4; ++i) {
    const auto host = fmt::format("sbc{}.vendor.com", i);
    sip.push_back(at_vendors(sip_tls(host, silent, "timed_out"), i));
    sip.push_back(at_vendors(sip_tcp(host), i));
    if (i < 3) ways.push_back(at_vendors(tcp_hop(host, 5061, "dropped"), i));
  }
  const auto found = only(report({row("sip", sip), controls(anchors()), follow_up(ways)}));
  EXPECT_EQ(found.code, FindingCode::firewall_tcp_port_blocked);
  EXPECT_EQ(found.confidence, Confidence::certain);
  EXPECT_TRUE(has_evidence(found, "No connection to port 5061 succeeded."));
}

// A device resets connections to a port where a server answered seconds before: no rule does that.
TEST(Flows, ThatWereAnsweredAtFirstProveNoPort) {
  const auto made = [](bool answers) {
    std::vector<ProbeResult> web, ways;
    for (const auto* host : {"20.1.1.10", "20.2.2.10", "20.3.3.10", "20.4.4.10"}) {
      const bool first = web.empty() && answers;
      web.push_back(first ? tls(host) : tls(host, refused, "connection_refused"));
      ways.push_back(tcp_hop(host, 443, "refused_on_the_way"));
      *ways.back().observation.sent_at += std::chrono::seconds(2);
    }
    return diagnose(
        report({row("web", web), row("turn", {turn("turn.vendor.com")}), follow_up(ways)}));
  };
  const auto closed = made(false), changed = made(true);
  ASSERT_FALSE(closed.empty() || changed.empty());
  EXPECT_EQ(closed.front().code, FindingCode::firewall_tcp_port_blocked);
  EXPECT_EQ(closed.front().confidence, Confidence::certain);
  EXPECT_EQ(changed.front().code, FindingCode::firewall_tcp_port_blocked);
  EXPECT_EQ(changed.front().confidence, Confidence::possible);
  EXPECT_TRUE(has_evidence(changed.front(), "20.1.1.10:443 (TLS) answered earlier in this run."));
}

// The service's own host on that port has no address: an allow list may have it.
TEST(Flows, OfStrangersAloneProveNoPort) {
  const auto http = [](const std::string& host, Outcome outcome) {
    return probe(CheckKind::http, Transport::tcp, host, 80, outcome,
                 outcome == silent ? "timed_out" : "");
  };
  auto page = http("www.vendor.com", unresolved);
  page.observation.detail = DetailCode::no_such_name;
  page.observation.address.reset();
  const auto made = [&](ProbeResult own) {
    return codes(
        report({row("page", {std::move(own)}), row("web", {tls("portal.vendor.com")}),
                controls({http("www.msftncsi.com", silent), http("captive.apple.com", silent),
                          tls("www.google.com"), tls("www.cloudflare.com")}),
                follow_up({tcp_hop("www.msftncsi.com", 80, "dropped"),
                           tcp_hop("captive.apple.com", 80, "dropped")})}));
  };
  EXPECT_FALSE(contains(made(page), "firewall.tcp_port_blocked (certain)"));
  EXPECT_TRUE(
      contains(made(http("www.vendor.com", silent)), "firewall.tcp_port_blocked (certain)"));
}

// A device that refuses is not silent: what is silent may have been lost.
TEST(Flows, ThatAreSilentAreNotWhatADeviceTurnsAway) {
  const auto refused_to = [](const std::string& host, std::uint16_t port) {
    return rejected_by(tcp(host, port), "10.20.0.1");
  };
  EXPECT_EQ(codes(report({row("web", {refused_to("a.vendor.com", 8443), tls("a.vendor.com")}),
                          row("turn", {turn_tls("b.vendor.com", silent), turn("b.vendor.com")}),
                          controls(anchors())})),
            (Codes{"firewall.flow_blocked (likely)", "firewall.flow_blocked (possible)"}));
}

TEST(Flows, OfOneHostAreOneTicket) {
  const auto found =
      only(report({row("all", {tls("portal.vendor.com", silent, ""), tcp("portal.vendor.com", 80),
                               stun("portal.vendor.com", 3478, silent)}),
                   controls(anchors())}));
  EXPECT_EQ(found.title, "TCP 443 and UDP 3478 to portal.vendor.com are not answered");
}

TEST(Flows, OfUdpAreNamedWhereTheServiceNeedsThem) {
  const auto found =
      only(report({row("turn", {turn("turn.vendor.com", silent, "")}), controls(anchors())}));
  EXPECT_EQ(found.code, FindingCode::firewall_flow_blocked);
  EXPECT_EQ(found.confidence, Confidence::possible);
  EXPECT_EQ(found.title, "UDP 3478 to turn.vendor.com is not answered");
  EXPECT_TRUE(holds(found.fix, "ask the server's operator whether it is up")) << found.fix;
  // If nobody needs it, or if servers may ignore strangers, there is no finding.
  EXPECT_EQ(
      codes(report({spare("turn", {turn("turn.vendor.com", silent, "")}), controls(anchors())})),
      Codes{});
  EXPECT_EQ(codes(report({row("sip", {sip("sip.vendor.com", 5060, silent)}), controls(anchors())})),
            Codes{});
}

TEST(Flows, OverUdpOfTwoOperatorsAreLostAtTheProvider) {
  const auto made = [](Outcome third) {
    return report(
        {row("turn", {turn("turn.vendor.com", silent, ""), turn("turn.other.net", silent, "")}),
         row("web", {tls("turn.vendor.com"), tls("turn.other.net")}),
         controls({tls("www.google.com"), stun("stun.l.google.com", 19302),
                   stun("stun.cloudflare.com", 3478, third)}),
         follow_up({udp_hop("turn.vendor.com", 3478, "left_site", "turn"),
                    udp_hop("turn.other.net", 3478, "left_site", "turn")})});
  };
  const auto found = only(made(silent));
  EXPECT_EQ(found.code, FindingCode::firewall_udp_port_blocked);
  EXPECT_EQ(found.confidence, Confidence::likely);
  // Nobody saw where the replies ended.
  EXPECT_EQ(found.title, "UDP to port 3478: packets leave this site, and nothing comes back");
  EXPECT_TRUE(found.fix.starts_with("Check the firewall's log for dropped replies.")) << found.fix;
  EXPECT_EQ(found.owner, Owner::provider);
  // Two operators' servers are hardly down together, and nobody saw where the replies ended.
  const auto both = only(made(answered));
  EXPECT_EQ(both.code, FindingCode::firewall_flow_blocked);
  EXPECT_EQ(both.confidence, Confidence::possible);
  EXPECT_TRUE(holds(both.title, "leave this site, and nothing comes back")) << both.title;
  EXPECT_NE(both.owner, Owner::vendor);
}

// --- who refuses ---------------------------------------------------------------------------------

TEST(Refusal, OfARouterBesideTheServerIsTheVendors) {
  const auto made = [](std::string device) {
    return report({row("sip", {rejected_by(tcp("20.1.2.3", 5061), device), tls("20.1.2.3")}),
                   controls(anchors())});
  };
  const auto theirs = only(made("20.1.2.1"));
  EXPECT_EQ(theirs.code, FindingCode::vendor_down);
  EXPECT_EQ(theirs.owner, Owner::vendor);
  EXPECT_TRUE(has_evidence(theirs, "20.1.2.1, in the network of 20.1.2.3"));
  EXPECT_EQ(codes(made("10.20.0.1")), Codes{"firewall.flow_blocked (likely)"});
}

TEST(Refusal, OfACarriersDeviceHasNoPublicAddress) {
  const auto found =
      only(report({row("sip", {rejected_by(tcp("20.1.2.3", 5061), "100.64.0.1"), tls("20.1.2.3")}),
                   controls(anchors())}));
  EXPECT_TRUE(holds(found.fix, "100.64.0.1, which has a carrier-grade NAT address")) << found.fix;
  EXPECT_FALSE(holds(found.fix, "public address")) << found.fix;
}

ProbeResult error_of(std::string host) {
  auto result = probe(CheckKind::http, Transport::tls, std::move(host), 443, answered, "503");
  return with(
      result,
      {EvidenceKind::http_reply, "answered HTTP/1.1 503", {{Fact::status, std::int64_t{503}}}});
}

TEST(VendorDown, SaysOfEachHostWhatItDid) {
  const auto found =
      diagnose(report({row("web", {error_of("portal.vendor.com")}),
                       row("turn", {turn("turn.vendor.com", refused, "")}), controls(anchors()),
                       follow_up({udp_hop("turn.vendor.com", 3478, "left_site", "turn")})}));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].title, "The service refuses connections: turn.vendor.com");
  EXPECT_TRUE(holds(found[0].fix,
                    "this traffic is refused: UDP 3478 to turn.vendor.com. For this, "
                    "change nothing on the network"))
      << found[0].fix;
  EXPECT_EQ(found[1].title, "The service answers with a server error: portal.vendor.com");
}

TEST(VendorDown, NamesNoServerThatIsOnlyAskedAboutTheNat) {
  const auto nat = probe(CheckKind::nat, Transport::udp, "stun.vendor.com", 3479, refused, "");
  const auto found = diagnose(report(
      {row("turn", {turn("turn.vendor.com", refused, "")}), row("nat", {nat}), controls(anchors()),
       follow_up({udp_hop("turn.vendor.com", 3478, "left_site", "turn")})}));
  const auto down = std::ranges::find(found, FindingCode::vendor_down, &Finding::code);
  ASSERT_NE(down, found.end());
  EXPECT_EQ(down->title, "The service refuses connections: turn.vendor.com");
}

TEST(VendorDown, IsNotWhatAnInspectorSays) {
  EXPECT_EQ(codes(report(
                {row("web", {with_root(with(error_of("portal.vendor.com"),
                                            certificate(0, "CN=portal.vendor.com", "CN=Corp CA")),
                                       false)}),
                 controls(anchors())})),
            Codes{"tls.intercepted (certain)"});
}

TEST(VendorDown, IsHeardThroughAProxysTunnelToo) {
  auto through = error_of("portal.vendor.com");
  through.probe.target.route.proxy = "http://10.20.0.3:3128";
  EXPECT_EQ(codes(report({row("web", {through}), controls(anchors())})),
            Codes{"vendor.down (certain)"});
}

// --- one protocol on one port --------------------------------------------------------------------

TEST(StunFilter, NamesTheServerWhereOthersAnswer) {
  const auto found =
      only(report({row("stun", {stun("stun.vendor.com", 3478, silent)}), controls(anchors()),
                   follow_up({udp_hop("stun.vendor.com", 3478, "dropped", "stun"),
                              udp_hop("stun.vendor.com", 3478, "left_site")})}));
  EXPECT_EQ(found.code, FindingCode::firewall_stun_filtered);
  EXPECT_EQ(found.title, "The firewall lets UDP out, but not STUN to stun.vendor.com");
}

// A server that ignores strangers, on a host that refuses ports where nobody listens.
TEST(SipAlg, IsNotSeenInARefusal) {
  const auto made = [](Outcome other) {
    return report({row("sip", {sip("sip.vendor.com", 5060, silent), sip_tcp("sip.vendor.com")}),
                   controls(anchors()), follow_up({sip("sip.vendor.com", 5080, other)})});
  };
  EXPECT_EQ(codes(made(refused)), Codes{});
  EXPECT_EQ(codes(made(answered)), Codes{"sip.alg (possible)"});
}

TEST(SipAlg, ShowsTheAnswerToSipOnTheOtherPort) {
  const auto found = diagnose(report(
      {row("sip", {sip("sip.vendor.com", 5060, silent), sip_tcp("sip.vendor.com")}),
       controls(anchors()),
       follow_up({udp_hop("sip.vendor.com", 5080, "left_site"), sip("sip.vendor.com", 5080)})}));
  ASSERT_EQ(codes(found), Codes{"sip.alg (possible)"});
  EXPECT_TRUE(found[0].evidence.at(1).probe.starts_with("sip/")) << found[0].evidence[1].probe;
}

}  // namespace
}  // namespace callready
