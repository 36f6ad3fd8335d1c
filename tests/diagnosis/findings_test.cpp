// From whole reports to root causes: one case per code, its near miss, pairs, and clean sites.
#include "probe/diagnosis/findings.hpp"

#include <set>

#include "probe/diagnosis/facts.hpp"
#include "tests/diagnosis/diagnosis.hpp"
#include "tests/support/said.hpp"

namespace callready::findings_test {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

// Web and TLS of two operators: the line is up.
std::vector<ProbeResult> web() { return {tls("www.google.com"), tls("www.cloudflare.com")}; }
// And everything else that anchors try.
std::vector<ProbeResult> anchors() {
  return {tls("www.google.com"),       tls("www.cloudflare.com"),
          stun("stun.cloudflare.com"), stun("stun.l.google.com", 19302),
          ntp("time.cloudflare.com"),  ntp("pool.ntp.org")};
}
std::vector<ProbeResult> anchors_without_udp() {
  return {tls("www.google.com"), tls("www.cloudflare.com"),
          stun("stun.cloudflare.com", 3478, silent), stun("stun.l.google.com", 19302, silent),
          ntp("time.cloudflare.com", silent)};
}
std::vector<ProbeResult> all_lost(std::vector<ProbeResult> probes) {
  for (auto& result : probes) {
    result.observation.outcome = silent;
    result.observation.detail = DetailCode::timed_out;
    result.observation.evidence.clear();
    result.observation.timing_ms.clear();
  }
  return probes;
}
ProbeResult unresolved_as(ProbeResult result, test::Said detail) {
  result.observation.outcome = unresolved;
  result.observation.detail = detail;
  result.observation.address.reset();
  result.observation.evidence.clear();
  result.observation.timing_ms.clear();
  return result;
}

struct Scene {
  const char* name;
  Report report;
  Codes expected;
};

class FindingsTest : public testing::TestWithParam<Scene> {};

TEST_P(FindingsTest, NamesTheCausesAndNoOthers) {
  EXPECT_EQ(codes(diagnose(GetParam().report)), GetParam().expected);
}

constexpr auto scene_name = [](const auto& of) { return std::string(of.param.name); };

// --- clean sites ---------------------------------------------------------------------------------

std::vector<Scene> clean_sites() {
  auto ipv4_only = stun("turn6.vendor.com", 3478, skipped);
  ipv4_only.observation.detail = DetailCode::no_route;
  auto symmetric =
      with(stun("stun.l.google.com", 19302), {EvidenceKind::nat_mapping,
                                              "every destination",
                                              {{Fact::value, "address_and_port_dependent"}}});
  symmetric.probe.check = CheckKind::nat;
  symmetric.observation.detail = DetailCode::address_and_port_dependent;
  return {
      {"Everything",
       report({row("web", {tls("portal.vendor.com")}), row("turn", {turn("turn.vendor.com")}),
               row("media", {range("media.vendor.com", all_ports("left_site", "84.199.10.1"))}),
               controls(anchors())}),
       {}},
      {"NoAnchors", report({row("turn", {turn("turn.vendor.com")})}), {}},
      {"Nothing", Report{}, {}},
      {"CarrierNat",
       report({row("media", {range("media.vendor.com", all_ports("left_site", "100.64.0.1"))}),
               controls(anchors())}),
       {}},
      {"SymmetricNatThatIsOnlyANote",
       report({row("turn", {turn("turn.vendor.com")}), spare("nat", {symmetric}),
               controls(anchors())}),
       {}},
      {"SilentMediaHosts",
       report({row("media", {range("media1.vendor.com", all_ports("silent")),
                             range("media2.vendor.com", all_ports("silent"))}),
               controls(anchors())}),
       {}},
      {"SipServerThatIgnoresOptionsOverUdp",
       report({row("sip", {sip("sip.vendor.com", 5060, silent, "timed_out"),
                           sip_tcp("sip.vendor.com"), sip_tls("sip.vendor.com")}),
               controls(anchors())}),
       {}},
      {"SipServersThatAllIgnoreOptionsOverUdp",
       report({row("sip", {sip("sip1.vendor.com", 5060, silent, "timed_out"),
                           sip("sip2.other.net", 5060, silent, "timed_out")}),
               controls(anchors())}),
       {}},
      {"TurnWithoutItsFallbacks",
       report({row("turn", {turn("turn1.vendor.com"), turn("turn2.vendor.com")}),
               spare("turn-tls", {turn_tls("turn1.vendor.com", refused),
                                  turn_tls("turn2.vendor.com", refused)}),
               spare("turn-tcp",
                     {turn_tcp("turn1.vendor.com", silent), turn_tcp("turn2.vendor.com", silent)}),
               controls(anchors())}),
       {}},
      {"WebServerThatForbids",
       report({row("web", {probe(CheckKind::http, Transport::tls, "portal.vendor.com", 443,
                                 answered, "403")}),
               controls(anchors())}),
       {}},
      {"SipServerThatWantsALogin",
       report({row("sip", {sip("sip.vendor.com", 5060, answered, "401")}), controls(anchors())}),
       {}},
      {"SipServerWithoutOptions",
       report({row("sip", {sip("sip.vendor.com", 5060, answered, "501")}), controls(anchors())}),
       {}},
      {"ServersWithPrivatePki",
       report({row("hub",
                   {with_root(tls("hub.vendor.com", answered, "private_pki", "CN=Hub CA,O=Vendor"),
                              false)}),
               controls(anchors())}),
       {}},
      {"Ipv4Only",
       report({row("turn", {turn("turn.vendor.com"), ipv4_only}), controls(anchors())}),
       {}},
      {"DnsWithinBounds",
       report({row("web",
                   {resolved_in(tls("a.vendor.com"), 300), resolved_in(tls("b.vendor.com"), 400),
                    resolved_in(tls("c.vendor.com"), 1100)}),
               controls({resolved_in(tls("www.google.com"), 200),
                         resolved_in(tls("www.cloudflare.com"), 90)})}),
       {}},
      {"ClockWithinBounds",
       report({row("web", {tls("portal.vendor.com")}),
               controls({ntp("time.cloudflare.com", answered, 20'000),
                         ntp("pool.ntp.org", answered, 20'100)})}),
       {}},
      {"InspectionThatSparesTheService",
       report(
           {row("web", {with_root(tls("portal.vendor.com"), true)}),
            controls(
                {with_root(tls("www.google.com", answered, "trusted", "CN=Zscaler Root CA"), false),
                 with_root(tls("www.cloudflare.com", answered, "trusted", "CN=Zscaler Root CA"),
                           false)})}),
       {}},
      {"ProxyThatCarriesWhatItMay",
       report({row("web", {proxied(tls("portal.vendor.com"))}), controls(anchors())}),
       {}},
      {"ServersOfTheSitesOwn",
       report({row("pbx", {at(sip("pbx.corp.example.com"), "10.1.2.3"),
                           at(sip_tls("pbx.corp.example.com"), "10.1.2.3")}),
               controls(anchors())}),
       {}},
      {"AnUnusedControlThatIsSilent",
       report({row("web", {tls("portal.vendor.com")}), controls(anchors_without_udp())}),
       {}},
  };
}
INSTANTIATE_TEST_SUITE_P(Clean, FindingsTest, testing::ValuesIn(clean_sites()), scene_name);

// --- the site as a whole -------------------------------------------------------------------------

ProbeResult no_route(ProbeResult result) {
  result.observation.outcome = skipped;
  result.observation.detail = DetailCode::no_route;
  result.observation.address.reset();
  return result;
}

ProbeResult known_page(std::string host, bool matches, std::string redirect_host = {}) {
  auto page = probe(CheckKind::http, Transport::tcp, std::move(host), 80,
                    matches ? answered : failed, matches ? "200" : "unexpected_body");
  page.probe.with["body"] = "Success";
  Evidence reply{EvidenceKind::http_reply, "HTTP 200", {{Fact::body_matches, matches}}};
  if (!redirect_host.empty()) reply.facts[Fact::redirect_host] = redirect_host;
  return with(std::move(page), std::move(reply));
}

std::vector<Scene> sites() {
  const auto reset = [](std::string host) {
    return tls(std::move(host), refused, "connection_refused");
  };
  return {
      {"Offline",
       report(
           {row("turn", {turn("1.2.3.4", silent, "")}),
            controls({tls("1.1.1.1", silent, "timed_out"), tls("8.8.8.8", silent, "timed_out")})}),
       {"network.offline (certain)"}},
      {"OfflineThoughNamesAreLookedUp",
       report({row("turn", {turn("turn.vendor.com", silent, "")}), controls(all_lost(anchors()))}),
       {"network.offline (likely)"}},
      {"OfflineWithoutAnchors",
       report({row("turn", {turn("turn.vendor.com", silent, ""), turn("turn.other.net", silent, ""),
                            tls("portal.vendor.com", silent, "timed_out")})}),
       {"network.offline (likely)"}},
      {"OfflineWithoutRoute",
       report({row("turn", {no_route(turn("1.2.3.4"))}),
               controls({no_route(tls("1.1.1.1")), no_route(tls("8.8.8.8"))})}),
       {"network.offline (certain)"}},
      {"OneLostServerIsNotOffline",
       report({row("turn", {turn("turn.vendor.com", silent, "")})}),
       {"firewall.flow_blocked (possible)"}},
      {"ALanServerIsNoWayOut",
       report({row("pbx", {at(sip_tcp("pbx.vendor.com"), "10.1.2.3")}),
               row("turn", {turn("turn.vendor.com", silent, "")}), controls(all_lost(anchors()))}),
       {"network.offline (likely)"}},
      {"AnAnswerThroughTheProxyIsAWayOut",
       report({row("web", {tls("portal.vendor.com", silent, "timed_out"),
                           proxied(tls("portal.vendor.com"))}),
               controls(all_lost(anchors()))}),
       {"proxy.required (certain)"}},
      {"CaptivePortal",
       report({row("web", {reset("portal.vendor.com")}),
               controls({reset("www.google.com"),
                         known_page("www.msftncsi.com", false, "portal.hotel.example"),
                         known_page("captive.apple.com", false, "portal.hotel.example"),
                         stun("stun.l.google.com", 19302, silent)})}),
       {"network.captive_portal (certain)"}},
      {"CaptivePortalOnOnePage",
       report({row("web", {reset("portal.vendor.com")}),
               controls({known_page("www.msftncsi.com", false, "portal.hotel.example")})}),
       {"network.captive_portal (likely)"}},
      {"ClockSkewed",
       report({row("web", {tls("portal.vendor.com", failed, "not_yet_valid", public_ca)}),
               controls({ntp("time.cloudflare.com", answered, 7'200'000),
                         ntp("pool.ntp.org", answered, 7'200'300)})}),
       {"time.skewed (certain)"}},
      {"OneTimeServerIsNotEnough",
       report({row("web", {tls("portal.vendor.com")}),
               controls({ntp("time.cloudflare.com", answered, 7'200'000)})}),
       {}},
      {"TimeServersThatDisagree",
       report({row("web", {tls("portal.vendor.com")}),
               controls({ntp("time.cloudflare.com", answered, 7'200'000),
                         ntp("pool.ntp.org", answered, 3)})}),
       {}},
  };
}
INSTANTIATE_TEST_SUITE_P(Sites, FindingsTest, testing::ValuesIn(sites()), scene_name);

// A certificate that begins in an hour, by a clock that is two hours slow: nothing is wrong with
// it.
TEST(FindingsClock, ExcusesCertificatesThatHoldAtTheRightTime) {
  auto young =
      probe(CheckKind::tls, Transport::tls, "portal.vendor.com", 443, failed, "not_yet_valid");
  young = with(young, certificate(0, "CN=portal.vendor.com", public_ca, "2026-11-20T13:00:00Z"));
  const auto controls_of = [](double offset_ms) {
    return controls({ntp("time.cloudflare.com", answered, offset_ms),
                     ntp("pool.ntp.org", answered, offset_ms)});
  };
  EXPECT_EQ(codes(diagnose(report({row("web", {young}), controls_of(7'200'000)}))),
            Codes{"time.skewed (certain)"});
  EXPECT_EQ(codes(diagnose(report({row("web", {young}), controls_of(0)}))),
            Codes{"tls.expired (certain)"});
}

// No two operators forget their certificates at once: it is the clock, if one source of the time
// makes all of them valid, or if none is there and all are yet to begin.
TEST(FindingsClock, IsWrongWhereEverybodysCertificateIs) {
  const auto dated = [](const std::string& host, const std::string& detail, const char* from,
                        const char* until) {
    return with(probe(CheckKind::tls, Transport::tls, host, 443, failed, detail),
                certificate(0, "CN=" + host, public_ca, from, until));
  };
  const auto made = [&](const std::string& detail, const char* from, const char* until,
                        std::vector<ProbeResult> times) {
    times.push_back(dated("www.google.com", detail, from, until));
    return report({row("web", {dated("portal.vendor.com", detail, from, until)}),
                   controls(std::move(times))});
  };
  const auto slow = [&](std::vector<ProbeResult> times) {
    return made("not_yet_valid", "2026-11-30T12:00:00Z", "2027-01-01T00:00:00Z", std::move(times));
  };
  const auto found = only(slow({ntp("pool.ntp.org", answered, 15 * 86'400'000.)}));
  EXPECT_EQ(found.title, "This computer's clock is 15 days slow");
  EXPECT_EQ(found.confidence, Confidence::certain);
  const auto alone = only(slow({}));
  EXPECT_EQ(alone.title, "This computer's clock is at least 10 days slow");
  EXPECT_EQ(alone.confidence, Confidence::likely);
  // A time server says otherwise; or an authority may have ended, as everybody's do that one device
  // signs.
  for (const auto& other : {slow({ntp("pool.ntp.org", answered, 0)}),
                            made("expired", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", {})}) {
    for (const auto& finding : diagnose(other))
      EXPECT_NE(finding.code, FindingCode::time_skewed) << finding.title;
  }
}

// The latest year that a report may have, and a clock that is nearly a century slow.
TEST(FindingsClock, ReckonsBeyondTheTimesThatNanosecondsCount) {
  auto young =
      probe(CheckKind::tls, Transport::tls, "portal.vendor.com", 443, failed, "not_yet_valid");
  young = with(young, certificate(0, "CN=portal.vendor.com", public_ca, "2297-01-01T00:00:00Z",
                                  "2299-01-01T00:00:00Z"));
  young.observation.sent_at = WallTime(std::chrono::sys_days(std::chrono::June / 1 / 2200));
  EXPECT_EQ(
      codes(report({row("web", {young}), controls({ntp("time.cloudflare.com", answered, 3.1e12),
                                                   ntp("pool.ntp.org", answered, 3.1e12)})})),
      Codes{"time.skewed (certain)"});
}

// A report holds thousandths of a millisecond: what is read from it must be told in the same order.
TEST(FindingsClock, DoesNotDependOnWhatAReportRounds) {
  const auto evidence_of = [](double first_ms, double second_ms) {
    std::string text;
    const auto found = diagnose(report({row("web", {tls("portal.vendor.com")}),
                                        controls({ntp("time.cloudflare.com", answered, first_ms),
                                                  ntp("pool.ntp.org", answered, second_ms)})}));
    for (const auto& evidence : found.at(0).evidence) text += evidence.probe + "\n";
    return text;
  };
  const auto rounded = evidence_of(7'200'000, 7'200'000);
  EXPECT_EQ(evidence_of(7'200'000.0004, 7'200'000.0001), rounded);
  EXPECT_EQ(evidence_of(7'200'000.0001, 7'200'000.0004), rounded);
}

// --- names ---------------------------------------------------------------------------------------

std::vector<Scene> names() {
  const auto lost = [](ProbeResult result) {
    return unresolved_as(std::move(result), "dns_unreachable");
  };
  const auto gone = [](std::string host) {
    return unresolved_as(tls(std::move(host)), "no_such_name");
  };
  const auto asked_twice = [](ProbeResult result) {
    result.observation.attempts = 2;
    return result;
  };
  return {
      {"DnsUnreachable",
       report({row("web", {lost(tls("portal.vendor.com"))}), row("sbc", {tcp("20.1.2.3", 443)}),
               controls({lost(tls("www.google.com")), lost(stun("stun.cloudflare.com"))})}),
       {"dns.unreachable (certain)"}},
      {"DnsUnreachableAndNothingElseToTry",
       report(
           {row("web", {lost(tls("portal.vendor.com"))}), controls({lost(tls("www.google.com"))})}),
       {"dns.unreachable (likely)"}},
      {"TheProxysNameIsLookedUpThereAsWell",
       report({row("web", {proxied(tls("portal.vendor.com"), unresolved, "proxy_unresolved")}),
               row("turn", {lost(turn("turn.vendor.com"))}),
               controls({lost(tls("www.google.com"))})}),
       {"dns.unreachable (likely)"}},
      {"TheOnlyNameAndNoAnswer",
       report({row("web", {lost(tls("portal.vendor.com"))})}),
       {"dns.unreachable (possible)"}},
      {"TheOnlyNameAndAnError",
       report({row("web", {unresolved_as(tls("portal.vendor.com"), "dns_failed")})}),
       {}},
      {"AllNamesOfOneOwnerAndAnError",
       report({row("web", {unresolved_as(tls("portal.vendor.com"), "dns_failed"),
                           unresolved_as(tls("www.vendor.com"), "dns_failed")}),
               row("sbc", {tcp("20.1.2.3", 443)})}),
       {}},
      {"NamesOfTwoOwnersAndAnErrorWhereOthersAreLookedUp",
       report({row("web", {unresolved_as(tls("portal.vendor.com"), "dns_failed"),
                           unresolved_as(tls("www.partner.com"), "dns_failed")}),
               row("sbc", {tcp("20.1.2.3", 443)}),
               follow_up({question("example.com", "NOERROR")})}),
       {}},
      {"DnsThatCannotLookUp",
       report(
           {row("web", {unresolved_as(tls("portal.vendor.com"), "dns_failed")}),
            controls({tcp("1.1.1.1", 443), unresolved_as(tls("www.google.com"), "dns_failed")})}),
       {"dns.unreachable (certain)"}},
      {"OneUnreachableName",
       report(
           {row("web", {lost(tls("portal.vendor.com")), tls("www.vendor.com")}), controls(web())}),
       {}},
      {"NoDnsBehindAProxy",
       report({row("web", {lost(tls("portal.vendor.com")), proxied(tls("portal.vendor.com"))}),
               controls({lost(tls("www.google.com")), proxied(tls("www.google.com"))})}),
       {"proxy.required (certain)"}},
      {"FilteredByTheContrast",
       report({row("web", {gone("portal.vendor.com")}),
               follow_up({question("portal.vendor.com", "NXDOMAIN"),
                          question("portal.vendor.com", "NOERROR", "9.9.9.9")}),
               controls(web())}),
       {"dns.filtered (certain)"}},
      {"FilteredByAnExtendedError",
       report({row("web", {gone("portal.vendor.com")}),
               follow_up({question("portal.vendor.com", "NXDOMAIN", "",
                                   {{Fact::extended_error_code, std::int64_t{15}}})}),
               controls(web())}),
       {"dns.filtered (certain)"}},
      {"FilteredByAPolicyZone",
       report({row("web", {gone("portal.vendor.com")}),
               follow_up({question("portal.vendor.com", "NXDOMAIN", "",
                                   {{Fact::soa_zone, std::string("rpz.corp.example")}})}),
               controls(web())}),
       {"dns.filtered (certain)"}},
      {"DeniedByAForeignZoneEverywhere",
       report({row("web", {gone("portal.vendor.com")}),
               follow_up({question("portal.vendor.com", "NXDOMAIN", "",
                                   {{Fact::soa_zone, std::string("cloudhost.net")}}),
                          question("portal.vendor.com", "NXDOMAIN", "9.9.9.9",
                                   {{Fact::soa_zone, std::string("cloudhost.net")}})}),
               controls(web())}),
       {}},
      {"DeniedByTheZoneOfWhatItIsAnAliasOf",
       report({row("web", {gone("portal.vendor.com")}),
               follow_up({question("portal.vendor.com", "NXDOMAIN", "",
                                   {{Fact::soa_zone, std::string("cloudhost.net")},
                                    {Fact::canonical_name, std::string("x.CloudHost.net")}})}),
               controls(web())}),
       {}},
      {"DeniedByItsOwnZoneInOtherLetters",
       report({row("web", {gone("Portal.Vendor.com")}),
               follow_up({question("Portal.Vendor.com", "NXDOMAIN", "",
                                   {{Fact::soa_zone, std::string("vendor.com")}})}),
               controls(web())}),
       {}},
      {"DeniedByItsOwnZone",
       report({row("web", {gone("portal.vendor.com")}),
               follow_up({question("portal.vendor.com", "NXDOMAIN", "",
                                   {{Fact::soa_zone, std::string("vendor.com")}})}),
               controls(web())}),
       {}},
      {"OnlyTheLocalResolverToAsk",
       report({row("web", {gone("portal.vendor.com")}), controls(web())}),
       {}},
      {"FilteredSiblings",
       report({row("web", {gone("portal.vendor.com"), gone("files.vendor.com")}),
               follow_up({question("portal.vendor.com", "NOERROR", "9.9.9.9")}), controls(web())}),
       {"dns.filtered (certain)"}},
      // Port 53 is redirected to a resolver that filters, whoever is asked.
      {"FilteredForEverybody",
       report({row("web", {gone("portal.vendor.com"), gone("files.vendor.com")}),
               follow_up({question("portal.vendor.com", "NXDOMAIN", "9.9.9.9"),
                          asked_of_nobody("portal.vendor.com", "www.google.com")}),
               controls(web())}),
       {"dns.filtered (likely)"}},
      {"OldListWherePort53IsLed",
       report({row("web", {gone("old.vendor.com"), tls("portal.vendor.com")}),
               follow_up({question("old.vendor.com", "NXDOMAIN", "9.9.9.9"),
                          asked_of_nobody("old.vendor.com", "www.google.com")}),
               controls(web())}),
       {"dns.filtered (possible)"}},
      {"Outdated",
       report({row("web", {gone("old.vendor.com"), tls("portal.vendor.com")}),
               follow_up({question("old.vendor.com", "NXDOMAIN", "9.9.9.9"),
                          question("old.vendor.com", "NXDOMAIN", "1.1.1.1")}),
               controls(web())}),
       {"target.outdated (certain)"}},
      {"OutdatedByOneWitness",
       report({row("web", {gone("old.vendor.com"), tls("portal.vendor.com")}),
               follow_up({question("old.vendor.com", "NXDOMAIN", "9.9.9.9")}), controls(web())}),
       {"target.outdated (likely)"}},
      {"AWitnessThatIsTheSitesOwn",
       report({row("web", {gone("old.vendor.com"), tls("portal.vendor.com")}),
               follow_up({question("old.vendor.com", "NXDOMAIN", lan_resolver)}), controls(web())}),
       {}},
      {"RewrittenToASinkhole",
       report({row("web", {at(tls("portal.vendor.com", silent, ""), "0.0.0.0")}), controls(web())}),
       {"dns.rewritten (certain)"}},
      {"RewrittenByTheContrast",
       report({row("web", {at(tls("portal.vendor.com", silent, ""), "10.66.66.66")}),
               follow_up({question("portal.vendor.com", "NOERROR", "9.9.9.9")}), controls(web())}),
       {"dns.rewritten (certain)"}},
      {"RewrittenSeveral",
       report({row("web", {at(tls("portal.vendor.com", silent, ""), "10.66.66.66"),
                           at(tls("files.vendor.com", silent, ""), "10.66.66.66")}),
               controls(web())}),
       {"dns.rewritten (likely)"}},
      {"OneSilentServerOfTheSitesOwn",
       report({row("pbx", {at(sip_tls("pbx.corp.example.com", silent, ""), "10.66.66.66")}),
               controls(web())}),
       {}},
      {"PrivateForEverybody",
       report({row("pbx", {at(sip_tls("pbx.vendor.com", silent, ""), "10.66.66.66")}),
               follow_up({question("pbx.vendor.com", "NOERROR", "9.9.9.9",
                                   {{Fact::records, std::string("10.66.66.66")}})}),
               controls(web())}),
       {}},
      {"PrivateByOneServerElsewhereOnly",  // questions to that one are answered by somebody here
       report({row("pbx", {at(sip_tls("pbx.vendor.com", silent, ""), "10.66.66.66")}),
               follow_up({question("pbx.vendor.com", "NOERROR", "8.8.8.8",
                                   {{Fact::records, std::string("10.66.66.66")}}),
                          question("pbx.vendor.com", "NOERROR", "9.9.9.9",
                                   {{Fact::records, std::string("20.1.2.3")}})}),
               controls(web())}),
       {"dns.rewritten (certain)"}},
      {"Slow",
       report({row("web",
                   {resolved_in(tls("a.vendor.com"), 1600), resolved_in(tls("b.vendor.com"), 1500),
                    resolved_in(tls("c.vendor.com"), 1700)}),
               controls(web())}),
       {"dns.slow (certain)"}},
      {"SlowOrFoundOnlyWhenAskedForAgain",
       report({row("web", {resolved_in(tls("a.vendor.com"), 1600), tls("b.vendor.com"),
                           tls("c.vendor.com", unresolved, "dns_unreachable")}),
               follow_up({asked_twice(question("c.vendor.com", "NOERROR"))}), controls(web())}),
       {"dns.slow (likely)"}},
      {"SlowEverywhere",
       report(
           {row("web",
                {resolved_in(tls("a.vendor.com"), 1600), resolved_in(tls("b.vendor.com"), 1500),
                 resolved_in(tls("c.vendor.com"), 1700)}),
            follow_up({question("www.google.com", "NOERROR", "9.9.9.9", {{Fact::took_ms, 900.0}})}),
            controls(web())}),
       {}},
      {"SlowHereOnly",
       report(
           {row("web",
                {resolved_in(tls("a.vendor.com"), 1600), resolved_in(tls("b.vendor.com"), 1500),
                 resolved_in(tls("c.vendor.com"), 1700)}),
            follow_up({question("www.google.com", "NOERROR", "9.9.9.9", {{Fact::took_ms, 20.0}})}),
            controls(web())}),
       {"dns.slow (certain)"}},
  };
}
INSTANTIATE_TEST_SUITE_P(Names, FindingsTest, testing::ValuesIn(names()), scene_name);

// --- the proxy -----------------------------------------------------------------------------------

std::vector<Scene> proxies() {
  const auto direct = [](std::string host) { return tls(std::move(host), silent, "timed_out"); };
  return {
      {"Required",
       report(
           {row("web", {proxied(tls("portal.vendor.com"))}),
            row("turn", {turn("turn.vendor.com", silent, ""), turn_tls("turn.vendor.com", silent)}),
            controls(all_lost(anchors()))}),
       {"proxy.required (certain)"}},
      {"UsedAndEnough",
       report({row("web", {proxied(tls("portal.vendor.com"))}),
               controls({direct("www.google.com"), direct("www.cloudflare.com"),
                         proxied(tls("www.google.com"))})}),
       {}},
      {"NotRequiredWhereDirectWorks",
       report({row("web", {tls("portal.vendor.com"), proxied(tls("portal.vendor.com"))}),
               row("turn", {turn("turn.vendor.com", silent, "")}), controls(web())}),
       {"firewall.flow_blocked (possible)"}},
      {"LoginWanted",
       report({row("web", {proxied(tls("portal.vendor.com"), denied, "407")}),
               controls({proxied(tls("www.google.com"), denied, "407"), tls("www.google.com"),
                         tls("www.cloudflare.com")})}),
       {"proxy.auth_required (certain)"}},
      {"Denied",
       report({row("web", {proxied(tls("portal.vendor.com")),
                           proxied(sip_tls("sip.vendor.com"), denied, "403")}),
               controls(web())}),
       {"proxy.connect_denied (certain)"}},
      {"AProxyThatDoesNotGetThroughIsNotADenial",
       report({row("web", {proxied(tls("portal.vendor.com"), denied, "503")}), controls(web())}),
       {}},
      {"Unreachable",
       report({row("web", {proxied(tls("portal.vendor.com"), refused, "proxy_unreachable"),
                           proxied(tls("files.vendor.com"), refused, "proxy_unreachable")}),
               controls(web())}),
       {"proxy.unreachable (certain)"}},
      {"OneLostConnectionIsNotTheProxy",
       report({row("web", {proxied(tls("portal.vendor.com")),
                           proxied(tls("files.vendor.com"), silent, "timed_out")}),
               controls(web())}),
       {}},
  };
}
INSTANTIATE_TEST_SUITE_P(Proxies, FindingsTest, testing::ValuesIn(proxies()), scene_name);

// --- TCP -----------------------------------------------------------------------------------------

std::vector<Scene> tcp_ways() {
  return {
      {"Port",
       report({row("sip", {sip_tls("sip.vendor.com", silent, ""), sip_tcp("sip.vendor.com"),
                           sip_tls("sip.other.net", silent, ""), sip_tcp("sip.other.net")}),
               controls(anchors())}),
       {"firewall.tcp_port_blocked (likely)"}},
      {"PortByADevice",
       report({row("sip", {rejected_by(sip_tls("sip.vendor.com"), "10.20.0.1"),
                           rejected_by(sip_tls("sip.other.net"), "10.20.0.1")}),
               controls(anchors())}),
       {"firewall.tcp_port_blocked (certain)"}},
      {"PortByItsPath",
       report({row("sip", {sip_tls("sip.vendor.com", silent, ""), sip_tcp("sip.vendor.com")}),
               follow_up({tcp_hop("sip.vendor.com", 5061, "dropped"),
                          tcp_hop("www.google.com", 5061, "dropped")}),
               controls(anchors())}),
       {"firewall.tcp_port_blocked (certain)"}},
      {"PortResetsOfTwoOperators",
       report({row("sip", {sip_tls("sip.vendor.com", refused, ""), sip_tcp("sip.vendor.com"),
                           sip_tls("sip.other.net", refused, ""), sip_tcp("sip.other.net")}),
               controls(anchors())}),
       {"firewall.tcp_port_blocked (likely)"}},
      {"PortResetsOfOneOperator",
       report({row("sip", {sip_tls("sip1.vendor.com", refused, ""), sip_tcp("sip1.vendor.com"),
                           sip_tls("sip2.vendor.com", refused, ""), sip_tcp("sip2.vendor.com")}),
               controls(anchors())}),
       {"vendor.down (possible)"}},
      {"PortRefusedByOneOperatorAndSilentAtAnother",
       report({row("sip", {sip_tls("sip.vendor.com", refused, ""), sip_tcp("sip.vendor.com"),
                           sip_tls("sip.other.net", silent, ""), sip_tcp("sip.other.net")}),
               controls(anchors())}),
       {"firewall.tcp_port_blocked (likely)"}},
      {"TwoPortsAreOneCause",
       report({row("sip", {sip_tls("sip.vendor.com", silent, ""),
                           sip_tcp("sip.vendor.com", 5060, silent, ""), tls("sip.vendor.com"),
                           sip_tls("sip.other.net", silent, ""),
                           sip_tcp("sip.other.net", 5060, silent, ""), tls("sip.other.net")}),
               controls(anchors())}),
       {"firewall.tcp_port_blocked (likely)"}},
      {"PortThatWorksSomewhere",
       report({row("sip", {sip_tls("sip.vendor.com", silent, ""), sip_tcp("sip.vendor.com"),
                           sip_tls("sip.other.net")}),
               controls(anchors())}),
       {"firewall.flow_blocked (possible)"}},
      {"Destination",
       report({row("web", {tls("portal.vendor.com", silent, ""),
                           stun("portal.vendor.com", 3478, silent), tls("www.other.net")}),
               controls(anchors())}),
       {"firewall.destination_blocked (possible)"}},
      {"DestinationAmongItsSiblings",
       report({row("turn",
                   {turn("turn1.vendor.com"), turn_tls("turn1.vendor.com"),
                    turn("turn2.vendor.com", silent, ""), turn_tls("turn2.vendor.com", silent)}),
               controls(anchors())}),
       {"firewall.destination_blocked (possible)"}},
      {"DestinationWithOneOpenPort",
       report({row("web", {tls("portal.vendor.com", silent, ""), tcp("portal.vendor.com", 80),
                           stun("portal.vendor.com", 3478, silent), tls("www.other.net")}),
               controls(anchors())}),
       {"firewall.flow_blocked (possible)"}},
      {"OnePortOfOneHost",
       report({row("web", {tls("portal.vendor.com", silent, "")}), controls(anchors())}),
       {"firewall.flow_blocked (possible)"}},
      {"OnePortThatDiesOnTheWay",
       report({row("web", {tls("portal.vendor.com", silent, "")}),
               follow_up({tcp_hop("portal.vendor.com", 443, "dropped")}), controls(anchors())}),
       {"firewall.flow_blocked (likely)"}},
      {"OnePortThatLeavesTheSite",
       report({row("web", {tls("portal.vendor.com", silent, "")}),
               follow_up({tcp_hop("portal.vendor.com", 443, "left_site")}), controls(anchors())}),
       {"firewall.flow_blocked (possible)"}},
      {"ALostFallbackIsNoFinding",
       report({row("web", {tls("portal.vendor.com")}),
               spare("alternate", {tcp("portal.vendor.com", 8443, silent)}), controls(anchors())}),
       {}},
      {"WebOnly",
       report({row("all", {tls("portal.vendor.com"), sip_tls("sip.vendor.com", silent, ""),
                           tcp("push.other.net", 5223, silent), tcp("push.other.net", 2197, silent),
                           turn("turn.vendor.com", silent, "")}),
               controls(anchors_without_udp())}),
       {"firewall.web_only (likely)"}},
      {"WebOnlyWithTwoOtherPorts",
       report({row("all",
                   {tls("portal.vendor.com"), tls("push.other.net"),
                    sip_tls("portal.vendor.com", silent, ""), sip_tls("push.other.net", silent, ""),
                    turn("turn.vendor.com", silent, "")}),
               controls(anchors_without_udp())}),
       {"firewall.udp_blocked (likely)", "firewall.tcp_port_blocked (likely)"}},
      {"WebAndMailIsNotWebOnly",
       report({row("all", {tls("portal.vendor.com"), sip_tls("sip.vendor.com", silent, ""),
                           tcp("push.other.net", 5223, silent), tcp("push.other.net", 2197, silent),
                           tcp("push.other.net", 25), turn("turn.vendor.com", silent, "")}),
               controls(anchors_without_udp())}),
       {"firewall.udp_blocked (likely)", "firewall.flow_blocked (likely)"}},
  };
}
INSTANTIATE_TEST_SUITE_P(Tcp, FindingsTest, testing::ValuesIn(tcp_ways()), scene_name);

// --- UDP -----------------------------------------------------------------------------------------

std::vector<Scene> udp_ways() {
  const auto lost_turn = [] {
    return row("turn", {turn("turn.vendor.com", silent, ""), tls("portal.vendor.com")});
  };
  return {
      {"Blocked",
       report({lost_turn(), controls(anchors_without_udp())}),
       {"firewall.udp_blocked (likely)"}},
      {"BlockedByDroppedPorts",
       report({row("media", {range("media.vendor.com", all_ports("dropped"))}),
               controls(anchors_without_udp())}),
       {"firewall.udp_blocked (certain)"}},
      {"BlockedByADevice",
       report({row("turn", {rejected_by(turn("turn.vendor.com"), "10.20.0.1")}),
               controls({tls("www.google.com"), tls("www.cloudflare.com"),
                         rejected_by(stun("stun.l.google.com", 19302), "10.20.0.1"),
                         rejected_by(ntp("pool.ntp.org"), "10.20.0.1")})}),
       {"firewall.udp_blocked (certain)"}},
      // One protocol is no more than that.
      {"StunBlockedByADevice",
       report({row("turn", {rejected_by(turn("turn.vendor.com"), "10.20.0.1")}),
               controls({tls("www.google.com"), tls("www.cloudflare.com"),
                         rejected_by(stun("stun.l.google.com", 19302), "10.20.0.1")})}),
       {"firewall.flow_blocked (likely)"}},
      {"OneSilentOperatorIsNotUdp",
       report({row("turn", {turn("turn.vendor.com", silent, "")}), controls(web())}),
       {"firewall.flow_blocked (possible)"}},
      {"SilentMediaIsNotUdp",
       report({row("media", {range("media.vendor.com", all_ports("silent"))}), controls(web())}),
       {}},
      {"ATimeServerThatAnswersIsUdp",
       report({lost_turn(),
               controls({tls("www.google.com"), tls("www.cloudflare.com"),
                         stun("stun.l.google.com", 19302, silent), ntp("pool.ntp.org")})}),
       {"firewall.flow_blocked (likely)"}},
      {"PortByItsPath",
       report({lost_turn(),
               follow_up({udp_hop("turn.vendor.com", 3478, "dropped", "stun"),
                          udp_hop("turn.vendor.com", 3478, "dropped")}),
               controls({tls("www.google.com"), stun("stun.l.google.com", 19302)})}),
       {"firewall.udp_port_blocked (likely)"}},
      {"PortByADevice",
       report({row("turn", {rejected_by(turn("turn.vendor.com"), "10.20.0.1")}),
               controls({tls("www.google.com"), stun("stun.l.google.com", 19302)})}),
       {"firewall.udp_port_blocked (certain)"}},
      {"PortByTwoOperators",
       report({lost_turn(), controls({tls("www.google.com"), tls("www.cloudflare.com"),
                                      stun("stun.cloudflare.com", 3478, silent),
                                      stun("stun.l.google.com", 19302)})}),
       {"firewall.udp_port_blocked (likely)"}},
      {"SilenceOfOneServer",
       report({lost_turn(), controls(anchors())}),
       {"firewall.flow_blocked (possible)"}},
      {"SilenceOfOneServerWhosePacketsLeave",
       report({lost_turn(), follow_up({udp_hop("turn.vendor.com", 3478, "left_site", "stun")}),
               controls(anchors())}),
       {"firewall.flow_blocked (possible)"}},
      {"SipPortByItsPath",
       report({row("sip",
                   {sip("sip.vendor.com", 5060, silent, "timed_out"), sip_tcp("sip.vendor.com")}),
               follow_up({udp_hop("sip.vendor.com", 5060, "dropped", "sip"),
                          udp_hop("sip.vendor.com", 5060, "dropped")}),
               controls(anchors())}),
       {"firewall.udp_port_blocked (likely)"}},
      {"WholeRange",
       report(
           {row("media", {range("media.vendor.com", all_ports("dropped"))}), controls(anchors())}),
       {"firewall.udp_range_blocked (likely)"}},
      {"PartOfARange",
       report({row("media", {range("media.vendor.com", {{10000, "left_site"},
                                                        {12000, "left_site"},
                                                        {14000, "dropped"},
                                                        {16000, "dropped"},
                                                        {18000, "left_site"},
                                                        {20000, "left_site"}})}),
               controls(anchors())}),
       {"firewall.udp_range_blocked (likely)"}},
      {"RangeByADevice",
       report({row("media", {range("media.vendor.com", all_ports("prohibited", "10.20.0.1"))}),
               controls(anchors())}),
       {"firewall.udp_range_blocked (certain)"}},
      {"TwoRangesAreOneCause",
       report({row("media", {range("media.vendor.com", all_ports("dropped")),
                             range("rtc.other.net", {{49152, "dropped"}, {65535, "dropped"}},
                                   {49152, 65535})}),
               controls(anchors())}),
       {"firewall.udp_range_blocked (likely)"}},
      {"RangeToOneHost",
       report({row("media", {range("media.vendor.com", all_ports("dropped")),
                             range("rtc.other.net", all_ports("left_site"))}),
               controls(anchors())}),
       {"firewall.destination_blocked (likely)"}},
      {"StunFilteredByTheContrast",
       report({lost_turn(),
               follow_up({udp_hop("turn.vendor.com", 3478, "dropped", "stun"),
                          udp_hop("turn.vendor.com", 3478, "left_site")}),
               controls({tls("www.google.com"), stun("stun.l.google.com", 19302, silent),
                         ntp("pool.ntp.org")})}),
       {"firewall.stun_filtered (certain)"}},
      {"StunFilteredOrTwoPorts",
       report({row("turn", {turn("turn.vendor.com", silent, ""), turn_tls("turn.vendor.com")}),
               controls({tls("www.google.com"), stun("stun.l.google.com", 19302, silent),
                         ntp("pool.ntp.org")})}),
       {"firewall.flow_blocked (likely)"}},
      {"StunThatIsAnsweredSomewhere",
       report({row("turn", {turn("turn.vendor.com", silent, ""), turn_tls("turn.vendor.com")}),
               controls({tls("www.google.com"), stun("stun.l.google.com", 19302),
                         stun("stun.cloudflare.com", 3479, silent), ntp("pool.ntp.org")})}),
       {"firewall.udp_port_blocked (likely)"}},
      {"SipFilteredByTheContrast",
       report({row("sip", {sip("sip.vendor.com", 5060, silent, "timed_out"),
                           sip("sip2.vendor.com", 5060, silent, "timed_out")}),
               follow_up({udp_hop("sip.vendor.com", 5060, "dropped", "sip"),
                          udp_hop("sip2.vendor.com", 5060, "dropped", "sip"),
                          udp_hop("sip.vendor.com", 5060, "left_site")}),
               controls(anchors())}),
       {"firewall.sip_filtered (certain)"}},
      {"SipFilteredOrAServerThatIgnoresStrangers",
       report({row("sip", {sip("sip.vendor.com", 5060, silent, "timed_out")}),
               follow_up({udp_hop("sip.vendor.com", 5060, "dropped", "sip"),
                          udp_hop("sip.vendor.com", 5060, "left_site")}),
               controls(anchors())}),
       {"firewall.sip_filtered (likely)"}},
      {"SipFilteredOverTcp",
       report({row("sip", {sip_tcp("sip.vendor.com", 5060, failed, "sip_timed_out"),
                           sip_tls("sip.vendor.com"),
                           sip_tcp("sip.other.net", 5060, failed, "connection_reset"),
                           sip_tls("sip.other.net")}),
               follow_up({tcp_hop("sip.vendor.com", 5060, "left_site"),
                          tcp_hop("sip.other.net", 5060, "left_site")}),
               controls(anchors())}),
       {"firewall.sip_filtered (certain)"}},
      {"SipFilteredOverUdpBesideAServerThatHangsUp",
       report({row("sip", {sip("sip.vendor.com", 5060, silent, "timed_out"),
                           sip("sip2.vendor.com", 5060, silent, "timed_out"),
                           sip_tcp("sip.other.net", 5060, failed, "connection_reset")}),
               follow_up({udp_hop("sip.vendor.com", 5060, "dropped", "sip"),
                          udp_hop("sip2.vendor.com", 5060, "dropped", "sip"),
                          udp_hop("sip.vendor.com", 5060, "left_site")}),
               controls(anchors())}),
       {"firewall.sip_filtered (certain)"}},
      {"SipServerThatIsMuteOverTcpAndTls",
       report({row("sip", {sip_tcp("sip.vendor.com", 5060, failed, "sip_timed_out"),
                           sip_tls("sip.vendor.com", failed, "sip_timed_out")}),
               controls(anchors())}),
       {}},
      {"TlsFiltered",
       report({row("web", {tls("portal.vendor.com", failed, "connection_reset")}),
               controls({tls("www.google.com", failed, "connection_reset"),
                         tls("www.cloudflare.com", failed, "connection_reset"),
                         stun("stun.l.google.com", 19302)})}),
       {"firewall.tls_filtered (certain)"}},
      {"TlsFilteredByName",
       report({row("web", {tls("portal.vendor.com", failed, "connection_reset"),
                           tls("portal.other.net", failed, "connection_reset")}),
               controls(anchors())}),
       {"firewall.tls_filtered (likely)"}},
      {"OneServerThatHangsUp",
       report({row("web", {tls("portal.vendor.com", failed, "connection_reset")}),
               controls(anchors())}),
       {"firewall.tls_filtered (possible)"}},
      {"OneSpareServerThatHangsUp",
       report({spare("web", {tls("portal.vendor.com", failed, "connection_reset")}),
               controls(anchors())}),
       {}},
  };
}
INSTANTIATE_TEST_SUITE_P(Udp, FindingsTest, testing::ValuesIn(udp_ways()), scene_name);

// --- certificates --------------------------------------------------------------------------------

std::vector<Scene> certificates() {
  const std::string inspector = "CN=Site Inspection CA,O=Corp";
  const auto zscaler = [](std::string host) {
    return tls(std::move(host), failed, "untrusted",
               "CN=Zscaler Intermediate Root CA,O=Zscaler Inc.");
  };
  return {
      {"InterceptedByAProduct",
       report({row("web", {zscaler("portal.vendor.com")}), controls(anchors())}),
       {"tls.intercepted (certain)"}},
      {"InterceptedByOneIssuerForAll",
       report({row("web", {tls("portal.vendor.com", failed, "untrusted", inspector)}),
               controls({tls("www.google.com", failed, "untrusted", inspector)})}),
       {"tls.intercepted (certain)"}},
      {"InterceptedAndTrusted",
       report(
           {row("web",
                {with_root(tls("portal.vendor.com", answered, "trusted", inspector), false)}),
            controls({with_root(tls("www.google.com", answered, "trusted", inspector), false)})}),
       {"tls.intercepted (certain)"}},
      {"Untrusted",
       report({row("web", {tls("portal.vendor.com", failed, "untrusted", "CN=Vendor Private CA")}),
               controls(anchors())}),
       {"tls.untrusted (likely)"}},
      {"Expired",
       report({row("web", {tls("portal.vendor.com", failed, "expired")}), controls(anchors())}),
       {"tls.expired (certain)"}},
      {"ExpiredWithoutAnotherClock",
       report({row("web", {tls("portal.vendor.com", failed, "expired")})}),
       {"tls.expired (likely)"}},
      {"WrongName",
       report({row("web", {tls("portal.vendor.com", failed, "wrong_name")}), controls(anchors())}),
       {"tls.wrong_name (certain)"}},
      {"IncompleteChain",
       report({row("web", {tls("portal.vendor.com", failed, "incomplete_chain")}),
               controls(anchors())}),
       {"tls.incomplete_chain (likely)"}},
      {"OutdatedTls",
       report({row("web", {probe(CheckKind::tls, Transport::tls, "portal.vendor.com", 443, failed,
                                 "tls_version")}),
               controls(anchors())}),
       {"tls.outdated (likely)"}},
      {"OneLapseOfOneOperator",
       report({row("web", {tls("a.vendor.com", failed, "expired"),
                           tls("b.vendor.com", failed, "expired")}),
               controls(anchors())}),
       {"tls.expired (certain)"}},
      {"TwoOperatorsAreTwoCauses",
       report({row("web",
                   {tls("a.vendor.com", failed, "expired"), tls("b.other.net", failed, "expired")}),
               controls(anchors())}),
       {"tls.expired (certain)", "tls.expired (certain)"}},
      {"AControlsOwnLapse",
       report({row("web", {tls("portal.vendor.com")}),
               controls({tls("www.google.com", failed, "expired")})}),
       {}},
  };
}
INSTANTIATE_TEST_SUITE_P(Certificates, FindingsTest, testing::ValuesIn(certificates()), scene_name);

TEST(CertificateFinding, SaysThatAnIssuerHasNoName) {
  const auto found =
      diagnose(report({row("web", {tls("portal.vendor.com", failed, "untrusted", "")}),
                       controls({tls("www.google.com", failed, "untrusted", "")})}));
  ASSERT_EQ(codes(found), Codes{"tls.intercepted (certain)"});
  ASSERT_FALSE(found.front().evidence.empty());
  EXPECT_EQ(found.front().evidence.front().text.string(),
            "The certificate received for portal.vendor.com was issued by an issuer without a "
            "name.");
  for (const auto& evidence : found.front().evidence) {
    EXPECT_EQ(evidence.text.string().find(", ,"), std::string::npos) << evidence.text.string();
  }
}

// --- NAT, SIP, TURN, the far end -----------------------------------------------------------------

ProbeResult nat(std::string mapping) {
  auto result =
      probe(CheckKind::nat, Transport::udp, "stun.cloudflare.com", 3478, answered, mapping);
  return with(result, {EvidenceKind::nat_mapping,
                       "the NAT shows another address to another server",
                       {{Fact::value, mapping}}});
}
ProbeResult alg(test::Said detail) {
  auto result = probe(CheckKind::sip_alg, Transport::udp, "sip.vendor.com", 5060, answered, detail);
  return with(result, {EvidenceKind::sip_alg, "a Via header came back altered", {}});
}
// Sent from 10.20.0.23:50000, and what the server says of that.
ProbeResult seen_as(ProbeResult result, const SocketAddress& received) {
  const SocketAddress local{*IpAddress::parse("10.20.0.23"), 50000};
  result.observation.local = local;
  return with(std::move(result), {EvidenceKind::sip_via,
                                  "the server saw an address",
                                  {{Fact::received, received.address.to_string()},
                                   {Fact::rport, std::int64_t{received.port}},
                                   {Fact::translated, received != local}}});
}
ProbeResult seen_translated(ProbeResult result, bool translated) {
  const auto* address = translated ? "203.0.113.9" : "10.20.0.23";
  return seen_as(std::move(result), {*IpAddress::parse(address), 50000});
}
ProbeResult refused_relay(std::int64_t code, bool with_credentials = true) {
  auto result = turn("turn.vendor.com", denied, std::to_string(code));
  return with(result, {EvidenceKind::turn_refusal,
                       "the server refuses",
                       {{Fact::code, code}, {Fact::with_credentials, with_credentials}}});
}

ProbeResult out_of_order(Transport transport, std::uint16_t port) {
  return with(
      probe(CheckKind::http, transport, "portal.vendor.com", port, answered, "503"),
      {EvidenceKind::http_reply, "answered HTTP/1.1 503", {{Fact::status, std::int64_t{503}}}});
}

std::vector<Scene> services() {
  const auto anchored = [](std::vector<ProbeResult> probes) {
    return report({row("row", std::move(probes)), controls(anchors())});
  };
  const auto via = [](ProbeResult result, bool rewritten) {
    return with(std::move(result), {EvidenceKind::sip_via,
                                    "the Via header came back changed",
                                    {{Fact::rewritten, rewritten}}});
  };
  return {
      {"SymmetricNat",
       report({row("sip", {sip("sip.vendor.com")}),
               recommended("nat", {nat("address_and_port_dependent")}), controls(anchors())}),
       {"nat.symmetric (certain)"}},
      {"KindNat",
       report({row("sip", {sip("sip.vendor.com")}),
               recommended("nat", {nat("endpoint_independent")}), controls(anchors())}),
       {}},
      {"NatNotMeasured",
       report({recommended("nat", {nat("not_measured")}), controls(anchors())}),
       {}},
      {"SipAlg",
       report({recommended("alg", {alg("rewritten")}), controls(anchors())}),
       {"sip.alg (certain)"}},
      {"SipAlgSuspected",
       report({recommended("alg", {alg("suspected")}), controls(anchors())}),
       {"sip.alg (likely)"}},
      {"SipAlgNotSeen",
       report({recommended("alg", {alg("no_rewriting_seen")}), controls(anchors())}),
       {}},
      {"SipAlgByTheOrdinaryReply",
       anchored({via(sip("sip.vendor.com"), true)}),
       {"sip.alg (certain)"}},
      {"SipAlgByTheContrastWithTls",
       anchored({seen_translated(sip("sip.vendor.com"), false),
                 seen_translated(sip_tls("sip.vendor.com"), true)}),
       {"sip.alg (likely)"}},
      {"SipOverTlsFromAnotherPort",
       anchored({seen_translated(sip("sip.vendor.com"), false),
                 seen_as(sip_tls("sip.vendor.com"), {*IpAddress::parse("10.20.0.23"), 50001})}),
       {}},
      {"SipAsOverTls",
       anchored({seen_translated(sip("sip.vendor.com"), true),
                 seen_translated(sip_tls("sip.vendor.com"), true)}),
       {}},
      {"SipWithoutTranslation",
       anchored({seen_translated(sip("sip.vendor.com"), false),
                 seen_translated(sip_tls("sip.vendor.com"), false)}),
       {}},
      {"SipOfAnotherServerOverTls",
       anchored({seen_translated(sip("sip.vendor.com"), false),
                 seen_translated(sip_tls("sip.other.net"), true)}),
       {}},
      {"SipUntouched", anchored({via(sip("sip.vendor.com"), false)}), {}},
      {"SipServerError",
       anchored({sip("sip.vendor.com", 5060, answered, "503")}),
       {"sip.server_error (likely)"}},
      {"SipServerErrorOverTls",
       anchored({sip_tls("sip.vendor.com", answered, "503")}),
       {"sip.server_error (certain)"}},
      {"SipServerErrorOverOpenedTls",
       anchored({with_root(sip_tls("sip.vendor.com", answered, "503"), false)}),
       {"sip.server_error (likely)", "tls.intercepted (certain)"}},
      {"TurnLogin", anchored({refused_relay(401)}), {"turn.auth_failed (certain)"}},
      {"TurnChallenge", anchored({refused_relay(401, false)}), {}},
      {"TurnForbidden", anchored({refused_relay(403)}), {"turn.auth_failed (certain)"}},
      {"TurnQuota", anchored({refused_relay(486)}), {"turn.quota (certain)"}},
      {"TurnWithoutUdp", anchored({refused_relay(442)}), {"turn.relay_dead (certain)"}},
      {"TurnFull", anchored({refused_relay(508)}), {"turn.quota (certain)"}},
      {"RelayDead",
       anchored({turn("turn.vendor.com", failed, "relay_dead")}),
       {"turn.relay_dead (certain)"}},
      {"VendorRefusesByIcmp",
       report({row("row", {turn("turn.vendor.com", refused, "connection_refused")}),
               follow_up({udp_hop("turn.vendor.com", 3478, "left_site", "turn")}),
               controls(anchors())}),
       {"vendor.down (likely)"}},
      {"SomebodyRefusesByIcmp",
       anchored({turn("turn.vendor.com", refused, "connection_refused")}),
       {"vendor.down (possible)"}},
      {"VendorRefusesOutThere",
       report({row("row", {tls("portal.vendor.com", refused, "connection_refused")}),
               follow_up({tcp_hop("portal.vendor.com", 443, "left_site")}), controls(anchors())}),
       {"vendor.down (likely)"}},
      {"SomebodyRefuses",
       anchored({tls("portal.vendor.com", refused, "connection_refused")}),
       {"vendor.down (possible)"}},
      {"ADeviceRefuses",
       report({row("row", {tls("portal.vendor.com", refused, "connection_refused")}),
               follow_up({tcp_hop("portal.vendor.com", 443, "refused_on_the_way")}),
               controls(anchors())}),
       {"firewall.flow_blocked (likely)"}},
      {"VendorOutOfOrder",
       anchored({out_of_order(Transport::tls, 443)}),
       {"vendor.down (certain)"}},
      {"OutOfOrderOverPlainHttp", anchored({out_of_order(Transport::tcp, 80)}), {}},
      {"SilenceIsNotTheVendor",
       anchored({turn("turn.vendor.com", silent, "")}),
       {"firewall.flow_blocked (possible)"}},
  };
}
INSTANTIATE_TEST_SUITE_P(Services, FindingsTest, testing::ValuesIn(services()), scene_name);

// --- two at once ---------------------------------------------------------------------------------

std::vector<Scene> pairs() {
  return {
      {"UdpBlockedAndAnExpiredCertificate",
       report({row("turn", {turn("turn.vendor.com", silent, "")}),
               row("web", {tls("portal.vendor.com", failed, "expired")}),
               controls(anchors_without_udp())}),
       {"firewall.udp_blocked (likely)", "tls.expired (certain)"}},
      {"ARangeAndAPort",
       report({row("media", {range("media.vendor.com", all_ports("dropped"))}),
               row("sip", {sip_tls("sip.vendor.com", silent, ""), sip_tcp("sip.vendor.com"),
                           sip_tls("sip.other.net", silent, ""), sip_tcp("sip.other.net")}),
               controls(anchors())}),
       {"firewall.tcp_port_blocked (likely)", "firewall.udp_range_blocked (likely)"}},
      // The same where nothing that people do needs the port.
      {"WhatBlocksComesFirst",
       report({row("media", {range("media.vendor.com", all_ports("dropped"))}),
               recommended("sip", {sip_tls("sip.vendor.com", silent, ""), sip_tcp("sip.vendor.com"),
                                   sip_tls("sip.other.net", silent, ""), sip_tcp("sip.other.net")}),
               controls(anchors())}),
       {"firewall.udp_range_blocked (likely)", "firewall.tcp_port_blocked (likely)"}},
      {"AFilteredNameAndADeadRelay",
       report({row("web", {unresolved_as(tls("portal.vendor.com"), "no_such_name")}),
               row("turn", {turn("turn.vendor.com", failed, "relay_dead")}),
               follow_up({question("portal.vendor.com", "NOERROR", "9.9.9.9")}),
               controls(anchors())}),
       {"dns.filtered (certain)", "turn.relay_dead (certain)"}},
      {"OfflineExplainsAllElse",
       report({row("web", {tls("portal.vendor.com", silent, ""),
                           unresolved_as(tls("files.vendor.com"), "dns_unreachable")}),
               controls(all_lost(anchors()))}),
       {"network.offline (likely)"}},
  };
}
INSTANTIATE_TEST_SUITE_P(Pairs, FindingsTest, testing::ValuesIn(pairs()), scene_name);

// --- what a finding says -------------------------------------------------------------------------

Finding only_one(const Report& report) {
  const auto findings = diagnose(report);
  EXPECT_EQ(findings.size(), 1U);
  return findings.empty() ? Finding{} : findings.front();
}

// This site's firewall sees only the tunnel.
TEST(FindingsText, AsksThoseWhoRunTheVpnThatAllOfItGoesThrough) {
  auto run = report(
      {row("turn", {turn("turn1.vendor.com", silent, ""), turn("turn2.vendor.com", silent, "")}),
       controls(anchors_without_udp())});
  const std::vector<std::string> all{
      "turn1.vendor.com",  "turn2.vendor.com",    "www.google.com",      "www.cloudflare.com",
      "stun.l.google.com", "stun.cloudflare.com", "time.cloudflare.com", "pool.ntp.org"};
  const auto by = [&](bool tunnel) {
    run.site.ways = {{tunnel ? "tun0" : "eth0", IpAddress::v4({10, 20, 0, 1}), tunnel, true, all}};
    const auto findings = diagnose(run);
    const auto* found = first_that(findings, [](const Finding& finding) {
      return finding.code == FindingCode::firewall_udp_blocked;
    });
    return found == nullptr ? Finding{} : *found;
  };
  EXPECT_EQ(by(false).owner, Owner::network);
  EXPECT_EQ(by(true).owner, Owner::vpn);
  EXPECT_TRUE(holds(by(true).fix, "through the VPN (tun0)")) << by(true).fix;
}

// Nor does it see what a VPN carries for some hosts only.
TEST(FindingsText, AsksThoseWhoRunTheVpnOfAPortThatItCloses) {
  const auto found = [](bool tunnel) {
    auto run = report({row("turn", {turn("turn.vendor.com", silent, ""), tls("portal.vendor.com")}),
                       follow_up({udp_hop("turn.vendor.com", 3478, "dropped", "stun"),
                                  udp_hop("turn.vendor.com", 3478, "dropped")}),
                       controls({tls("www.google.com"), stun("stun.l.google.com", 19302)})});
    run.site.gateways = {{IpAddress::v4({10, 20, 0, 1}), "eth0", true}};
    run.site.ways = {{"eth0", IpAddress::v4({10, 20, 0, 1}), false, true, {"www.google.com"}},
                     {tunnel ? "tun0" : "eth1", std::nullopt, tunnel, false, {"turn.vendor.com"}}};
    return diagnose(run).front();
  };
  EXPECT_EQ(found(true).code, FindingCode::firewall_udp_port_blocked);
  EXPECT_EQ(found(true).owner, Owner::vpn);
  EXPECT_EQ(found(true).title, "The VPN blocks UDP to port 3478");
  EXPECT_TRUE(holds(found(true).fix, "into the VPN (tun0)")) << found(true).fix;
  EXPECT_EQ(found(false).owner, Owner::network);
}

TEST(FindingsText, AsksThoseWhoRunTheVpnThatLetsOnlyTheWebOut) {
  auto run =
      report({row("all", {tls("portal.vendor.com"), sip_tls("sip.vendor.com", silent, ""),
                          tcp("push.other.net", 5223, silent), tcp("push.other.net", 2197, silent),
                          turn("turn.vendor.com", silent, "")}),
              controls(anchors_without_udp())});
  std::vector<std::string> all;
  for (const auto& result : run.probes) add_once(all, result.probe.target.host);
  run.site.ways = {{"tun0", std::nullopt, true, true, all}};
  const auto findings = diagnose(run);
  const auto* found = first_that(findings, [](const Finding& finding) {
    return finding.code == FindingCode::firewall_web_only;
  });
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->owner, Owner::vpn);
  EXPECT_TRUE(holds(found->fix, "through the VPN (tun0)")) << found->fix;
}

// One that carries everything is refused by its own gateway: no part of this site.
TEST(FindingsText, AsksThoseWhoRunTheVpnThatRefusesAPort) {
  auto run = report({row("turn", {rejected_by(turn("turn.vendor.com"), "10.8.0.1")}),
                     controls({tls("www.google.com"), stun("stun.l.google.com", 19302)})});
  run.site.ways = {{"tun0",
                    std::nullopt,
                    true,
                    true,
                    {"turn.vendor.com", "www.google.com", "stun.l.google.com"}}};
  const auto findings = diagnose(run);
  const auto* found = first_that(findings, [](const Finding& finding) {
    return finding.code == FindingCode::firewall_udp_port_blocked;
  });
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->owner, Owner::vpn);
  EXPECT_EQ(found->confidence, Confidence::certain);
  // A modem is the only link, and no VPN.
  run.site.interfaces = {{"ppp0", {IpAddress::v4({84, 199, 10, 2})}, true, true}};
  run.site.ways.front().interface = "ppp0";
  for (const auto& finding : diagnose(run)) EXPECT_NE(finding.owner, Owner::vpn);
}

TEST(FindingsText, NamesTheRuleToAskFor) {
  const auto finding = only_one(report(
      {row("turn", {turn("turn1.vendor.com", silent, ""), turn("turn2.vendor.com", silent, "")}),
       row("media", {range("20.9.9.9", all_ports("dropped"))}), controls(anchors_without_udp())}));
  EXPECT_EQ(finding.code, FindingCode::firewall_udp_blocked);
  EXPECT_EQ(finding.owner, Owner::network);
  EXPECT_EQ(finding.title, "The firewall blocks all outgoing UDP");
  EXPECT_EQ(finding.fix,
            "Allow outgoing UDP (and return traffic) from the user network: UDP 3478 to "
            "turn1.vendor.com and turn2.vendor.com; UDP 10000-20000 to 20.9.9.9. Full list: "
            "callready firewall vendor.");
  EXPECT_EQ(finding.explains, (Codes{"vendor/turn", "vendor/media"}));
  ASSERT_EQ(finding.affects.size(), 1U);
  EXPECT_EQ(finding.affects.front().set, "vendor");
  EXPECT_EQ(finding.affects.front().capabilities, Codes{"calls"});
  ASSERT_GE(finding.evidence.size(), 2U);
  EXPECT_EQ(finding.evidence[0].text,
            "UDP to 6 ports (10000, 12000, 14000, 16000 and 2 more) is dropped before the first "
            "router outside; other packets get there.");
  EXPECT_EQ(finding.evidence[1].text,
            "Public servers do not answer over UDP: cloudflare.com and google.com.");
}

TEST(FindingsText, AsksForOneNameInTheSingular) {
  const auto finding = only_one(report(
      {row("web", {unresolved_as(tls("portal.vendor.com"), "no_such_name")}),
       follow_up({question("portal.vendor.com", "NOERROR", "9.9.9.9")}), controls(anchors())}));
  EXPECT_TRUE(finding.fix.starts_with("Allow this name on this site's DNS servers ("))
      << finding.fix;
}

TEST(FindingsText, WhereNamesAreFoundTheProxyIsLookedForFirst) {
  const auto kept_in = only_one(
      report({row("turn", {turn("turn.vendor.com", silent, "")}), controls(all_lost(anchors()))}));
  EXPECT_TRUE(kept_in.fix.starts_with("DNS works, so the line is probably up")) << kept_in.fix;
  EXPECT_NE(kept_in.fix.find("--proxy auto"), std::string::npos) << kept_in.fix;
  const auto dark = only_one(report(
      {row("turn", {turn("1.2.3.4", silent, "")}),
       controls({tls("1.1.1.1", silent, "timed_out"), tls("8.8.8.8", silent, "timed_out")})}));
  EXPECT_TRUE(dark.fix.starts_with("See whether other computers here can open any web page"))
      << dark.fix;
}

TEST(FindingsText, NamesTheNetworkOfTheDevicesThatItWasMeasuredFor) {
  const auto fix_for = [](std::optional<Vantage> vantage) {
    auto made = report({row("turn", {rejected_by(turn("turn.vendor.com"), "10.20.0.1")}),
                        controls({tls("www.google.com"), stun("stun.l.google.com", 19302)})});
    made.site.vantage = vantage;
    return only_one(made).fix;
  };
  const auto begins = [&](std::optional<Vantage> vantage, const std::string& network) {
    EXPECT_TRUE(fix_for(vantage).starts_with("Allow outgoing UDP (and return traffic) from " +
                                             network + ": "))
        << fix_for(vantage);
  };
  begins(std::nullopt, "the user network");
  begins(Vantage::browser, "the user network");
  begins(Vantage::phone, "the phones' network");
  begins(Vantage::room_device, "the room devices' network");
  begins(Vantage::pbx, "the PBX");
}

TEST(FindingsText, GivesTheBoundsOfABlockedRange) {
  const auto finding =
      only_one(report({row("media", {range("media.vendor.com", {{10000, "left_site"},
                                                                {12000, "left_site"},
                                                                {14000, "dropped"},
                                                                {16000, "dropped"},
                                                                {18000, "left_site"},
                                                                {20000, "left_site"}})}),
                       controls(anchors())}));
  EXPECT_EQ(finding.title,
            "The firewall blocks outgoing UDP to roughly ports 14000-16000 of media.vendor.com");
  ASSERT_GE(finding.evidence.size(), 2U);
  EXPECT_EQ(finding.evidence.at(1).text,
            "Every UDP port sampled from 14000 to 16000 is blocked; open: 12000 and 18000.");
}

TEST(FindingsText, NamesTheDeviceThatRefuses) {
  const auto finding =
      only_one(report({row("turn", {rejected_by(turn("turn.vendor.com"), "10.20.0.1")}),
                       controls({tls("www.google.com"), stun("stun.l.google.com", 19302)})}));
  EXPECT_EQ(
      finding.fix,
      "Allow outgoing UDP (and return traffic) from the user network: UDP 3478 to turn.vendor.com. "
      "The device that rejects the traffic is 10.20.0.1. Full list: callready firewall vendor.");
  EXPECT_EQ(finding.evidence.front().probe, "turn/udp/turn.vendor.com:3478");
  EXPECT_TRUE(has_evidence(finding, "For comparison: stun.l.google.com:19302 (UDP): answered"));
}

// It may be the provider's: then nobody at this site can do what the fix asks for.
TEST(FindingsText, NamesTheDeviceThatRefusesAllUdp) {
  const auto finding =
      only_one(report({row("turn", {rejected_by(turn("turn.vendor.com"), "10.20.0.1")}),
                       controls({tls("www.google.com"), tls("www.cloudflare.com"),
                                 rejected_by(stun("stun.l.google.com", 19302), "10.20.0.1"),
                                 rejected_by(ntp("pool.ntp.org"), "10.20.0.1")})}));
  EXPECT_EQ(finding.code, FindingCode::firewall_udp_blocked);
  EXPECT_TRUE(holds(finding.fix, "The device that rejects the traffic is 10.20.0.1."))
      << finding.fix;
}

TEST(FindingsText, NamesTheDeviceThatRefusesAllButTheWeb) {
  const auto away = [](ProbeResult result) { return rejected_by(std::move(result), "10.20.0.1"); };
  const auto made = [&](auto web) {
    return only_one(
        report({row("all", {web("portal.vendor.com"), away(sip_tls("sip.vendor.com", silent)),
                            away(tcp("push.other.net", 5223, silent)),
                            away(tcp("push.other.net", 2197, silent)),
                            away(turn("turn.vendor.com", silent))}),
                controls({web("www.google.com"), web("www.cloudflare.com"),
                          away(stun("stun.l.google.com", 19302, silent)),
                          away(ntp("pool.ntp.org", silent))})}));
  };
  // That connections stand is enough: nobody has to show a certificate.
  for (const auto& finding : {made([](std::string host) { return tls(std::move(host)); }),
                              made([](std::string host) { return tcp(std::move(host), 443); })}) {
    EXPECT_EQ(finding.code, FindingCode::firewall_web_only);
    EXPECT_TRUE(holds(finding.fix, "The device that rejects the traffic is 10.20.0.1."))
        << finding.fix;
  }
}

TEST(FindingsText, MergesPortsThatGoToTheSameHosts) {
  const auto finding = only_one(
      report({row("push", {tcp("push.vendor.com", 5228, silent),
                           tcp("push.vendor.com", 5229, silent), tcp("push.vendor.com", 443)}),
              controls(anchors())}));
  EXPECT_EQ(finding.title, "TCP 5228 and 5229 to push.vendor.com is not answered");
  EXPECT_EQ(finding.fix,
            "Look in the firewall's log for dropped packets from this computer, and allow this "
            "traffic (and return traffic) from the user network: TCP 5228 and 5229 to "
            "push.vendor.com. If the log shows that the packets leave, ask the server's operator "
            "whether it is up.");
}

TEST(FindingsText, EveryFindingIsWhole) {
  for (const auto& scenes :
       {sites(), names(), proxies(), tcp_ways(), udp_ways(), certificates(), services(), pairs()}) {
    for (const auto& scene : scenes) {
      for (const auto& finding : diagnose(scene.report)) {
        EXPECT_FALSE(finding.title.empty()) << scene.name;
        EXPECT_TRUE(finding.fix.ends_with(".")) << scene.name << ": " << finding.fix;
        EXPECT_EQ(finding.fix.find("{"), std::string::npos) << scene.name << ": " << finding.fix;
        EXPECT_EQ(finding.fix.find(": ."), std::string::npos) << scene.name << ": " << finding.fix;
        EXPECT_EQ(finding.fix.find(": The whole"), std::string::npos) << finding.fix;
        EXPECT_GE(finding.evidence.size(), 1U) << scene.name;
        std::set<std::string> affected;
        for (const auto& affects : finding.affects) {
          EXPECT_TRUE(affected.insert(affects.set).second)
              << scene.name << ": " << to_string(finding.code);
        }
        for (const auto& evidence : finding.evidence) {
          EXPECT_FALSE(evidence.text.empty()) << scene.name << ": " << to_string(finding.code);
          const auto& probes = scene.report.probes;
          const bool known = evidence.probe.empty() ||
                             std::any_of(probes.begin(), probes.end(), [&](const auto& result) {
                               return result.probe.id == evidence.probe;
                             });
          EXPECT_TRUE(known) << evidence.probe;
        }
      }
    }
  }
}

// A university's computers have public addresses; TLS still leaves from a cloud service's address.
TEST(Findings, APublicAddressThatAServerSeesIsNoSipAlg) {
  const auto seen = [](ProbeResult result, std::string_view own, std::string_view received) {
    result = seen_as(std::move(result), {*IpAddress::parse(received), 50000});
    result.observation.local = SocketAddress{*IpAddress::parse(own), 50000};
    return result;
  };
  const auto made = [&](std::string_view own) {
    return codes(report({row("sip", {seen(sip("sip.vendor.com"), own, own),
                                     seen(sip_tls("sip.vendor.com"), own, "203.0.113.9")}),
                         controls(anchors())}));
  };
  EXPECT_EQ(made("131.188.3.4"), Codes{});
  EXPECT_EQ(made("2001:db8::23"), Codes{});
  EXPECT_EQ(made("10.20.0.23"), Codes{"sip.alg (likely)"});
}

// Over plain HTTP a device on the way answers with its own clock, whichever page it is asked for.
TEST(FindingsClock, NeedsMoreThanPagesThatAnybodyMayHaveMade) {
  const auto made = [](bool known) {
    const auto page = [&](const std::string& host) {
      auto seen = known_page(host, true);
      if (!known) seen.probe.with.clear();
      if (!known) seen.observation.evidence.back().facts.clear();
      seen.observation.evidence.back().facts[Fact::date_offset_s] = 600.0;
      return seen;
    };
    return codes(
        report({row("web", {page("ws.vendor.com"), page("ws.other.net")}), controls(web())}));
  };
  EXPECT_EQ(made(true), Codes{"time.skewed (certain)"});
  EXPECT_EQ(made(false), Codes{});
}

TEST(FindingsText, AFullTurnServerIsNotTheAccounts) {
  const auto found = only(report({row("turn", {refused_relay(508)}), controls(anchors())}));
  EXPECT_EQ(found.code, FindingCode::turn_quota);
  EXPECT_FALSE(holds(found.fix, "same account")) << found.fix.string();
}

TEST(FindingsText, AWebServerAtTheProxysAddressIsNotSilent) {
  const auto one = proxied(tls("portal.vendor.com"), failed, "not_a_proxy");
  const auto found = only(report({row("web", {one}), controls(anchors())}));
  EXPECT_EQ(found.code, FindingCode::proxy_unreachable);
  EXPECT_FALSE(holds(found.title, "does not answer")) << found.title.string();
}

TEST(CutFlows, AreADevicesWhereOthersOfTheSameServersLive) {
  const auto relay = [](const char* host, Transport transport, bool cut) {
    return probe(CheckKind::turn, transport, host, transport == Transport::udp ? 3478 : 443,
                 cut ? failed : answered, cut ? "fell_silent" : "relayed");
  };
  const auto made = [&](bool second_too) {
    return report({row("udp", {relay("turn1.vendor.com", Transport::udp, true),
                               relay("turn2.vendor.com", Transport::udp, second_too)}),
                   row("tls", {relay("turn1.vendor.com", Transport::tls, false),
                               relay("turn2.vendor.com", Transport::tls, false)}),
                   controls(anchors())});
  };
  const auto found = only(made(true));
  EXPECT_EQ(found.code, FindingCode::turn_relay_dies);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_EQ(found.explains, std::vector<std::string>{"vendor/udp"});
  EXPECT_FALSE(holds(found.fix, "ask the operator")) << found.fix.string();
  for (const auto& finding : diagnose(made(false)))
    EXPECT_EQ(finding.confidence, Confidence::possible);
}

// The address inside of a server of one's own is no filter's; zero-trust clients give addresses,
// too.
TEST(Dns, SaysWhoseAddressAPrivateOneMayBe) {
  const auto fix = [](const std::string& address, bool own) {
    auto site =
        report({row("web", {at(tls("pbx.vendor.com", silent, ""), address)}),
                follow_up({question("pbx.vendor.com", "NOERROR", "9.9.9.9")}), controls(web())});
    if (own) site.site.own_hosts = {"pbx.vendor.com"};
    const auto found = only(site);
    EXPECT_EQ(found.code, FindingCode::dns_rewritten);
    return found.fix;
  };
  EXPECT_TRUE(holds(fix("192.168.1.5", true), "whether 192.168.1.5 is its address inside"));
  EXPECT_TRUE(holds(fix("192.168.1.5", false), "Remove the entry"));
  EXPECT_FALSE(holds(fix("192.168.1.5", false), "Zero-trust"));
  EXPECT_TRUE(holds(fix("100.64.1.9", false), "Zero-trust"));
  EXPECT_TRUE(holds(fix("0.0.0.0", true), "Remove the entry"));
}

// Where the system's routes take queries to a network of containers, they go nowhere. A second
// network of the computer may have a server that is down.
TEST(Dns, OnALinkForContainersIsForTheHelpdesk) {
  const auto made = [](const std::string& link) {
    const auto lost = [](std::string host) {
      return unresolved_as(tls(std::move(host)), "dns_unreachable");
    };
    auto site = report({row("web", {lost("portal.vendor.com"), lost("login.other.net")}),
                        controls({tls("9.9.9.9")})});
    site.site.resolvers = {"172.18.0.53"};
    site.site.resolver_links = {{"172.18.0.53", link}};
    return only(site);
  };
  EXPECT_EQ(made("br-7f3a").owner, Owner::helpdesk);
  EXPECT_TRUE(holds(made("br-7f3a").title, "its own adapter br-7f3a")) << made("br-7f3a").title;
  EXPECT_EQ(made("eth1").owner, Owner::dns);
}

// A VPN that is closed leaves its servers behind; a computer without any asks itself.
TEST(Dns, OfAComputerThatAsksTheWrongServersIsForTheHelpdesk) {
  const auto made = [](const std::string& resolver, const std::string& reason, bool by_router) {
    const auto lost = [](std::string host) {
      return unresolved_as(tls(std::move(host)), "dns_unreachable");
    };
    auto own = question("portal.vendor.com", "SERVFAIL");
    own.observation.evidence = {{EvidenceKind::dns_no_answer,
                                 resolver + " did not answer",
                                 {{Fact::server, resolver + ":53"}, {Fact::reason, reason}}}};
    own.observation.outcome = silent;
    own.observation.detail = DetailCode::timed_out;
    auto router = question("portal.vendor.com", by_router ? "NOERROR" : "REFUSED", "10.20.0.254");
    if (by_router) router.observation.detail = DetailCode::records;
    auto site = report({row("web", {lost("portal.vendor.com"), lost("login.other.net")}),
                        controls({tls("9.9.9.9")}), follow_up({own, router})});
    site.site.resolvers = {resolver};
    site.site.gateways = {{*IpAddress::parse("10.20.0.254"), "eth0", true}};
    return only(site);
  };
  const auto left = made("10.8.0.1", "timed_out", true);
  EXPECT_EQ(left.title, "This computer's DNS server does not answer, but its router does");
  EXPECT_EQ(left.owner, Owner::helpdesk);
  EXPECT_EQ(made("10.8.0.1", "timed_out", false).owner, Owner::dns);
  EXPECT_EQ(made("127.0.0.1", "connection_refused", true).title,
            "This computer's own DNS service is not running");
  EXPECT_EQ(made("127.0.0.1", "timed_out", true).title,
            "This computer's own DNS service does not answer");
}

TEST(FindingsText, AProxyThatSpeaksNoTlsIsNotSilentEither) {
  const auto one = proxied(tls("portal.vendor.com"), failed, "proxy_without_tls");
  const auto found = only(report({row("web", {one}), controls(anchors())}));
  EXPECT_EQ(found.code, FindingCode::proxy_unreachable);
  EXPECT_EQ(found.owner, Owner::helpdesk);
  EXPECT_TRUE(holds(found.fix, "write http:// in place of https://")) << found.fix.string();
}

TEST(Findings, NoClockIsOffByCenturies) {
  EXPECT_EQ(codes(report({row("web", {tls("portal.vendor.com")}),
                          controls({ntp("time.cloudflare.com", answered, 8e12),
                                    ntp("pool.ntp.org", answered, 8e12)})})),
            std::vector<std::string>{});
}

TEST(FindingsText, ShowsOnlyTheAnswersElsewhereForItsOwnNames) {
  const auto found =
      diagnose(report({row("web", {at(tls("portal.vendor.com", silent, ""), "10.66.66.66"),
                                   at(tls("files.vendor.com", silent, ""), "10.77.77.77")}),
                       follow_up({question("portal.vendor.com", "NOERROR", "9.9.9.9"),
                                  question("files.vendor.com", "NOERROR", "9.9.9.9")}),
                       controls(web())}));
  ASSERT_EQ(codes(found),
            (std::vector<std::string>{"dns.rewritten (certain)", "dns.rewritten (certain)"}));
  for (const auto& finding : found) {
    EXPECT_EQ(finding.evidence.size(), 2U) << finding.title.string();
  }
}

// Behind a translator all of IPv4 shares one IPv6 prefix, but its hosts are not all neighbours.
TEST(Findings, KnowTheIpv4NetworkBehindATranslator) {
  for (const std::string prefix : {"64:ff9b::", "64:ff9b:1::"}) {
    const auto host = prefix + "c000:209";
    EXPECT_EQ(findings::network_of(*IpAddress::parse(host)), "192.0.2.0/24");
    EXPECT_FALSE(findings::is_beside(prefix + "3e04:802", host));
  }
}

// A saved report may hold any number: none of these is a port.
TEST(Findings, KnowNoFlowsOfPortsThatThereAreNot) {
  for (const std::int64_t number : {75'536, 65'536, 0, -1}) {
    auto media = range("media.vendor.com", {{10'000, "dropped"}});
    media.observation.evidence.front().facts[Fact::port] = number;
    const auto made = report({row("media", {media})});
    EXPECT_TRUE(findings::Facts(made).flows.empty()) << number;
  }
}

// Nor are these the status of a web server, or the code of a refusal.
TEST(Findings, IgnoreAnImpossibleStatus) {
  for (const double number : {1e300, -1e300, 70'000.0}) {
    auto web = out_of_order(Transport::tls, 443);
    auto relay = refused_relay(508);
    web.observation.evidence.back().facts[Fact::status] = number;
    relay.observation.evidence.back().facts[Fact::code] = number;
    EXPECT_EQ(codes(report({row("web", {web}), row("turn", {relay}), controls(anchors())})),
              Codes{})
        << number;
  }
}

// An empty pin in a row accepts any certificate, and says nothing about one.
TEST(Findings, OnlyAPinThatFitsExplainsAForeignRoot) {
  const std::string one(64, 'a'), other(64, 'b');
  auto seen = tls("vpn.vendor.com");
  seen.observation.evidence = {{EvidenceKind::certificate, "", {{Fact::sha256, one}}},
                               {EvidenceKind::chain_root, "", {{Fact::expected, false}}}};
  const auto foreign = [&](std::map<std::string, std::string> with) {
    seen.probe.with = std::move(with);
    return findings::has_foreign_root(seen);
  };
  EXPECT_TRUE(foreign({}));
  EXPECT_FALSE(foreign({{"sha256", one}}));
  EXPECT_TRUE(foreign({{"sha256", other}}));
  EXPECT_TRUE(foreign({{"public_key_sha256", ""}})) << "nor has the certificate this fact";
  EXPECT_TRUE(foreign({{"sha256", one}, {"public_key_sha256", other}})) << "both have to fit";
}

// A second round, or `render`, diagnoses a report that holds findings already.
TEST(Findings, DoNotDependOnThoseOfTheReport) {
  auto first =
      report({row("turn", {turn("turn.vendor.com", silent, "")}), controls(anchors_without_udp())});
  const auto once = codes(diagnose(first));
  first.findings = diagnose(first);
  EXPECT_EQ(codes(diagnose(first)), once);
}

}  // namespace
}  // namespace callready::findings_test
