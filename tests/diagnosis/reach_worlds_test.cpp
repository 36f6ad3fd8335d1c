// Diagnosis by worlds, from a report to its words: the worked examples of docs/diagnosis.md, and
// what must hold of all of them.
#include <numeric>
#include <random>

#include "probe/diagnosis/findings.hpp"
#include "probe/diagnosis/reach/clues.hpp"
#include "tests/diagnosis/site_report.hpp"
#include "tests/worlds/shadow.hpp"
#include "tests/worlds/words.hpp"

namespace callready::reach::reach_worlds_test {
namespace {

using namespace test;

ProbeResult took(ProbeResult result, double milliseconds) {
  result.observation.round_trip = Milliseconds(milliseconds);
  if (result.observation.timing_ms.contains(Timing::connect)) {
    result.observation.timing_ms[Timing::connect] = milliseconds;
  }
  return result;
}

ProbeResult sent_after(ProbeResult result, double milliseconds) {
  *result.observation.sent_at +=
      std::chrono::duration_cast<WallTime::duration>(Milliseconds(milliseconds));
  return result;
}

ProbeResult sent(ProbeResult result, int times) {
  result.observation.attempts = times;
  return result;
}

// Well known servers, and how they fare.
std::vector<ProbeResult> anchors(Outcome high = answered) {
  return {test::tls("www.google.com"), test::tls("www.cloudflare.com"),
          took(test::stun("stun.cloudflare.com"), 42), test::ntp("time.cloudflare.com"),
          sent(test::stun("stun.l.google.com", 19302, high), high == answered ? 1 : 4)};
}

std::vector<std::string> codes(const Shadow& diagnosis) {
  std::vector<std::string> found;
  for (const auto& cause : diagnosis.told.causes) {
    found.push_back(
        fmt::format("{} {}", to_string(confidence_of(cause.sure)), to_string(*cause.code.finding)));
  }
  return found;
}

using Words = std::vector<std::string>;

// A firewall behind a router with a public address drops UDP from 10000 up: packets that end at
// that router get there. What goes further does not come back, and a relay of ours hears nothing.
Report border_firewall() {
  auto relayed = test::turn("turn.vendor.com", answered, "relayed");
  relayed.observation.evidence.push_back(
      {EvidenceKind::relay, "", {{Fact::address, std::string("198.51.100.10")}}});
  relayed.observation.evidence.push_back(
      {EvidenceKind::relay_trip,
       "",
       {{Fact::outbound, false}, {Fact::relay_port, std::int64_t{49162}}}});
  return report({row("relays", {relayed}), row("signaling", {sip_tls("sbc.vendor.com")}),
                 row("media", {range("media.vendor.com", all_ports("left_site"))}),
                 controls(anchors(silent))});
}

// One host is blocked, and UDP from 10000 up.
Report host_and_range() {
  return report({row("signaling", {sent(test::sip("sbc.vendor.com", 5060, silent), 4),
                                   sip_tcp("sbc.vendor.com", 5060, silent, "timed_out"),
                                   sip_tls("sbc.vendor.com", silent, "timed_out"),
                                   test::tcp("sbc.vendor.com", 443, silent)}),
                 row("web", {test::tls("portal.vendor.com"), sip_tls("sbc2.vendor.com"),
                             test::sip("sbc2.vendor.com"), test::turn("turn.vendor.com")}),
                 row("media", {range("media.vendor.com", all_ports("dropped"))}),
                 controls(anchors(silent)),
                 follow_up({tcp_hop("sbc.vendor.com", 443, "dropped"),
                            udp_hop("media.vendor.com", 5060, "left_site")})});
}

// A device takes every TCP connection but those to 80 and 443 at once, and carries none on.
Report taken_connections() {
  const auto mute = [](std::string host, std::uint16_t port) {
    auto result = test::tls(std::move(host), silent, "tls_timed_out", public_ca, port);
    result.observation.timing_ms[Timing::connect] = 0.1;
    return result;
  };
  return report({row("signaling", {mute("sbc.vendor.com", 5061), mute("sbc2.vendor.com", 5061)}),
                 row("push", {took(test::tcp("push.google.com", 5228), 0.1),
                              took(test::tcp("push.apple.com", 5223), 0.1)}),
                 row("web", {took(test::tls("portal.vendor.com"), 42)}),
                 row("relays", {took(test::turn("turn.vendor.com"), 42)}), controls(anchors())});
}

// From 100 ms on a device drops all that this computer sends. What had begun before is cut off: TLS
// greetings on connections that stood by then, but not answers that had already come.
TEST(ReachWorlds, ABanExplainsWhatItCutOff) {
  std::vector<ProbeResult> web, relays;
  for (int i = 0; i < 12; ++i) {
    const auto web_host = fmt::format("web{}.vendor.com", i);
    const auto relay = fmt::format("turn{}.vendor.com", i);
    auto cut = test::tls(web_host, silent, "tls_timed_out");
    cut.observation.timing_ms[Timing::connect] = 42;
    web.push_back(i < 8 ? sent_after(cut, 46 + 5 * i)
                        : sent_after(test::tls(web_host, silent, "timed_out"), 110 + 20 * i));
    relays.push_back(i < 6 ? sent_after(took(test::turn(relay), 20), 50 + 5 * i)
                           : sent_after(test::turn(relay, silent, "timed_out"), 100 + 20 * i));
  }
  auto site = report({row("web", web), row("relays", relays), controls(anchors())});
  site.started_at = noon();
  EXPECT_EQ(codes(diagnose(site, {})), Words{"certain firewall.rate_limited"});
}

// Some stand at once, some when they are tried again a second later, and the rest do not.
TEST(ReachWorlds, ALimitLetsSomeOfASecondsNewFlowsThrough) {
  std::vector<ProbeResult> web;
  for (int i = 0; i < 40; ++i) {
    const auto host = fmt::format("web{}.vendor{}.com", i, i % 4);
    web.push_back(i % 8 == 0   ? took(test::tls(host), 42)
                  : i % 8 == 1 ? took(test::tls(host), 1060)
                               : test::tls(host, silent, "timed_out"));
  }
  auto site = report({row("web", web), controls(anchors())});
  site.started_at = noon() - std::chrono::seconds(1);
  EXPECT_EQ(codes(diagnose(site, {})), Words{"certain firewall.new_flows_limited"});
  const auto said = callready::diagnose(site);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said.front().code, FindingCode::firewall_new_flows_limited);
}

// Two lines, and one of them is dead: each flow keeps to one, however often it is sent again.
TEST(ReachWorlds, OfSeveralPathsOneIsDead) {
  std::vector<ProbeResult> web, relays;
  for (int i = 0; i < 16; ++i) {
    const auto host = fmt::format("web{}.vendor{}.com", i / 2, i % 8 / 2);
    const bool dead = i % 2 == 0;
    web.push_back(
        sent_after(dead ? test::tcp(host, 443, silent) : took(test::tls(host), 42), 200 * i));
    const auto relay = fmt::format("turn{}.vendor.com", i);
    relays.push_back(sent_after(
        i % 3 == 0 ? test::turn(relay, silent, "timed_out") : took(test::turn(relay), 20),
        200 * i + 100));
  }
  auto site = report({row("web", web), row("relays", relays), controls(anchors())});
  site.started_at = noon();
  EXPECT_EQ(codes(diagnose(site, {})).front(), "certain network.dead_path");
  const auto said = callready::diagnose(site);
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(said.front().code, FindingCode::network_dead_path);
  EXPECT_EQ(said.front().confidence, Confidence::likely);
  EXPECT_EQ(said.front().evidence.front().text,
            "web0.vendor0.com, TCP 443: attempts, each from a different port: 2; answered: 1.");
}

TEST(ReachWorlds, NothingWrong) {
  const auto clean = report({row("web", {test::tls("portal.vendor.com")}),
                             row("relays", {test::turn("turn.vendor.com")}), controls(anchors())});
  const auto diagnosis = diagnose(clean, {});
  EXPECT_EQ(codes(diagnosis), Words{});
  EXPECT_EQ(diagnosis.judged.sets.front().verdict, Verdict::ready);
  EXPECT_FALSE(diagnosis.question);
  EXPECT_TRUE(as_report(clean, diagnosis).findings.empty());
}

TEST(ReachWorlds, ABorderFirewallIsPossibleAndItsCallsAreNotDecided) {
  const auto site = border_firewall();
  const auto diagnosis = diagnose(site, {});
  ASSERT_EQ(codes(diagnosis).front(), "possible firewall.udp_range_blocked");
  EXPECT_GT(diagnosis.told.causes.front().probability, 0.5);
  EXPECT_EQ(in_words(diagnosis.worlds.front(), diagnosis),
            "UDP 10000-65535: dropped, beyond the routers that speak");
  EXPECT_EQ(diagnosis.judged.sets.front().verdict, Verdict::unknown);
  const auto made = as_report(site, diagnosis);
  EXPECT_EQ(made.sets.front().requirements[2].status, Status::unknown) << "the media";
  EXPECT_EQ(made.sets.front().requirements[1].status, Status::pass) << "TCP";
  ASSERT_TRUE(diagnosis.question);
  EXPECT_GT(diagnosis.question->gain, 0.1);
  ASSERT_TRUE(diagnosis.told.runner_up) << "what else it could be";
}

// The provider's firewall turns all UDP away, now and then with a word. Our own packets that end on
// the way end before it, but for those that were sent as far as the media's own way goes.
TEST(ReachWorlds, AFirewallBehindTheRoutersThatSpeakTurnsAllUdpAway) {
  const auto quiet = [](std::string host, std::uint16_t port) {
    return sent(test::sip(std::move(host), port, silent), 4);
  };
  const std::string firewall = "62.4.8.2";
  const auto site =
      report({row("signaling", {rejected_by(quiet("sbc.vendor.com", 5060), firewall),
                                quiet("sbc2.vendor.com", 5060), sip_tls("sbc.vendor.com")}),
              row("media", {range("media.vendor.com", {{10000, "prohibited", firewall},
                                                       {15000, "silent"},
                                                       {20000, "prohibited", firewall}})}),
              controls({test::tls("www.google.com"), test::tls("www.cloudflare.com"),
                        sent(test::stun("stun.cloudflare.com", 3478, silent), 4),
                        rejected_by(test::ntp("time.cloudflare.com", silent), firewall),
                        sent(test::stun("stun.l.google.com", 19302, silent), 4)}),
              follow_up({udp_hop("sbc.vendor.com", 5060, "left_site", "sip"),
                         udp_hop("sbc2.vendor.com", 40000, "left_site")})});
  const auto diagnosis = diagnose(site, {});
  EXPECT_EQ(codes(diagnosis), Words{"certain firewall.udp_blocked"});
  EXPECT_EQ(as_report(site, diagnosis).sets.front().requirements[1].status, Status::fail)
      << "the media";
}

// A row asks for a range, and other ports of it than its sample are asked for, too.
TEST(ReachWorlds, AnotherPortOfARangeIsNoOtherPortOfItsHost) {
  const auto quiet = [](ProbeResult result) { return sent(std::move(result), 4); };
  const auto site = report({row("media", {range("media.vendor.com", all_ports("left_site"))}),
                            row("relays", {test::turn("turn.vendor.com")}),
                            controls({quiet(test::tls("www.google.com", silent, "timed_out")),
                                      quiet(test::stun("stun.cloudflare.com", 3478, silent)),
                                      quiet(test::stun("stun.l.google.com", 19302, silent))}),
                            follow_up({udp_hop("media.vendor.com", 19302, "dropped")})});
  const auto diagnosis = diagnose(site, {});
  for (const auto& box : diagnosis.boxes) {
    EXPECT_FALSE(box.spares_asked) << in_words(box, diagnosis.sight);
  }
}

// One sample of a range dies between two that get out: no rule names that port alone.
TEST(ReachWorlds, ALoneSampleThatDiesStandsForARange) {
  const auto site = report(
      {row("media", {range("media.vendor.com",
                           {{40'000, "left_site"}, {50'000, "dropped"}, {65'000, "left_site"}})}),
       row("signaling", {sip_tls("sbc.vendor.com")}), controls(anchors()),
       follow_up({udp_hop("media.vendor.com", 50'000, "dropped"),
                  udp_hop("www.google.com", 50'000, "dropped")})});
  const auto diagnosis = diagnose(site, {});
  EXPECT_EQ(codes(diagnosis), Words{"likely firewall.udp_range_blocked"});
  const auto& best = diagnosis.worlds.front();
  ASSERT_EQ(best.boxes.size(), 1U) << in_words(best, diagnosis);
  const std::vector<PortRange> whole{{40'001, 64'999}};
  EXPECT_EQ(diagnosis.boxes[best.boxes.front()].ports, whole);
}

// Packets to another port of a vendor's host die as those to strangers do.
TEST(ReachWorlds, AListOfTheAllowedMayNameHostsWithTheirPorts) {
  const auto quiet = [](ProbeResult result) { return sent(std::move(result), 4); };
  const auto site =
      report({row("relays", {test::turn("turn.vendor.com"), turn_tls("turn2.vendor.com")}),
              controls({quiet(test::tls("www.google.com", silent, "timed_out")),
                        quiet(test::stun("stun.cloudflare.com", 3478, silent)),
                        quiet(test::stun("stun.l.google.com", 19302, silent)),
                        quiet(test::ntp("time.cloudflare.com", silent))}),
              follow_up({tcp_hop("turn.vendor.com", 443, "dropped"),
                         udp_hop("turn.vendor.com", 19302, "dropped"),
                         tcp_hop("www.google.com", 443, "dropped")})});
  const auto diagnosis = diagnose(site, {});
  const auto& best = diagnosis.worlds.front();
  ASSERT_EQ(best.boxes.size(), 1U) << in_words(best, diagnosis);
  const auto& list = diagnosis.boxes[best.boxes.front()];
  EXPECT_TRUE(list.spares_asked && list.fate == Fate::drop && !list.beyond)
      << in_words(best, diagnosis);
  EXPECT_EQ(diagnosis.judged.sets.front().verdict, Verdict::ready);
}

TEST(ReachWorlds, TwoFaultsAreBothFoundAndNeitherKnowsOfTheOther) {
  const auto site = host_and_range();
  const auto diagnosis = diagnose(site, {});
  ASSERT_EQ(diagnosis.told.causes.size(), 2U);
  EXPECT_EQ(codes(diagnosis),
            (Words{"certain firewall.udp_range_blocked", "certain firewall.destination_blocked"}));
  EXPECT_EQ(diagnosis.judged.sets.front().verdict, Verdict::blocked);
  for (const auto& cause : diagnosis.told.causes) {
    const bool host = cause.code == FindingCode::firewall_destination_blocked;
    EXPECT_EQ(cause.explains, Words{host ? "vendor/signaling" : "vendor/media"});
    EXPECT_FALSE(cause.evidence.empty());
  }
}

TEST(ReachWorlds, ADeviceThatTakesConnectionsIsOneCause) {
  const auto site = taken_connections();
  const auto diagnosis = diagnose(site, {});
  EXPECT_EQ(codes(diagnosis), Words{"certain firewall.tcp_port_blocked"});
  const auto made = as_report(site, diagnosis);
  const auto& rows = made.sets.front().requirements;
  EXPECT_EQ(rows[0].status, Status::fail) << "SIP over TLS";
  EXPECT_EQ(rows[1].status, Status::fail) << "push: connections stood, and lead nowhere";
  EXPECT_EQ(rows[2].status, Status::pass) << "the web";
  EXPECT_EQ(rows[3].status, Status::pass) << "UDP";
}

// Near is a quarter of what is usual: over UDP, and where nobody answers over that, over TCP.
TEST(ReachWorlds, WhoTakesConnectionsIsNear) {
  const auto made = [](double milliseconds) {
    const auto mute = [&](const char* host) {
      return took(sip_tcp(host, 5060, failed, "sip_timed_out"), milliseconds);
    };
    return report({row("sip", {mute("sbc1.vendor.com"), mute("sbc2.vendor.com")}),
                   row("web", {took(test::tls("www.vendor.com"), 40)}),
                   follow_up({tcp_hop("sbc1.vendor.com", 5075, "answered_on_the_way")})});
  };
  EXPECT_EQ(codes(diagnose(made(0.1), {})), Words{"certain firewall.tcp_port_blocked"});
  for (const auto& cause : diagnose(made(40), {}).told.causes) {
    EXPECT_FALSE(cause.code == connections_taken && cause.is_said());
  }
}

// One server that says nothing may be off, or shut away: neither is known.
TEST(ReachWorlds, SilenceIsNeverTheVendorDown) {
  const auto site = report({row("relays", {sent(test::turn("turn.vendor.com", silent), 4),
                                           test::tcp("turn.vendor.com", 443, silent)}),
                            row("web", {test::tls("portal.vendor.com"), sip_tls("sbc.vendor.com")}),
                            controls(anchors())});
  const auto diagnosis = diagnose(site, {});
  ASSERT_FALSE(diagnosis.told.causes.empty());
  EXPECT_EQ(codes(diagnosis).front(), "possible firewall.destination_blocked");
  EXPECT_EQ(diagnosis.judged.sets.front().verdict, Verdict::blocked)
      << "it is silent, whatever why";
  for (const auto& cause : diagnosis.told.causes) EXPECT_NE(cause.code, FindingCode::vendor_down);
}

// That everything but the web may be shut makes these ports no less certain.
TEST(ReachWorlds, APortIsShutInAWiderRuleToo) {
  const auto shut = [](const char* host) { return sip_tls(host, silent, "timed_out"); };
  const auto site = report({row("sip", {shut("sbc.vendor.com"), shut("sbc.example.net")}),
                            row("web", {test::tls("sbc.vendor.com"), test::tls("sbc.example.net")}),
                            controls(anchors())});
  const auto diagnosis = diagnose(site, {});
  ASSERT_TRUE(diagnosis.told.runner_up);
  EXPECT_EQ(codes(diagnosis).front(), "certain firewall.tcp_port_blocked");
}

// The firewall never sees what stays inside: that SIP works there does not open the port.
TEST(ReachWorlds, AServerOfTheSitesOwnOpensNoPort) {
  const auto shut = [](const char* host) { return sip_tls(host, silent, "timed_out"); };
  const auto site = report({row("sip", {shut("sbc.vendor.com"), shut("sbc.example.net")}),
                            row("pbx", {at(sip_tls("pbx.corp.example.com"), "10.1.2.3")}),
                            row("web", {test::tls("sbc.vendor.com"), test::tls("sbc.example.net")}),
                            controls(anchors())});
  EXPECT_EQ(codes(diagnose(site, {})).front(), "certain firewall.tcp_port_blocked");
}

TEST(ReachWorlds, DnsOverUdpOnlyIsNoFilterOfNames) {
  auto cut = question("portal.vendor.com", "NOERROR");
  cut.observation.outcome = failed;
  cut.observation.detail = DetailCode::truncated;
  const auto site = report({row("web", {test::tls("portal.vendor.com", unresolved, "dns_failed"),
                                        test::tls("files.vendor.com", unresolved, "dns_failed")}),
                            controls(anchors()), follow_up({cut})});
  EXPECT_EQ(codes(diagnose(site, {})).front(), "certain dns.unreachable");
}

TEST(ReachWorlds, WhatNoBoxExplainsIsLeftOver) {
  auto odd = test::tls("portal.vendor.com", failed, "not_tls");
  odd.observation.evidence.clear();
  const auto diagnosis =
      diagnose(report({row("web", {odd, test::tls("files.vendor.com")}), controls(anchors())}), {});
  ASSERT_EQ(diagnosis.told.unexplained.size(), 1U);
  EXPECT_EQ(diagnosis.told.unexplained[0].probe,
            odd.probe.id.empty() ? probe_id(odd.probe) : odd.probe.id);
  EXPECT_NE(diagnosis.judged.sets.front().verdict, Verdict::ready);
}

TEST(ReachWorlds, OneLostProbeOnALineThatLosesIsChance) {
  auto lossy = test::stun("stun.cloudflare.com");
  lossy.probe.with["flows"] = "new";
  lossy.observation.evidence.push_back(
      {EvidenceKind::udp_sample,
       "",
       {{Fact::sent, std::int64_t{20}}, {Fact::answered, std::int64_t{14}}}});
  const auto site = report({row("web", {test::tls("portal.vendor.com")}),
                            row("relays", {sent(test::turn("turn1.vendor.com", silent), 2),
                                           sent(test::turn("turn2.vendor.com"), 2)}),
                            controls(anchors()), follow_up({lossy})});
  const auto diagnosis = diagnose(site, {});
  EXPECT_EQ(codes(diagnosis).front(), "certain network.loss");
  EXPECT_EQ(diagnosis.judged.sets.front().verdict, Verdict::ready);
}

TEST(ReachSight, CountsTheFlowsThatBeganInASecond) {
  const auto sent_at = [](double ms, bool udp, Seen seen) {
    FlowEvent event;
    event.flow = {udp, "turn.vendor.com", "", 3478, udp ? Cargo::turn : Cargo::tls, {}};
    event.at = Milliseconds(ms);
    event.seen = seen;
    return event;
  };
  const auto sight = look({{sent_at(100, true, Seen::reply), sent_at(600, true, Seen::nothing),
                            sent_at(1050, false, Seen::talk), sent_at(1200, true, Seen::nothing)},
                           {},
                           false},
                          {}, {});
  const auto& early = sight.packets[1];
  EXPECT_EQ(early.crowd.began, 2);
  EXPECT_EQ(early.crowd.passed, 1);
  const auto& last = sight.packets[3];
  EXPECT_EQ(last.crowd.began, 2);
  EXPECT_EQ(last.crowd.passed, 0);
  EXPECT_EQ(last.whole_crowd.began, 3);
  EXPECT_EQ(last.whole_crowd.passed, 1);
}

// A datagram was seen at the provider's router, and was dropped when it was sent farther: a device
// stands in between, and the datagrams that ended at that router never reached it.
TEST(ReachSight, WhatDiedFartherOutHadNotMetTheDevice) {
  const auto sent = [](std::uint16_t port, Seen seen, int ttl) {
    FlowEvent event;
    event.flow = {true, "media.vendor.com", "", port, Cargo::rtp, {}};
    event.seen = seen;
    event.ends_early = true;
    event.ttl = ttl;
    if (seen == Seen::expired) event.router = ttl == 3 ? "62.4.8.2" : "62.4.20.2";
    return event;
  };
  const auto seen_early = sent(15'000, Seen::expired, 3), other = sent(65'000, Seen::expired, 3);
  const auto farther = sent(20'000, Seen::expired, 4), death = sent(15'000, Seen::dropped, 4);
  const auto alike = look({{seen_early, other, death}, {}, false}, {}, {});
  EXPECT_TRUE(alike.packets[0].ends_at_device);
  EXPECT_TRUE(alike.packets[1].ends_at_device);
  EXPECT_FALSE(alike.packets[2].ends_at_device);
  EXPECT_TRUE(alike.packets[1].ends_before_device);
  const auto rationed = look({{seen_early, other, farther, death}, {}, false}, {}, {});
  EXPECT_FALSE(rationed.packets[1].ends_at_device) << "one got farther";
  auto own_way = sent(30'000, Seen::expired, 3);
  own_way.flow.host = "media.other.net";
  own_way.router = "80.1.1.1";
  EXPECT_FALSE(look({{seen_early, death, own_way}, {}, false}, {}, {}).packets[2].ends_at_device);
  const auto none = look({{seen_early, other, sent(25'000, Seen::dropped, 4)}, {}, false}, {}, {});
  EXPECT_FALSE(none.packets[0].ends_at_device) << "another port died";
}

// Another host's packet was last seen nearer than this one died: it may have died behind that
// router.
TEST(ReachSight, WhatDiesMayDieBehindAnotherHostsRouter) {
  const auto sent = [](std::string host, Seen seen, int ttl) {
    FlowEvent event;
    event.flow = {true, std::move(host), "", 15'000, Cargo::rtp, {}};
    event.seen = seen;
    event.ends_early = true;
    event.ttl = ttl;
    if (seen == Seen::expired) event.router = fmt::format("62.4.8.{}", ttl);
    return event;
  };
  const auto died_behind = [&](const FlowEvent& one, const FlowEvent& other) {
    const auto death = sent("a.vendor.com", Seen::dropped, 4);
    return look({{one, other, death}, {}, false}, {}, {}).packets.back().ends_far;
  };
  const auto own = sent("a.vendor.com", Seen::expired, 2);
  EXPECT_TRUE(died_behind(own, sent("b.other.net", Seen::expired, 3)));
  EXPECT_FALSE(died_behind(own, sent("b.other.net", Seen::expired, 4)));
  EXPECT_FALSE(died_behind(own, own)) << "nobody else's was seen";
}

// Over IPv6 routers of the site may have link-local addresses only.
TEST(ReachSight, ADeviceWithALinkLocalAddressIsNotBeyondTheRoutersThatSpeak) {
  const auto turned_away_by = [](std::string device) {
    FlowEvent event;
    event.flow = {true, "media.vendor.com", "2001:db8::7", 15'000, Cargo::rtp, {}};
    event.seen = Seen::prohibited;
    event.ends_early = true;
    event.router = std::move(device);
    return look({{event}, {}, false}, {}, {}).packets.front().ends_far;
  };
  EXPECT_FALSE(turned_away_by("fe80::1"));
  EXPECT_TRUE(turned_away_by("2001:db8:62::1"));
}

// In a report from many runs there may be as many devices as packets.
TEST(ReachSight, DevicesAreNearWherePacketsWereSeenBeyondThem) {
  constexpr int many = 10'000;
  const auto event_of = [](Seen seen, std::string router, int ttl) {
    FlowEvent event;
    event.flow = {false, "web.vendor.com", "", 443, Cargo::none, {}};
    event.seen = seen;
    event.ends_early = true;
    event.router = std::move(router);
    event.ttl = ttl;
    return event;
  };
  const auto looked = [&](int farthest) {
    FlowEvents events;
    for (int i = 0; i < many; ++i) {
      auto turned = event_of(Seen::prohibited, fmt::format("62.4.{}.{}", i / 250, i % 250), 3);
      turned.router_ttl = 3;
      events.flows.push_back(turned);
      events.flows.push_back(
          event_of(Seen::expired, fmt::format("80.1.{}.{}", i / 250, i % 250), farthest));
    }
    return look(std::move(events), {}, {});
  };
  const auto beyond = looked(4), at_them = looked(3);
  EXPECT_TRUE(beyond.packets.front().turned_near);
  EXPECT_FALSE(beyond.packets.back().ends_at_device);
  EXPECT_FALSE(at_them.packets.front().turned_near);
  EXPECT_TRUE(at_them.packets.back().ends_at_device);
}

// A site without NAT: its gateway has a public address, and may have expired nothing.
TEST(ReachSight, TheGatewayIsNear) {
  FlowEvents events;
  for (const bool refused : {true, false}) {
    FlowEvent event;
    event.flow = {true, refused ? "192.0.2.7" : "198.51.100.7", "", 50000, Cargo::rtp, {}};
    event.seen = refused ? Seen::prohibited : Seen::expired;
    event.ends_early = true;
    event.router = refused ? "84.199.20.1" : "62.4.8.2";
    if (!refused) event.ttl = 3;
    events.flows.push_back(event);
  }
  EXPECT_FALSE(look(events, {}, {}).packets.front().turned_near);
  events.gateways = {"84.199.20.1"};
  EXPECT_TRUE(look(events, {}, {}).packets.front().turned_near);
}

// Two names lead to the address of a relay: it is one owner's, in whatever order they were asked.
TEST(ReachSight, AnAddressWithTwoNamesIsOfOneOwner) {
  const auto to = [](std::string host) {
    FlowEvent event;
    event.flow = {true, std::move(host), "198.51.100.7", 3478, Cargo::turn, {}};
    event.seen = Seen::reply;
    return event;
  };
  const auto one = to("a.vendor.com"), other = to("b.other.net"), relay = to("198.51.100.7");
  EXPECT_EQ(look({{one, other, relay}, {}, false}, {}, {}).domains,
            look({{other, one, relay}, {}, false}, {}, {}).domains);
}

// What more than `most_alike` owners have in common is the port.
TEST(ReachClues, TooManyOwnersOnOnePortAreOneGroup) {
  const auto groups = [](std::size_t owners) {
    FlowEvents events;
    for (std::size_t i = 0; i < owners; ++i) {
      FlowEvent event;
      event.flow = {false, fmt::format("sbc.vendor{}.com", i), "", 5061, Cargo::tls, {}};
      events.flows.push_back(event);
    }
    const auto sight = look(std::move(events), {}, {});
    EventIds all(owners);
    std::iota(all.begin(), all.end(), 0U);
    return dead_endpoints(clues_of(sight, all)).size();
  };
  EXPECT_EQ(groups(most_alike), most_alike + 1);
  EXPECT_EQ(groups(most_alike + 1), 1U);
}

// A loss that may explain one failure, one that is a cause, and no loss are three worlds.
TEST(ReachWorlds, LossesThatSayTheSameAreOneWorld) {
  FlowEvent sample;
  sample.flow = {true, "stun.vendor.com", "", 3478, Cargo::stun, {}};
  sample.seen = Seen::sample;
  sample.sent = 20;
  sample.answered = 19;
  const auto found = search(look({{sample}, {}, false}, {}, {}), {}, {});
  const auto count = [&](auto wanted) {
    return std::count_if(found.worlds.begin(), found.worlds.end(),
                         [&](const World& world) { return wanted(losses[world.loss].share); });
  };
  EXPECT_EQ(count([](double share) { return share < explains_one_failure; }), 1);
  EXPECT_EQ(count([](double share) { return share >= explains_one_failure && share < is_a_cause; }),
            1);
  EXPECT_EQ(count([](double share) { return share >= is_a_cause; }), 1);
}

// Rules that are about contents give findings that are taken over: see tests/lint/findings_test.py.
TEST(ReachCodes, NoCodeIsNotOfContents) {
  EXPECT_FALSE(has(FindingCode::other, FindingTrait::of_contents));
  EXPECT_TRUE(has(FindingCode::media_one_way, FindingTrait::of_contents));
  EXPECT_TRUE(has(FindingCode::tls_expired, FindingTrait::of_contents));
  EXPECT_FALSE(has(FindingCode::firewall_udp_blocked, FindingTrait::of_contents));
}

TEST(ReachWorlds, AnyHostIsEnoughWhereTheRowSaysSo) {
  const auto site = report({row("relays", {sent(test::turn("turn1.vendor.com", silent), 4),
                                           test::turn("turn2.vendor.com")}),
                            row("web", {sent(test::stun("turn1.vendor.com", 3478, silent), 4),
                                        test::tcp("turn1.vendor.com", 80, silent),
                                        test::tls("turn1.vendor.com", silent, "timed_out")}),
                            controls(anchors())});
  EXPECT_EQ(diagnose(site, {}).judged.rows.front().status, Status::fail);
  const RowReach reach{{"vendor/relays", {Reach::Kind::any, 1}}};
  EXPECT_EQ(diagnose(site, reach).judged.rows.front().status, Status::pass);
}

TEST(ReachWorlds, TheOrderOfTheTableMeansNothing) {
  std::vector<KindOfBox> table(kinds().begin(), kinds().end());
  std::mt19937 random(7);
  for (const auto& site : {border_firewall(), host_and_range(), taken_connections()}) {
    const auto first = diagnose(site, {});
    for (int i = 0; i < 20; ++i) {
      std::shuffle(table.begin(), table.end(), random);
      const auto other = diagnose(site, {}, {}, table);
      ASSERT_EQ(other.worlds.size(), first.worlds.size());
      EXPECT_EQ(other.boxes, first.boxes);
      for (std::size_t j = 0; j < first.worlds.size(); ++j) {
        EXPECT_EQ(other.worlds[j].cost, first.worlds[j].cost);
        EXPECT_EQ(other.worlds[j].boxes, first.worlds[j].boxes);
      }
      EXPECT_EQ(codes(other), codes(first));
    }
  }
}

TEST(ReachWorlds, ABeamOfSixFindsTheSame) {
  std::size_t narrow_work = 0, wide_work = 0;
  for (const auto& site : {border_firewall(), host_and_range(), taken_connections()}) {
    SearchLimits narrow;
    narrow.beam = 6;
    const auto wide = diagnose(site, {}), other = diagnose(site, {}, narrow);
    EXPECT_EQ(in_words(wide.worlds.front(), wide), in_words(other.worlds.front(), other));
    narrow_work += other.looked_at;
    wide_work += wide.looked_at;
  }
  EXPECT_LT(narrow_work, wide_work);
}

TEST(ReachWorlds, ProbabilitiesAddUp) {
  for (const auto& site : {border_firewall(), host_and_range(), taken_connections()}) {
    double sum = 0;
    const auto diagnosis = diagnose(site, {});
    for (const auto& world : diagnosis.worlds) {
      EXPECT_LE(world.boxes.size(), 5U);
      sum += world.probability;
    }
    EXPECT_NEAR(sum, 1, 1e-9);
    EXPECT_TRUE(std::is_sorted(diagnosis.worlds.begin(), diagnosis.worlds.end(),
                               [](const World& a, const World& b) { return a.cost < b.cost; }));
  }
}

// The largest that a run can be: hundreds of hosts, each with a few ports, half of them dead.
// Counted in worlds that are looked at, and in boxes: no clock.
TEST(ReachWorlds, TheWorkIsBounded) {
  std::vector<ProbeResult> results;
  for (int i = 0; i < 200; ++i) {
    const auto host = fmt::format("host{}.vendor{}.com", i, i % 40);
    const bool dead = i % 2 == 0;
    results.push_back(dead ? test::tls(host, silent, "timed_out") : test::tls(host));
    results.push_back(
        sent(test::stun(host, static_cast<std::uint16_t>(3000 + i), i % 3 == 0 ? silent : answered),
             i % 3 == 0 ? 4 : 1));
    results.push_back(range(host, all_ports(i % 5 == 0 ? "dropped" : "left_site")));
  }
  const auto diagnosis = diagnose(report({row("all", results), controls(anchors(silent))}), {});
  EXPECT_LT(diagnosis.boxes.size(), 3000U);
  EXPECT_LT(diagnosis.looked_at, 1'000'000U);
  EXPECT_LE(diagnosis.worlds.size(), 6U * (24 * 5 + 1));
}

}  // namespace
}  // namespace callready::reach::reach_worlds_test
