// A whole run in one pass: verdicts follow from what is found (docs/design.md).
#include <fmt/ranges.h>

#include "probe/diagnosis/attribution.hpp"
#include "probe/diagnosis/status/judge.hpp"
#include "tests/diagnosis/scene.hpp"

namespace callready {
namespace {

using namespace test;

ProbeResult page(std::string host, bool its_own) {
  auto result = probe(CheckKind::http, Transport::tcp, std::move(host), 80, answered, "200");
  result.probe.with["body"] = "Success";
  result.observation.evidence.push_back(
      {EvidenceKind::http_reply, "", {{Fact::body_matches, its_own}}});
  return result;
}

std::vector<ProbeResult> portal_controls() {
  return {page("www.msftncsi.com", false), page("captive.apple.com", false),
          tls("www.google.com", failed, "connection_reset"),
          stun("stun.cloudflare.com", 3478, silent), stun("stun.l.google.com", 19302, silent)};
}

// Advice about packets that a firewall drops would be about what was never sent.
TEST(Unexplained, SaysOfANameThatItWasNotFound) {
  Scene scene;
  const auto lost = [](CheckKind check, Transport transport,
                       const std::string& host = "portal.vendor.com") {
    return probe(check, transport, host, 443, unresolved, "dns_failed");
  };
  scene.add("web", {lost(CheckKind::tls, Transport::tls)});
  scene.add("spare", {lost(CheckKind::tcp, Transport::tcp)}, Severity::optional);
  scene.add("other", {lost(CheckKind::tls, Transport::tls, "news.vendor.com")}, Severity::optional);
  scene.add_controls({tls("www.google.com")});  // names are found
  scene.set.capabilities[0].needs.pop_back();
  EXPECT_EQ(scene.judge().capabilities[0].verdict, Verdict::blocked);
  ASSERT_EQ(scene.found(), std::vector<std::string>{"network.unexplained"});
  const auto& finding = scene.report.findings.front();
  const std::vector<std::string> each{"vendor/web", "vendor/spare", "vendor/other"};
  EXPECT_EQ(finding.explains, each);
  EXPECT_EQ(finding.title,
            "portal.vendor.com and news.vendor.com could not be looked up, cause unknown");
  EXPECT_EQ(finding.owner, Owner::dns);
  EXPECT_FALSE(holds(finding.fix, "firewall")) << finding.fix;
}

TEST(Unexplained, SaysOfAHostThatConnectsThatConnectionsFail) {
  Scene scene;
  scene.add("web", {tls("portal.vendor.com", failed, "malformed")});
  scene.add_controls(anchors());
  scene.judge();
  ASSERT_EQ(scene.found(), std::vector<std::string>{"network.unexplained"});
  EXPECT_EQ(scene.report.findings.front().title,
            "Connections to portal.vendor.com open, but then fail, cause unknown");
}

// What connects on TCP 80 where a device answers for everybody is that device.
TEST(Causes, AreBehindConnectionsThatADeviceAnswers) {
  Scene scene;
  const auto page = [](const char* host) {
    auto result = probe(CheckKind::http, Transport::tcp, host, 80, failed, "unexpected_body");
    result.probe.with["body"] = "Success";
    return with(result, {EvidenceKind::http_reply,
                         "HTTP 302",
                         {{Fact::body_matches, false},
                          {Fact::redirect_host, std::string("upsell.isp.example")}}});
  };
  scene.add("web", {tls("portal.vendor.com")});
  scene.add("ocsp", {tcp("ocsp.vendor.com", 80)}, Severity::recommended);
  scene.add_controls({page("www.msftncsi.com"), page("captive.apple.com"), tls("www.google.com"),
                      tls("www.cloudflare.com")});
  EXPECT_EQ(scene.judge().requirements[1].status, Status::fail);
  ASSERT_EQ(scene.found(), std::vector<std::string>{"network.http_redirected"});
  EXPECT_EQ(scene.report.findings.front().explains, std::vector<std::string>{"vendor/ocsp"});
}

// What was left out to spare a host that is shut is lost to the same cause.
TEST(Causes, AreBehindWhatWasSparedTheirHosts) {
  Scene scene;
  const auto gone = [](std::uint16_t port, Outcome outcome, Said detail) {
    auto result = probe(CheckKind::tcp, Transport::tcp, "sbc.vendor.com", port, outcome, detail);
    result.observation.address = IpAddress::parse("0.0.0.0");
    return result;
  };
  scene.add("sip", {gone(5060, refused, "connection_refused")});
  scene.add("alternate", {gone(5075, skipped, "no_room")}, Severity::optional);
  scene.add_controls(anchors());
  scene.judge();
  ASSERT_EQ(scene.found(), std::vector<std::string>{"dns.rewritten"});
  const std::vector<std::string> both{"vendor/sip", "vendor/alternate"};
  EXPECT_EQ(scene.report.findings.front().explains, both);
}

TEST(Causes, AreBehindOptionalRowsThatWorkLessWell) {
  Scene scene;
  const auto symmetric = [](std::string host) {
    return with(probe(CheckKind::nat, Transport::udp, std::move(host), 3478, answered,
                      "address_and_port_dependent"),
                {EvidenceKind::nat_mapping,
                 "another port to another server",
                 {{Fact::value, std::string("address_and_port_dependent")}}});
  };
  scene.add("nat", {symmetric("stun.vendor.com")}, Severity::recommended);
  scene.add("spare", {symmetric("stun2.vendor.com")}, Severity::optional);
  scene.add_controls(anchors());
  scene.judge();
  ASSERT_EQ(scene.found(), std::vector<std::string>{"nat.symmetric"});
  const std::vector<std::string> both{"vendor/nat", "vendor/spare"};
  EXPECT_EQ(scene.report.findings.front().explains, both);
}

TEST(FarEnd, OneThatIsBusyIsUnknownAndNobodysFault) {
  Scene scene;
  scene.add("stun", {probe(CheckKind::stun, Transport::udp, "probe.example.com", 3478, skipped,
                           "far_end_busy")});
  scene.add("web", {tls("probe.example.com", skipped, "far_end_busy")});
  scene.add_controls(anchors());
  const auto& judged = scene.judge();
  EXPECT_EQ(judged.verdict, Verdict::unknown);
  for (const auto& row : judged.requirements) {
    EXPECT_EQ(row.status, Status::unknown) << row.id;
    EXPECT_TRUE(holds(row.summary, "the far end reported that it was busy with others"))
        << row.summary;
  }
  for (const auto& code : scene.found()) EXPECT_EQ(code, "network.unexplained");
}

TEST(FarEnd, OneWithAnotherKeyMeansAnOldSetAndNoInspection) {
  Scene scene;
  scene.add("web", {tls("probe.example.com", skipped, "another_far_end",
                        "CN=probe.example.com,O=callready serve")});
  scene.add_controls(anchors());
  EXPECT_EQ(scene.judge().requirements[0].status, Status::unknown);
  ASSERT_EQ(scene.found(), std::vector<std::string>{"target.outdated"});
  const auto& finding = scene.report.findings.front();
  EXPECT_EQ(finding.owner, Owner::helpdesk);
  EXPECT_EQ(finding.explains, std::vector<std::string>{"vendor/web"});
  EXPECT_TRUE(holds(finding.fix, "change nothing on the network")) << finding.fix;
}

TEST(OnePass, SilenceThatACauseExplainsIsALoss) {
  Scene run;
  run.add("sip", {sip("sip.vendor.com", 5060, silent)});
  run.add_controls(portal_controls());
  const auto& set = run.judge();
  EXPECT_EQ(run.found(), std::vector<std::string>{"network.captive_portal"});
  EXPECT_EQ(row_of(set, "sip").status, Status::fail);
  EXPECT_EQ(set.verdict, Verdict::blocked);
  EXPECT_EQ(run.report.findings.front().explains, std::vector<std::string>{"vendor/sip"});
}

TEST(OnePass, WithoutACauseTheSameSilenceDecidesNothing) {
  Scene run;
  run.add("sip", {sip("sip.vendor.com", 5060, silent)});
  run.add_controls(anchors());
  EXPECT_EQ(row_of(run.judge(), "sip").status, Status::unknown);
}

TEST(OnePass, APortalsOwnAnswerIsNotTheService) {
  Scene run;
  run.add("platform",
          {probe(CheckKind::http, Transport::tcp, "www.vendor.com", 80, answered, "302")});
  run.add_controls(portal_controls());
  const auto& set = run.judge();
  EXPECT_EQ(row_of(set, "platform").status, Status::fail);
  EXPECT_EQ(row_of(set, "platform").reached, 0) << "as its summary says";
}

std::vector<ProbeResult> controls_without_udp() {
  return {tls("www.google.com"),
          tls("www.cloudflare.com"),
          stun("stun.cloudflare.com", 3478, silent),
          stun("stun.l.google.com", 19302, silent),
          ntp("pool.ntp.org", silent),
          ntp("time.cloudflare.com", silent),
          udp_hop("turn.vendor.com", 3478, "left_site", "turn")};
}

// Packets leave, and no reply ever comes back: what only left the site does not work.
TEST(OnePass, WithoutRepliesNoMediaRangeWorks) {
  Scene run;
  run.add("media", {range("media.vendor.com", all_ports("left_site"))});
  run.add("turn", {turn("turn.vendor.com", silent, {})});
  run.add_controls(controls_without_udp());
  const auto& set = run.judge();
  EXPECT_EQ(run.found(), std::vector<std::string>{"firewall.udp_blocked"});
  EXPECT_EQ(row_of(set, "media").status, Status::fail);
  EXPECT_EQ(set.verdict, Verdict::blocked);
}

// What the firewall closes it closes on the way out: media that stays inside never meets it.
TEST(OnePass, UdpThatIsBlockedOnTheWayOutWorksInside) {
  Scene run;
  run.add("turn", {turn("turn.vendor.com", silent, {})});
  run.add("pbx", {at(range("pbx.corp.example.com", all_ports("arrived")), "10.1.2.3")});
  run.add_controls(controls_without_udp());
  const auto& set = run.judge();
  EXPECT_EQ(run.found(), std::vector<std::string>{"firewall.udp_blocked"});
  EXPECT_EQ(row_of(set, "turn").status, Status::fail);
  EXPECT_EQ(row_of(set, "pbx").status, Status::pass) << row_of(set, "pbx").summary;
}

TEST(OnePass, ARangeThatIsBlockedOnTheWayOutWorksInside) {
  Scene run;
  run.add("media", {range("media.vendor.com", all_ports("dropped"))});
  run.add("pbx", {at(range("pbx.corp.example.com", all_ports("arrived")), "10.1.2.3")});
  run.add_controls(anchors());
  const auto& set = run.judge();
  EXPECT_EQ(run.found(), std::vector<std::string>{"firewall.udp_range_blocked"});
  EXPECT_EQ(row_of(set, "media").status, Status::fail);
  EXPECT_EQ(row_of(set, "pbx").status, Status::pass) << row_of(set, "pbx").summary;
}

// A first choice that this run left out is closed with the rest of UDP.
TEST(OnePass, WhatWasLeftOutIsClosedByTheSameCause) {
  Scene run;
  run.add("turn", {turn("turn.vendor.com", silent, {})}, Severity::recommended).hosts = {
      {"turn.vendor.com", "", Lifecycle::current, ""}};
  auto& direct = run.add("direct", {});
  direct.check = CheckKind::udp_range;
  direct.transports = {Transport::udp};
  direct.ports = {{50000, 50019}};
  direct.hosts = {{"media.vendor.com", "", Lifecycle::current, ""}};
  run.last_plan().skipped = "left out";
  run.last_plan().untried = true;
  run.add_controls(controls_without_udp());
  const auto& set = run.judge();
  ASSERT_EQ(run.found(), std::vector<std::string>{"firewall.udp_blocked"});
  EXPECT_EQ(row_of(set, "direct").status, Status::fail);
  EXPECT_EQ(set.verdict, Verdict::blocked);
  EXPECT_TRUE(holds(fmt::format("{}", fmt::join(run.report.findings.front().explains, " ")),
                    "vendor/direct"));
  const auto& fix = run.report.findings.front().fix;
  EXPECT_TRUE(holds(fix, "UDP 3478 to turn.vendor.com")) << fix;
  EXPECT_TRUE(holds(fix, "UDP 50000-50019 to media.vendor.com"))
      << "nobody is asked twice: " << fix;
}

// A firewall that drops UDP is not why a computer without IPv6 does not reach IPv6 networks.
TEST(OnePass, NothingIsClosedToAComputerWithoutIpv6) {
  Scene run;
  run.add("turn", {turn("turn.vendor.com", silent, {})});
  auto other = range("2603:1063::1", {}, {3478, 3481});
  other.observation.outcome = skipped;
  other.observation.detail = DetailCode::no_route;
  run.add("media", {other}, Severity::optional);
  auto& left_out = run.add("left_out", {}, Severity::optional);
  left_out.transports = {Transport::udp};
  left_out.ports = {{443, 443}};
  left_out.addresses = {{*Network::parse("2603:1063::/38"), "", Lifecycle::current, ""}};
  run.last_plan().skipped = "left out";
  run.last_plan().untried = true;
  run.add_controls(controls_without_udp());
  const auto& set = run.judge();
  ASSERT_EQ(run.found(), std::vector<std::string>{"firewall.udp_blocked"});
  EXPECT_EQ(row_of(set, "turn").status, Status::fail);
  EXPECT_EQ(row_of(set, "media").status, Status::unknown);
  EXPECT_EQ(row_of(set, "left_out").status, Status::skip);
}

// Media servers that answer nothing are no nearer than the nearest of all.
TEST(OnePass, ALineMayBeSlowerThanTheVendorAllows) {
  const auto timed = [](ProbeResult result, double ms) {
    result.observation.round_trip = Milliseconds(ms);
    return result;
  };
  const auto made = [&](double ms, double page_ms = 2000) {
    Scene run;
    auto media = range("20.1.2.3", all_ports("left_site"));
    run.add("media", {media}).check = CheckKind::udp_range;
    run.add("web", {timed(tls("www.vendor.com"), page_ms)});
    run.set.capabilities[0].quality.emplace().round_trip_ms = 100;
    run.add_controls({timed(stun("stun.cloudflare.com"), ms),
                      timed(stun("stun.l.google.com", 19302), ms + 5),
                      timed(ntp("pool.ntp.org"), 3), tls("www.google.com")});
    run.judge();
    return run;
  };
  const auto slow = made(120);
  EXPECT_EQ(slow.found(), std::vector<std::string>{"media.delay"});
  EXPECT_EQ(slow.report.findings.front().confidence, Confidence::likely);
  EXPECT_FALSE(holds(slow.report.findings.front().title, "talk over")) << "nobody notices";
  EXPECT_TRUE(holds(made(320).report.findings.front().title, "talk over"));
  EXPECT_EQ(slow.report.sets.front().verdict, Verdict::degraded);
  EXPECT_EQ(row_of(slow.report.sets.front(), "media").status, Status::warn);
  EXPECT_EQ(made(90).report.sets.front().verdict, Verdict::ready);
}

TEST(OnePass, ARoundTripToTheServiceItselfCountsBeforeOthers) {
  const auto made = [](double ms) {
    Scene run;
    auto relay = turn("turn.vendor.com");
    relay.observation.round_trip = Milliseconds(ms);
    run.add("turn", {relay});
    run.set.capabilities[0].quality.emplace().round_trip_ms = 200;
    auto near = stun("stun.l.google.com", 19302);
    near.observation.round_trip = Milliseconds(20);
    run.add_controls({near, tls("www.google.com"), tls("www.cloudflare.com"), ntp("pool.ntp.org")});
    run.judge();
    return run;
  };
  EXPECT_EQ(made(190).report.sets.front().verdict, Verdict::ready);
  const auto slow = made(250);
  EXPECT_EQ(slow.found(), std::vector<std::string>{"media.delay"});
  EXPECT_EQ(slow.report.findings.front().owner, Owner::vendor);
  const auto& row = row_of(slow.report.sets.front(), "turn");
  EXPECT_TRUE(holds(row.summary, "the shortest round trip is 250 ms")) << row.summary;
}

// What a test sends is short, and what people send is not: rows over TCP suffer or, where TCP
// carries full-size packets, those over UDP, whose media keeps to 1,200 bytes.
TEST(OnePass, LargePacketsThatAreLostWeakenWhatMaySendThem) {
  for (const auto& [tcp_is_fine, size] : {std::pair(false, 1400), {true, 1200}, {true, 1400}}) {
    const auto hole = [&](const std::string& host) {
      auto path = probe(CheckKind::path, Transport::udp, host, 3478, answered, "black_hole");
      path.observation.evidence.push_back(
          {EvidenceKind::path_mtu, "", {{Fact::passes, std::int64_t{size}}}});
      return path;
    };
    const bool media_fits = tcp_is_fine && size >= 1280;
    Scene run;
    run.add("web", {tls("www.vendor.com")});
    run.add("media", {range("20.1.2.3", all_ports("left_site"))});
    run.add("sip", {sip("sip.vendor.com")});
    run.add_controls({tls("www.google.com"), tls("www.cloudflare.com"), hole("stun.cloudflare.com"),
                      hole("stun.l.google.com"), ntp("pool.ntp.org")});
    if (tcp_is_fine)
      run.add_controls(
          {probe(CheckKind::path, Transport::tls, "www.google.com", 443, answered, "full_size")});
    const auto& set = run.judge();
    ASSERT_EQ(run.found(), std::vector<std::string>{"network.mtu"});
    EXPECT_EQ(set.verdict, Verdict::degraded);
    EXPECT_EQ(row_of(set, "web").status, tcp_is_fine ? Status::pass : Status::warn);
    EXPECT_EQ(row_of(set, "media").status,
              tcp_is_fine && !media_fits ? Status::warn : Status::pass);
    EXPECT_EQ(row_of(set, "sip").status, tcp_is_fine ? Status::warn : Status::pass);
    const auto& found = run.report.findings.front();
    EXPECT_EQ(found.title.string().starts_with("UDP packets"), tcp_is_fine) << found.title;
    EXPECT_EQ(holds(found.fix, "MSS"), !tcp_is_fine) << found.fix;
  }
}

// A refusal over an inspected connection may be the inspector's own page.
TEST(OnePass, WhatAnInspectorMayHaveAnsweredIsNoProof) {
  const auto judged = [](double status, bool inspected) {
    Scene run;
    const std::string inspector = "CN=Site Inspection CA,O=Corp";
    auto page = tls("portal.vendor.com", answered, "trusted", inspector);
    page.probe.check = CheckKind::http;
    page.probe.id = probe_id(page.probe);
    page.observation.evidence.push_back(
        {EvidenceKind::http_reply, "HTTP", {{Fact::status, status}}});
    run.add("web", {with_root(std::move(page), !inspected)});
    run.add_controls({with_root(tls("www.google.com", answered, "trusted", inspector), !inspected),
                      tls("www.cloudflare.com"), ntp("pool.ntp.org")});
    const auto status_of_it = row_of(run.judge(), "web").status;
    // Following the fix settles it.
    for (const auto& found : run.report.findings)
      EXPECT_EQ(contains(found.explains, "vendor/web"), status_of_it == Status::unknown);
    return status_of_it;
  };
  EXPECT_EQ(judged(403, true), Status::unknown);
  EXPECT_EQ(judged(200, true), Status::pass);
  EXPECT_EQ(judged(403, false), Status::pass);
}

Scene silent_but_for_https() {
  Scene run;
  run.add("web", {tls("portal.vendor.com")});
  run.add("sip", {sip_tls("sip.vendor.com", silent, "")});
  run.add("push", {tcp("push.other.net", 5223, silent), tcp("push.other.net", 2197, silent)});
  run.add("turn", {turn("turn.vendor.com", silent, "")});
  run.add_controls({tls("www.google.com"), tls("www.cloudflare.com"),
                    stun("stun.cloudflare.com", 3478, silent),
                    stun("stun.l.google.com", 19302, silent), ntp("time.cloudflare.com", silent)});
  return run;
}

// Nothing is known of a port that nobody tried, and the web is let out.
TEST(OnePass, PlainHttpThatNobodyTriedIsNotClosed) {
  auto run = silent_but_for_https();
  auto& plain = run.add("plain", {});
  plain.check = CheckKind::tcp;
  plain.transports = {Transport::tcp};
  plain.ports = {{80, 80}};
  plain.hosts = {{"www.vendor.com", "", Lifecycle::current, ""}};
  run.last_plan().skipped = "left out";
  run.last_plan().untried = true;
  const auto& set = run.judge();
  EXPECT_EQ(run.found().front(), "firewall.web_only");
  EXPECT_EQ(row_of(set, "plain").status, Status::skip);
}

// Seen as far as the first router outside, the connections are closed all the same.
TEST(OnePass, NoPortIsSaidToBeClosedInNoNetwork) {
  auto run = silent_but_for_https();
  run.add_controls({tcp_hop("sip.vendor.com", 5061, "left_site"),
                    tcp_hop("push.other.net", 5223, "left_site"),
                    tcp_hop("push.other.net", 2197, "left_site")});
  run.judge();
  for (const auto& finding : run.report.findings) {
    EXPECT_FALSE(has_evidence(finding, " 0 networks")) << finding.title;
  }
}

ProbeResult nat(const std::string& mapping) {
  auto result = probe(CheckKind::nat, Transport::udp, "stun.vendor.com", 3478, answered, mapping);
  result.observation.evidence.push_back(
      {EvidenceKind::nat_mapping, mapping, {{Fact::value, mapping}}});
  return result;
}

struct ConditionCase {
  const char* name;
  Severity severity;
  Verdict expected;
};
class Condition : public testing::TestWithParam<ConditionCase> {};

TEST_P(Condition, ThatIsBrokenLimitsWhatDependsOnIt) {
  Scene run;
  run.add("web", {tls("www.vendor.com")});
  run.add("nat", {nat("destination_dependent")}, GetParam().severity);
  const auto& set = run.judge();
  EXPECT_EQ(set.verdict, GetParam().expected);
  EXPECT_EQ(row_of(set, "nat").status,
            GetParam().severity == Severity::optional ? Status::pass : Status::warn);
}

const ConditionCase conditions[] = {
    {"Required", Severity::required, Verdict::degraded},
    {"Recommended", Severity::recommended, Verdict::degraded},
    {"Optional", Severity::optional, Verdict::ready},
};
INSTANTIATE_TEST_SUITE_P(OnePass, Condition, testing::ValuesIn(conditions),
                         [](const auto& of) { return std::string(of.param.name); });

TEST(OnePass, ASipAlgThatRewritesLimitsCalls) {
  Scene run;
  auto rewritten = sip("sip.vendor.com");
  rewritten.observation.evidence.push_back(
      {EvidenceKind::sip_via, "the Via came back otherwise", {{Fact::rewritten, true}}});
  run.add("sip", {rewritten});
  const auto& set = run.judge();
  EXPECT_EQ(run.found(), std::vector<std::string>{"sip.alg"});
  EXPECT_EQ(set.verdict, Verdict::degraded);
  EXPECT_EQ(row_of(set, "sip").status, Status::warn);
}

// Nothing is blocked without a finding: what no rule explains is reported as just that.
TEST(OnePass, WhatNoRuleExplainsIsSaidAsWhatItIs) {
  Scene run;
  run.add("web", {tcp("www.vendor.com", 443, silent)});
  run.add_controls(anchors());
  const auto& set = run.judge();
  EXPECT_EQ(set.verdict, Verdict::blocked);
  ASSERT_FALSE(run.report.findings.empty());
  const auto& finding = run.report.findings.back();
  EXPECT_EQ(finding.explains, std::vector<std::string>{"vendor/web"});
  EXPECT_EQ(finding.confidence, Confidence::possible);
  EXPECT_TRUE(holds(finding.title, "www.vendor.com"));
}

// That packets leave says little about a host that answers nothing that it should answer.
TEST(OnePass, WhatOnlyLeftTheSiteIsInDoubtWhereTheHostIsSilent) {
  for (const bool answers : {true, false}) {
    Scene run;
    run.add("media", {range("media.vendor.com", all_ports("left_site"))});
    run.add("web", {tcp("media.vendor.com", 443, answers ? Outcome::connected : silent)},
            Severity::optional);
    run.add_controls(anchors());
    const auto& set = run.judge();
    EXPECT_EQ(row_of(set, "media").status, answers ? Status::pass : Status::unknown);
    EXPECT_EQ(
        holds(row_of(set, "media").summary, "nothing came back from media.vendor.com (TCP 443)"),
        !answers);
  }
}

TEST(OnePass, ABrokenConditionThatNoCapabilityNamesLimitsTheSet) {
  RequirementResult row;
  row.id = "nat";
  row.status = Status::warn;
  row.impaired = true;
  row.severity = Severity::recommended;
  CapabilityResult calls;
  calls.verdict = Verdict::ready;
  calls.requirements = {"sip"};
  RequirementResult sip;
  sip.id = "sip";
  sip.status = Status::pass;
  EXPECT_EQ(verdict_of_set({calls}, std::vector{sip, row}), Verdict::degraded);
  row.severity = Severity::optional;
  EXPECT_EQ(verdict_of_set({calls}, std::vector{sip, row}), Verdict::ready);
}

TEST(VerdictOfSet, WhatCallsDoWithoutDegradesAtTheMost) {
  RequirementResult works, fails;
  works.id = "sip";
  works.status = Status::pass;
  fails.id = "push";
  fails.status = Status::fail;
  CapabilityResult calls, push;
  calls.verdict = Verdict::ready;
  calls.requirements = {"sip"};
  push.verdict = Verdict::blocked;
  push.requirements = {"push"};
  EXPECT_EQ(verdict_of_set({calls, push}, std::vector{works, fails}), Verdict::blocked);
  push.calls = false;
  EXPECT_EQ(verdict_of_set({calls, push}, std::vector{works, fails}), Verdict::degraded);
  // Nor does one without a required row, and while it is unknown it does not leave the set open.
  push.calls = true;
  fails.severity = Severity::recommended;
  EXPECT_EQ(verdict_of_set({calls, push}, std::vector{works, fails}), Verdict::degraded);
  push.verdict = Verdict::unknown;
  calls.verdict = Verdict::degraded;
  EXPECT_EQ(verdict_of_set({calls, push}, std::vector{works, fails}), Verdict::degraded);
}

TEST(VerdictOfSet, ARequiredRowThatFailsIsNotReady) {
  RequirementResult works, fails;
  works.id = "udp";
  works.status = Status::pass;
  fails.id = "tls";
  fails.status = Status::fail;
  CapabilityResult calls;
  calls.verdict = Verdict::ready;
  calls.requirements = {"udp", "tls"};
  fails.severity = Severity::required;
  EXPECT_EQ(verdict_of_set({calls}, std::vector{works, fails}), Verdict::degraded);
  fails.severity = Severity::recommended;
  EXPECT_EQ(verdict_of_set({calls}, std::vector{works, fails}), Verdict::ready);
}

// Only rows that nobody needs were tried, and none works.
TEST(VerdictOfSet, NothingIsReadyWhereNoRowWorks) {
  RequirementResult works, fails;
  works.id = "updates";
  works.severity = Severity::optional;
  works.status = Status::pass;
  fails.id = "statistics";
  fails.severity = Severity::optional;
  fails.status = Status::fail;
  EXPECT_EQ(verdict_of_set({}, std::vector{works, fails}), Verdict::ready);
  EXPECT_EQ(verdict_of_set({}, std::vector{fails}), Verdict::unknown);
  fails.status = Status::warn;
  fails.lost = true;
  EXPECT_EQ(verdict_of_set({}, std::vector{fails}), Verdict::unknown);
}

// One that people can do without is not what they have to do first.
TEST(SortByImpact, WhatBlocksComesBeforeWhatLimitsAndThatBeforeTheRest) {
  SetResult set;
  set.id = "vendor";
  for (const auto* id : {"tcp", "tls", "media", "push"}) {
    RequirementResult row;
    row.id = id;
    row.status = id == std::string_view("tls") ? Status::pass : Status::fail;
    set.requirements.push_back(row);
  }
  CapabilityResult calls;
  calls.id = "calls";
  calls.verdict = Verdict::blocked;
  calls.requirements = {"tcp", "tls", "media"};
  calls.needs = {Need{{{"tcp"}, {"tls"}}, true}, Need{{{"media"}}}};
  set.capabilities = {calls};
  const auto sorted = [&] {
    const auto made = [](const std::string& title, std::vector<std::string> explains,
                         std::vector<FindingAffects> affects) {
      Finding finding;
      finding.code = FindingCode::firewall_flow_blocked;
      finding.title = title;
      finding.explains = std::move(explains);
      finding.affects = std::move(affects);
      return finding;
    };
    std::vector<Finding> findings{
        made("nothing", {}, {}), made("tcp", {"vendor/tcp"}, {{"vendor", {"calls"}}}),
        made("advice", {}, {{"vendor", {}}}), made("push", {"vendor/push"}, {{"vendor", {}}}),
        made("media", {"vendor/media"}, {{"vendor", {"calls"}}})};
    findings[2].code = FindingCode::dns_slow;
    sort_by_impact(findings, {set});
    std::string titles;
    for (const auto& finding : findings) titles += finding.title.string() + ' ';
    return titles;
  };
  EXPECT_EQ(sorted(), "media tcp push nothing advice ");
  set.requirements[1].status = Status::fail;
  EXPECT_EQ(sorted(), "tcp media push nothing advice ") << "nothing stands in for it any more";
  set.requirements[1].status = Status::pass;
  set.capabilities[0].needs.clear();
  EXPECT_EQ(sorted(), "tcp media push nothing advice ") << "as in a report of an older edition";
  // Needs that are only recommended block it together.
  set.capabilities[0].needs = calls.needs;
  for (auto& row : set.requirements) {
    row.severity = Severity::recommended;
    row.status = Status::fail;
  }
  EXPECT_EQ(sorted(), "tcp media push nothing advice ");
}

TEST(WeighFindings, ACauseThatWeakensCallsIsNotReady) {
  const auto weighed = [](FindingCode code, Confidence confidence, Severity severity,
                          Verdict before = Verdict::ready) {
    SetResult set;
    set.id = "vendor";
    set.verdict = before;
    RequirementResult row;
    row.id = "sbc";
    row.status = Status::pass;
    row.severity = severity;
    set.requirements = {row};
    Finding finding;
    finding.code = code;
    finding.confidence = confidence;
    finding.affects = {{"vendor", {}}};
    finding.explains = {"vendor/sbc"};
    std::vector<SetResult> sets{set};
    weigh_findings({finding}, sets);
    return sets.front().verdict;
  };
  using enum Confidence;
  constexpr auto blocked = FindingCode::firewall_destination_blocked;
  EXPECT_EQ(weighed(blocked, certain, Severity::required), Verdict::degraded);
  EXPECT_EQ(weighed(blocked, likely, Severity::recommended), Verdict::degraded);
  EXPECT_EQ(weighed(blocked, possible, Severity::required), Verdict::ready) << "not proved";
  EXPECT_EQ(weighed(blocked, certain, Severity::optional), Verdict::ready) << "nobody needs it";
  EXPECT_EQ(weighed(FindingCode::dns_slow, certain, Severity::required), Verdict::ready)
      << "advice";
  EXPECT_EQ(weighed(blocked, certain, Severity::required, Verdict::unknown), Verdict::degraded)
      << "the cause is known";
  EXPECT_EQ(weighed(blocked, certain, Severity::required, Verdict::blocked), Verdict::blocked);
}

TEST(Closes, PortsByCause) {
  EXPECT_TRUE(closes(Closes::udp, Transport::udp, 3478, false));
  EXPECT_FALSE(closes(Closes::udp, Transport::udp, 53, false));
  EXPECT_FALSE(closes(Closes::udp, Transport::tcp, 3478, false));
  EXPECT_TRUE(closes(Closes::high_udp, Transport::udp, 3478, false));
  EXPECT_FALSE(closes(Closes::high_udp, Transport::udp, 443, false));
  EXPECT_FALSE(closes(Closes::all_but_web, Transport::tcp, 80, false));
  EXPECT_TRUE(closes(Closes::all_but_https, Transport::tcp, 80, false));
  EXPECT_TRUE(closes(Closes::direct, Transport::tls, 443, false));
  EXPECT_FALSE(closes(Closes::direct, Transport::tls, 443, true));
}

// A row that asks the site's name servers is answered, and led astray.
TEST(OnePass, AnAnswerThatLeadsAstrayIsNone) {
  const auto made = [](std::string_view address) {
    Scene run;
    run.add("web", {at(tls("www.vendor.com", silent, "timed_out"), address)});
    run.add("names", {question("www.vendor.com", "NOERROR")});
    run.add_controls(anchors());
    run.add_controls({question("www.vendor.com", "NOERROR", "9.9.9.9")});
    return row_of(run.judge(), "names").status;
  };
  EXPECT_EQ(made("10.66.66.66"), Status::fail);
  EXPECT_EQ(made("20.1.2.3"), Status::pass);
}

// The servers that a row names are silent; the NAT was measured with others all the same.
TEST(OnePass, ANatThatOthersMeasuredSpeaksForTheRow) {
  const auto nat = [](std::string host, Outcome outcome, const std::string& mapping) {
    auto result = probe(CheckKind::nat, Transport::udp, std::move(host), 3478, outcome, mapping);
    if (outcome == answered) {
      result =
          with(std::move(result),
               {EvidenceKind::nat_mapping, "the NAT shows two ports", {{Fact::value, mapping}}});
    }
    return result;
  };
  Scene scene;
  scene.add("sip", {sip("sip.vendor.com")});
  scene.add("nat", {nat("stun.vendor.com", silent, "timed_out")}, Severity::recommended);
  scene.add_controls({nat("turn.other.com", answered, "address_and_port_dependent")});
  const auto& set = scene.judge();
  EXPECT_EQ(scene.found(), std::vector<std::string>{"nat.symmetric"});
  EXPECT_EQ(set.verdict, Verdict::degraded);
  EXPECT_EQ(row_of(set, "nat").status, Status::warn);
}

// The hosts are up and silent on one port, beyond the last router that speaks.
TEST(OnePass, ARequiredRowThatFailsHasAFinding) {
  Scene scene;
  scene.add("udp", {sip("sip.vendor.com")});
  scene.add("tls", {sip_tls("sip.vendor.com", silent, "timed_out")});
  auto& needs = scene.set.capabilities[0].needs;
  needs.front().alternatives.push_back(needs.back().alternatives.front());
  needs.pop_back();
  scene.add_controls({tls("www.google.com"), tcp_hop("sip.vendor.com", 5061, "left_site")});
  EXPECT_EQ(scene.judge().verdict, Verdict::degraded);
  EXPECT_EQ(scene.found(), std::vector<std::string>{"firewall.flow_blocked"});
}

}  // namespace
}  // namespace callready
