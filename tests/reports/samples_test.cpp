#include "tests/reports/samples.hpp"
#include "tests/support/said.hpp"

#include <fmt/format.h>

#include <gtest/gtest.h>

namespace callready::samples {
namespace {

using std::chrono::milliseconds;

WallTime noon(int after_ms) {
  // 2026-11-20T12:00:00Z
  return WallTime(std::chrono::seconds(1795176000)) + milliseconds(after_ms);
}

ProbeResult probe(test::CheckNamed check, Transport transport, std::string host, std::uint16_t port,
                  Outcome outcome, double round_trip = 0) {
  ProbeResult result;
  result.probe.check = check;
  result.probe.target.host = std::move(host);
  result.probe.target.ports = {port, port};
  result.probe.target.transport = transport;
  result.probe.id = probe_id(result.probe);
  auto& seen = result.observation;
  seen.outcome = outcome;
  seen.sent_at = noon(5);
  seen.attempts = outcome == Outcome::silent ? 4 : 1;
  seen.local = SocketAddress{ip("10.20.0.15"), 50000};
  if (round_trip > 0) seen.round_trip = Milliseconds(round_trip);
  return result;
}

Evidence evidence(EvidenceKind kind, std::string text, FactMap facts = {}) {
  return {kind, std::move(text), std::move(facts)};
}

Report frame(int duration_ms) {
  Report report;
  report.tool.version = "0.1.0";
  report.started_at = noon(0);
  report.finished_at = noon(duration_ms);
  report.duration = Milliseconds(duration_ms + 0.12345);
  report.site.name = "Lyon";
  report.site.host = "pc-4711";
  report.site.interfaces = {{"eth0", {ip("10.20.0.15"), ip("2001:db8:20::15")}, true}};
  report.site.resolvers = {"10.20.0.53"};
  report.site.public_addresses = {ip("198.51.100.20")};
  report.site.nat_mapping = "endpoint-independent";
  return report;
}

SetResult rainbow() {
  SetResult set;
  set.id = "rainbow";
  set.title = "Rainbow";
  set.edition = "Ed 36";
  set.verified = "2026-11-20";
  set.document = "Rainbow Network Requirements";
  set.sha256 = "6bbd0b8cb173a55207cbd3a3bcf14ee6d5ccd368c9dab7a8430e576453278323";
  set.verdict = Verdict::ready;
  set.capabilities = {
      {"sign-in", "Sign in and messaging", Verdict::ready, "all 3 servers answer", {"web"}},
      {"media",
       "Audio, video and screen sharing",
       Verdict::ready,
       "TURN over UDP answers",
       {"turn-udp", "turn-tls"}},
  };
  set.requirements = {
      {"web",
       "Web and messaging servers",
       "section 4.1, table",
       Severity::required,
       Status::pass,
       "all answered",
       "",
       1,
       1,
       {"http/tls/web.openrainbow.com:443"}},
      {"turn-udp",
       "TURN servers over UDP",
       "section 4.1, table; section 5",
       Severity::required,
       Status::pass,
       "all answered",
       "2 of 12 hosts",
       2,
       2,
       {"turn/udp/turn-gra1.openrainbow.com:3478", "turn/udp/turn-rbx1.openrainbow.com:3478"}},
      {"turn-tls",
       "TURN servers over TLS",
       "section 5",
       Severity::recommended,
       Status::pass,
       "all answered",
       "",
       1,
       1,
       {"turn/tls/turn-gra1.openrainbow.com:443"}},
      {"push",
       "Push notifications from Apple",
       "section 4.4",
       Severity::optional,
       Status::skip,
       "from a phone on this network: run there with --from mobile",
       "",
       0,
       0,
       {}},
  };
  return set;
}

ProbeResult turn(std::string host, Outcome outcome, double round_trip = 0) {
  return probe(CheckKind::turn, Transport::udp, std::move(host), 3478, outcome, round_trip);
}

ProbeResult web_probe() {
  auto web = probe(CheckKind::http, Transport::tls, "web.openrainbow.com", 443, Outcome::answered,
                   21.4567);
  web.observation.detail = Detail::status(200);
  web.observation.address = ip("203.0.113.7");
  web.observation.timing_ms = {
      {Timing::dns, 3.2}, {Timing::connect, 10.00049}, {Timing::handshake, 22.5}};
  web.observation.evidence = {
      evidence(EvidenceKind::http_reply, "HTTP 200 from web.openrainbow.com.",
               {{Fact::status, std::int64_t{200}},
                {Fact::server, std::string("nginx")},
                {Fact::via, true}}),
  };
  return web;
}

// Two of its twelve names were tried.
FirewallRule turn_rule() {
  FirewallRule rule;
  rule.set = "rainbow";
  rule.requirements = {"turn-udp"};
  rule.titles = {"TURN servers over UDP"};
  rule.purposes = {"Audio and video through a relay"};
  rule.sources = {"section 4.1, table; section 5"};
  rule.vantages = {Vantage::pc, Vantage::room_device};
  rule.transport = Transport::udp;
  rule.ports = {{3478, 3478}};
  for (const auto* place : {"gra", "rbx", "lim", "bhs", "sgp", "syd"}) {
    for (const int number : {1, 2}) {
      rule.peers.push_back({fmt::format("turn-{}{}.openrainbow.com", place, number), PeerKind::name,
                            "", "", Lifecycle::current});
    }
  }
  rule.peers.back().region = "australia";
  return rule;
}

}  // namespace

Report clean() {
  auto report = frame(1203);
  report.sets = {rainbow()};
  auto first = turn("turn-gra1.openrainbow.com", Outcome::answered, 9.04);
  first.observation.detail = Detail::status(401);
  first.observation.evidence = {
      evidence(EvidenceKind::stun_reply, "The server asked for credentials (401): it speaks TURN.",
               {{Fact::code, std::int64_t{401}}, {Fact::delay_ms, 9.0404040404}})};
  report.probes = {web_probe(), first, turn("turn-rbx1.openrainbow.com", Outcome::answered, 0.4),
                   probe(CheckKind::turn, Transport::tls, "turn-gra1.openrainbow.com", 443,
                         Outcome::answered, 1250)};
  return report;
}

Report degraded() {
  auto report = clean();
  auto& set = report.sets.at(0);
  set.verdict = Verdict::degraded;
  set.evidence = SourceQuality::second_hand;
  set.evidence_note = "A reseller's table, of 2024.";
  set.capabilities.at(1).verdict = Verdict::degraded;
  set.capabilities.at(1).fallback = true;
  set.capabilities.at(1).summary = "TURN over TLS carries it; TURN over UDP does not answer";
  set.requirements.at(1).status = Status::fail;
  set.requirements.at(1).summary = "no answer from 2 of 2 hosts on UDP 3478";
  set.requirements.at(1).reached = 0;
  Finding finding;
  finding.code = FindingCode::firewall_udp_port_blocked;
  finding.title = "The firewall drops UDP to port 3478";
  finding.confidence = Confidence::likely;
  finding.owner = Owner::network;
  finding.fix =
      "Allow outgoing UDP (and return traffic) from the user network: UDP 3478 to 12 names (TURN "
      "servers over UDP).";
  finding.rules = {turn_rule()};
  set.requirements.at(1).rules = {turn_rule()};
  finding.affects = {{"rainbow", {"media"}}};
  finding.explains = {"rainbow/turn-udp"};
  finding.evidence = {
      {"turn/udp/turn-gra1.openrainbow.com:3478",
       "UDP 3478 gets no further than 10.20.0.1, and UDP 443 to the same server passes it, three "
       "times out "
       "of three"},
      {"", "TCP 443 to both servers answers."},
      {"turn/udp/turn-rbx1.openrainbow.com:3478", "The same is seen at turn-rbx1."},
  };
  report.findings = {finding};
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    auto& seen = report.probes.at(i).observation;
    seen = turn("", Outcome::silent).observation;
    seen.detail = DetailCode::timed_out;
  }
  return report;
}

Report blocked() {
  auto report = degraded();
  report.duration = Milliseconds(200500);
  report.site.proxy = "http://proxy.example.com:3128";
  report.site.nat_mapping = "address-and-port-dependent";
  report.site.nat_filtering = "address-and-port-dependent";
  report.sets.at(0).verdict = Verdict::blocked;
  report.sets.at(0).capabilities.at(0).verdict = Verdict::unknown;
  report.sets.at(0).capabilities.at(0).summary = "one of 3 servers does not answer";
  report.sets.at(0).capabilities.at(1).verdict = Verdict::blocked;
  report.sets.at(0).capabilities.at(1).summary = "neither UDP nor TLS reaches a TURN server";
  report.sets.at(0).requirements.at(2).status = Status::fail;
  report.sets.at(0).requirements.at(2).summary = "blocked on the way by 10.20.0.1";
  report.sets.at(0).notes = {"The set was last held against the document 14 months ago."};
  SetResult pbx;
  pbx.id = "cloudoe";
  pbx.title = "Cloudoe";
  pbx.verdict = Verdict::degraded;
  pbx.capabilities = {
      {"sip",
       "SIP registration of phones",
       Verdict::degraded,
       "the SIP server answers by TCP only",
       {"sip"}},
      {"media", "Telephone calls", Verdict::ready, "packets leave the site", {"rtp"}}};
  pbx.capabilities.at(0).fallback = true;
  pbx.requirements = {{"sip",
                       "SIP over UDP",
                       "page 3",
                       Severity::required,
                       Status::warn,
                       "altered on the way",
                       "",
                       1,
                       1,
                       {"sip/udp/sip.example.net:5060"}},
                      {"rtp",
                       "Media range",
                       "page 3",
                       Severity::required,
                       Status::unknown,
                       "packets leave the site",
                       "12 of 10001 ports",
                       12,
                       12,
                       {"udp-range/udp/192.0.2.40:10000-20000"}}};
  report.sets.push_back(pbx);
  Finding alg;
  alg.code = FindingCode::sip_alg;
  alg.title = "A device in the path rewrites SIP messages (SIP ALG)";
  alg.confidence = Confidence::certain;
  alg.owner = Owner::network;
  alg.fix = "Turn off the SIP ALG (also called SIP helper or SIP inspection) on the firewall.";
  alg.affects = {{"cloudoe", {"sip", "media"}}};
  alg.explains = {"cloudoe/sip"};
  alg.evidence = {{"sip/udp/sip.example.net:5060",
                   "The Via header came back as 10.20.0.15 where 198.51.100.20 was sent."}};
  report.findings.push_back(alg);
  Finding name;
  name.code = FindingCode::dns_filtered;
  name.title = "The name provisioning.example.net is missing in this site's DNS only";
  name.confidence = Confidence::possible;
  name.owner = Owner::dns;
  name.fix = "Let 10.20.0.53 resolve provisioning.example.net.";
  name.affects = {{"cloudoe", {}}, {"rainbow", {"sign-in"}}};
  report.findings.push_back(name);

  auto& tls = report.probes.at(3).observation;
  tls.outcome = Outcome::rejected;
  tls.round_trip.reset();
  tls.detail = DetailCode::prohibited;
  tls.evidence = {
      evidence(EvidenceKind::icmp_error, "10.20.0.1 says: administratively prohibited.",
               {{Fact::sender, std::string("10.20.0.1")}, {Fact::ttl, std::int64_t{1}}})};
  auto sip =
      probe(CheckKind::sip, Transport::udp, "sip.example.net", 5060, Outcome::answered, 14.2);
  sip.observation.detail = Detail::status(404);
  auto range = probe(CheckKind::udp_range, Transport::udp, "192.0.2.40", 10000, Outcome::passed);
  range.probe.target.ports = {10000, 20000};
  range.probe.target.sample = {10000, 12500, 20000};
  range.probe.id = probe_id(range.probe);
  auto missing =
      probe(CheckKind::dns, Transport::udp, "provisioning.example.net", 0, Outcome::unresolved);
  missing.observation.detail = DetailCode::no_such_name;
  missing.observation.local.reset();
  auto refused =
      probe(CheckKind::tcp, Transport::tcp, "2001:db8:99::1", 5061, Outcome::refused, 30);
  refused.observation.detail = DetailCode::connection_refused;
  auto proxied = web_probe();
  proxied.probe.target.route.proxy = "http://proxy.example.com:3128";
  proxied.probe.with = {{"path", "/api"}};
  proxied.probe.region = "france";
  proxied.probe.id = probe_id(proxied.probe);
  proxied.observation.outcome = Outcome::denied;
  proxied.observation.detail = Detail::status(407);
  auto control =
      probe(CheckKind::tcp, Transport::tcp, "anchor.example.org", 443, Outcome::connected, 8);
  control.probe.purpose = Purpose::control;
  auto broken =
      probe(CheckKind::tls, Transport::tls, "files.example.net", 443, Outcome::failed, 11);
  broken.observation.detail = DetailCode::wrong_name;
  broken.observation.evidence = {
      evidence(EvidenceKind::tls_handshake, "TLSv1.3"),
      evidence(EvidenceKind::certificate_fault, "the certificate is for another name")};
  auto skipped =
      probe(CheckKind::tcp, Transport::tcp, "inbound.example.net", 5060, Outcome::skipped);
  skipped.observation = {};
  skipped.observation.detail = DetailCode::bad_parameter;
  for (auto& more : {sip, range, missing, refused, proxied, control, broken, skipped}) {
    report.probes.push_back(more);
  }
  report.notes = {"IPv6 was not tried: this computer has no IPv6 address."};
  return report;
}

Report proxied() {
  auto report = clean();
  report.site.proxy = "http://proxy.example.com:3128";
  const auto twins = [&](std::string host, Outcome through_proxy, Outcome directly) {
    auto direct = probe(CheckKind::tls, Transport::tls, std::move(host), 443, directly);
    direct.observation.timing_ms = {{Timing::connect, 11}, {Timing::handshake, 12}};
    auto by_proxy = direct;
    by_proxy.probe.target.route.proxy = *report.site.proxy;
    by_proxy.probe.id = probe_id(by_proxy.probe);
    by_proxy.observation.outcome = through_proxy;
    by_proxy.observation.timing_ms = {{Timing::tunnel, 30}, {Timing::handshake, 14}};
    report.probes.push_back(direct);
    report.probes.push_back(by_proxy);
  };
  twins("files.example.net", Outcome::answered, Outcome::answered);
  twins("cdn.example.net", Outcome::answered, Outcome::silent);
  twins("api.example.net", Outcome::denied, Outcome::answered);
  auto alone = report.probes.back();
  alone.probe.target.host = "alone.example.net";
  alone.probe.id = probe_id(alone.probe);
  report.probes.push_back(alone);
  return report;
}

Report incomplete() {
  auto report = clean();
  report.complete = false;
  report.duration = Milliseconds(20000);
  auto& set = report.sets.at(0);
  set.verdict = Verdict::unknown;
  set.capabilities.at(1).verdict = Verdict::unknown;
  set.capabilities.at(1).summary = "stopped before the TURN servers answered";
  set.requirements.at(1).status = Status::unknown;
  set.requirements.at(1).summary = "not tried to the end: run again to settle it";
  set.requirements.at(1).reached = 0;
  report.probes.at(1) = turn("turn-gra1.openrainbow.com", Outcome::silent);
  report.probes.at(2) = turn("turn-rbx1.openrainbow.com", Outcome::skipped);
  report.probes.at(2).observation = {};
  report.probes.at(2).observation.detail = DetailCode::stopped;
  return report;
}

Report empty() {
  Report report;
  report.tool.version = "0.1.0";
  report.started_at = report.finished_at = noon(0);
  return report;
}

Report hostile() {
  // Clears the screen, sets the title, C1's one-byte CSI, turns the direction, ends the line, is
  // no UTF-8, is markup, a formula and a field separator.
  const std::string attack =
      "\x1b[2J\x1b]0;owned\x07\xc2\x9b"
      "31m\xe2\x80\xae\r\nREADY\x7f\xff\xc0\xaf<b>&amp;|`,\";=1+1\\"
      "'></style></script><script>alert(1)</script><img src=x onerror=alert(1)>";
  auto report = blocked();
  report.tool.name += attack;
  report.tool.version += attack;
  report.site.name = report.site.host = attack;
  report.site.resolvers = {attack};
  report.site.proxy = report.site.nat_mapping = report.site.nat_filtering = attack;
  report.site.interfaces.at(0).name = attack;
  report.notes = {attack};
  for (auto& set : report.sets) {
    set.id += attack;
    for (auto* text : {&set.title, &set.edition, &set.document, &set.evidence_note}) {
      *text += attack;
    }
    set.evidence = SourceQuality::old_edition;
    set.notes = {attack};
    for (auto& capability : set.capabilities) {
      capability.title += attack;
      capability.summary += attack;
    }
    for (auto& requirement : set.requirements) {
      requirement.id += attack;
      requirement.title += attack;
      requirement.summary += attack;
      requirement.source += attack;
      requirement.sampled = attack;
    }
  }
  for (auto& finding : report.findings) {
    for (auto* text : {&finding.title, &finding.fix}) *text += attack;
    for (auto& affected : finding.affects) affected.set += attack;
    for (auto& item : finding.evidence) {
      item.text += attack;
      item.probe += attack;
    }
    for (auto& rule : finding.rules) {
      rule.titles.front() += attack;
      for (auto& peer : rule.peers) peer.text += attack;
    }
  }
  for (auto& [probe, seen] : report.probes) {
    probe.target.host += attack;
    probe.id += attack;
    if (!probe.target.route.direct()) probe.target.route.proxy += attack;
    seen.evidence.push_back(
        evidence(EvidenceKind::http_reply, attack,
                 {{Fact::sender, attack}, {Fact::name, attack}, {Fact::what, attack}}));
  }
  return report;
}

TEST(Samples, AreSixDifferentReports) {
  EXPECT_EQ(all().size(), 6u);
  EXPECT_EQ(exit_status(clean()), 0);
  EXPECT_EQ(exit_status(degraded()), 4);
  EXPECT_EQ(exit_status(blocked()), 1);
  EXPECT_EQ(exit_status(incomplete()), 3);
  EXPECT_EQ(exit_status(empty()), 3);
}

}  // namespace callready::samples
