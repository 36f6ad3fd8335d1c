// What a second look shows: connections that stand when they are tried again, names that are found
// a moment later, roots that have expired, and addresses that lead nowhere from here.
#include "tests/diagnosis/diagnosis.hpp"

namespace callready::finding_again_test {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

ProbeResult again(ProbeResult result) {
  result.probe.with["again"] = "true";
  return result;
}

// --- turned away, and let through a moment later -------------------------------------------------

Report turned_away(std::vector<ProbeResult> second) {
  return report({row("web", {tls("portal.vendor.com", failed, "connection_reset")}),
                 row("files", {tls("files.other.net", refused, "connection_refused")}),
                 row("calls", {tls("calls.vendor.com")}), follow_up(std::move(second)),
                 controls(anchors())});
}

TEST(TurnedAway, ByADeviceWithoutRoom) {
  const auto all =
      diagnose(turned_away({again(tls("portal.vendor.com")), again(tls("files.other.net"))}));
  ASSERT_FALSE(all.empty());
  const auto& found = all.back();
  EXPECT_EQ(found.code, FindingCode::firewall_new_flows_limited);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_TRUE(holds(found.title, "lets them through a moment later")) << found.title;
  EXPECT_TRUE(has_evidence(found, "2 connections to 2 operators were refused or cut off"));
}

TEST(TurnedAway, ByOneOwnerIsTheServersAffair) {
  for (const auto& finding : diagnose(turned_away({again(tls("portal.vendor.com"))})))
    EXPECT_NE(finding.code, FindingCode::firewall_new_flows_limited) << finding.title;
}

TEST(TurnedAway, TwiceIsNoChance) {
  for (const auto& finding :
       diagnose(turned_away({again(tls("portal.vendor.com", failed, "connection_reset")),
                             again(tls("files.other.net", refused, "connection_refused"))})))
    EXPECT_NE(finding.code, FindingCode::firewall_new_flows_limited) << finding.title;
}

// --- another address of the same name ------------------------------------------------------------

ProbeResult next(const std::string& host, Outcome outcome) {
  auto result = at(tls(host, outcome, outcome == answered ? "trusted" : "timed_out"), "20.1.1.9");
  result.probe.with["address"] = "next";
  return result;
}

Report half_shut(std::vector<ProbeResult> second, Outcome same_address = silent) {
  for (const auto* host : {"portal.vendor.com", "files.other.net"})
    second.push_back(again(tls(host, same_address, "timed_out")));
  return report({row("web", {at(tls("portal.vendor.com", silent, "timed_out"), "20.1.1.1")}),
                 spare("plain", {at(tcp("portal.vendor.com", 80, silent), "20.1.1.1")}),
                 row("files", {at(tls("files.other.net", silent, "timed_out"), "20.1.2.1")}),
                 row("calls", {tls("calls.vendor.com")}), follow_up(std::move(second)),
                 controls(anchors())});
}

TEST(HalfShutNames, AreReachedAtAnotherAddress) {
  const auto all =
      diagnose(half_shut({next("portal.vendor.com", answered), next("files.other.net", answered)}));
  ASSERT_FALSE(all.empty());
  const auto& found = all.front();
  EXPECT_EQ(found.code, FindingCode::firewall_destination_blocked);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_EQ(found.title, "Some addresses of portal.vendor.com and files.other.net are not reached");
  EXPECT_TRUE(has_evidence(found, "20.1.1.1 is not reached, and 20.1.1.9 answers"));
}

TEST(HalfShutNames, AreNotThoseThatOnlyTheFirstTryMissed) {
  for (const auto& finding : diagnose(half_shut(
           {next("portal.vendor.com", answered), next("files.other.net", answered)}, answered)))
    EXPECT_FALSE(holds(finding.title, "Some addresses")) << finding.title;
}

TEST(HalfShutNames, OfOneOwnerMayBeTheOwnersAffair) {
  for (const auto& finding : diagnose(
           half_shut({next("portal.vendor.com", answered), next("files.other.net", silent)}))) {
    const bool is_it = holds(finding.title, "Some addresses");
    EXPECT_TRUE(!is_it || finding.confidence == Confidence::possible) << finding.title;
  }
  for (const auto& finding :
       diagnose(half_shut({next("portal.vendor.com", silent), next("files.other.net", silent)})))
    EXPECT_FALSE(holds(finding.title, "Some addresses")) << finding.title;
}

// --- DNS -----------------------------------------------------------------------------------------

ProbeResult gone(const std::string& host) {
  auto result = tls(host, unresolved, "no_such_name");
  result.observation.address.reset();
  result.observation.evidence.clear();
  return result;
}

TEST(InconsistentDns, FindsANameAMomentLater) {
  const auto found = only(report(
      {row("web", {gone("portal.vendor.com"), gone("www.vendor.com")}),
       follow_up({question("portal.vendor.com", "NOERROR"), question("www.vendor.com", "NOERROR")}),
       controls(anchors())}));
  EXPECT_EQ(found.code, FindingCode::dns_inconsistent);
  EXPECT_EQ(found.confidence, Confidence::certain);
  EXPECT_EQ(found.title, "This site's DNS finds 2 names only sometimes");
}

TEST(InconsistentDns, IsNotOneServerOfSeveralThatDenies) {
  auto asked = question("portal.vendor.com", "NOERROR");
  const auto denial = question("portal.vendor.com", "NXDOMAIN");
  asked.observation.evidence.push_back(denial.observation.evidence.front());
  for (const auto& finding : diagnose(report(
           {row("web", {gone("portal.vendor.com")}), follow_up({asked}), controls(anchors())})))
    EXPECT_NE(finding.code, FindingCode::dns_inconsistent) << finding.title;
}

TEST(OldName, MayHaveAnInventedAddress) {
  const auto made = [](const char* elsewhere) {
    return report(
        {row("web", {at(tls("old.vendor.com", refused, "connection_refused"), "84.199.10.1"),
                     tls("portal.vendor.com")}),
         follow_up({question("old.vendor.com", elsewhere, "9.9.9.9")}), controls(anchors())});
  };
  const auto found = only(made("NXDOMAIN"));
  EXPECT_EQ(found.code, FindingCode::target_outdated);
  EXPECT_TRUE(has_evidence(found, "gives 84.199.10.1 for it, where nothing was reached"));
  for (const auto& finding : diagnose(made("NOERROR")))
    EXPECT_NE(finding.code, FindingCode::target_outdated) << finding.title;
}

// --- calls that set a flood protection off -------------------------------------------------------

Report with_calls(std::vector<CallStep> steps, bool line_lives = true) {
  auto stream =
      probe(CheckKind::media, Transport::udp, "far.vendor.com", 8620, answered, "streamed");
  auto call = probe(CheckKind::ice, Transport::tls, "far.vendor.com", 443, failed,
                    line_lives ? "ice_silent" : "timed_out");
  stream.observation.sent_at = std::chrono::sys_days(std::chrono::year(2026) / 11 / 30);
  call.observation.sent_at = *stream.observation.sent_at + std::chrono::seconds(25);
  stream.observation.media = MediaStream();
  auto& calls = stream.observation.media->calls.emplace();
  calls.wanted = 8;
  calls.steps = std::move(steps);
  return report({row("stream", {stream}), row("call", {call}), controls(anchors())});
}

TEST(FloodProtection, EndsAllCallsAfterManyAtOnce) {
  const CallStep one{1, 100, 0, 0, 0, 0, true}, two{2, 200, 0, 0, 0, 0, true},
      four{4, 175, 0, 0, 0, 0, false}, two_again{2, 29, 0, 0, 0, 0, false};
  const Codes shut_out{"firewall.rate_limited (likely)"};
  const auto found = diagnose(with_calls({one, two, four, two_again}));
  ASSERT_EQ(codes(found), shut_out);
  EXPECT_EQ(found.front().title,
            "A device shuts this computer out when it makes 4 simultaneous calls");
  EXPECT_NE(codes(with_calls({one, two, four, two_again}, false)), shut_out) << "perhaps the line";
  EXPECT_NE(codes(with_calls({one, two, four})), shut_out) << "too few pass, and no more";
  EXPECT_NE(codes(with_calls({one, two, four, two_again, one})), shut_out) << "it passes again";
  auto reported = two_again;
  reported.lost_up = 20;
  EXPECT_NE(codes(with_calls({one, two, four, reported})), shut_out) << "known to be lost";
}

// --- an inspection device's root -----------------------------------------------------------------

// The chain that was sent holds for long; `logged`: a public authority's.
ProbeResult expired(const std::string& host, bool logged) {
  auto result = tls(host, failed, "expired", "CN=Corp Web Gateway CA");
  for (auto& evidence : result.observation.evidence) {
    if (evidence.kind != EvidenceKind::certificate) continue;
    evidence.facts[Fact::not_after] = std::string("2029-02-07T21:02:41Z");
    if (logged) evidence.facts[Fact::timestamps] = true;
  }
  return result;
}

Report with_expired(bool logged, bool controls_too) {
  auto made = report(
      {row("web", {expired("portal.vendor.com", logged), expired("files.other.net", logged)}),
       controls({controls_too ? expired("www.google.com", logged) : tls("www.google.com"),
                 stun("stun.cloudflare.com"), ntp("pool.ntp.org")})});
  made.finished_at = std::chrono::sys_days(std::chrono::year(2026) / 11 / 30);
  return made;
}

TEST(Inspection, ByADeviceWhoseRootHasExpired) {
  EXPECT_EQ(codes(with_expired(false, true)), Codes{"tls.intercepted (certain)"});
  const auto found = only(with_expired(false, true));
  EXPECT_EQ(found.code, FindingCode::tls_intercepted);
  EXPECT_EQ(found.confidence, Confidence::certain);
  EXPECT_EQ(found.owner, Owner::security);
  EXPECT_TRUE(holds(found.title, "root certificate")) << found.title;
  EXPECT_TRUE(holds(found.fix, "Renew the root certificate of \"CN=Corp Web Gateway CA\""));
}

TEST(Inspection, IsNotWhatAPublicAuthorityOrTwoVendorsLetLapse) {
  const Codes two{"tls.expired (certain)", "tls.expired (certain)"};
  EXPECT_EQ(codes(with_expired(false, false)), two);
  EXPECT_EQ(codes(with_expired(true, false)), two);
}

// --- addresses that lead nowhere from here -------------------------------------------------------

TEST(OwnAddress, IsNotReachedFromInside) {
  auto made =
      report({row("sip", {at(sip("84.199.10.2", 5060, silent, "timed_out"), "84.199.10.2")}),
              controls(anchors())});
  made.site.public_addresses = {*IpAddress::parse("84.199.10.2")};
  const auto found = only(made);
  EXPECT_EQ(found.code, FindingCode::nat_own_address);
  EXPECT_TRUE(holds(found.fix, "NAT loopback"));
  made.site.public_addresses = {*IpAddress::parse("84.199.10.3")};
  for (const auto& finding : diagnose(made))
    EXPECT_NE(finding.code, FindingCode::nat_own_address) << finding.title;
}

TEST(PrivateAddress, IsNotLookedForFromAHotspot) {
  auto lost = at(tls("10.30.0.5", silent, "timed_out"), "10.30.0.5");
  auto made = report({row("web", {lost}), controls(anchors())});
  made.site.interfaces = {{"eth0", {*IpAddress::parse("10.20.0.23")}, true}};
  for (const auto& finding : diagnose(made))
    EXPECT_FALSE(holds(finding.fix, "hotspot")) << finding.fix;
}

TEST(Vpn, ThatIsDeadAndHoldsAllRoutes) {
  std::vector<ProbeResult> lost;
  for (const auto& host : {"www.google.com", "www.cloudflare.com", "captive.apple.com"})
    lost.push_back(tls(host, silent, "timed_out"));
  for (auto& one : lost) one.observation.evidence.clear();
  auto made = report({row("web", {tls("portal.vendor.com", silent, "timed_out"),
                                  tls("files.other.net", silent, "timed_out")}),
                      controls(lost)});
  for (auto& one : made.probes) one.observation.evidence.clear();
  made.site.interfaces = {{"eth0", {*IpAddress::parse("10.20.0.23")}, false, false},
                          {"tun0", {*IpAddress::parse("10.8.0.2")}, true, true}};
  EgressPath way;
  way.interface = "tun0";
  way.tunnel = way.default_route = true;
  made.site.ways = {way};
  const auto found = diagnose(made);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().code, FindingCode::network_offline);
  EXPECT_EQ(found.front().owner, Owner::vpn);
  EXPECT_TRUE(holds(found.front().title, "All traffic goes into the VPN (tun0)"));
  made.site.ways.push_back({"eth0", {}, false, false, {}});
  EXPECT_NE(diagnose(made).front().owner, Owner::vpn) << "some went past it";
}

ProbeResult sought_here(const std::string& host) {
  auto result = rejected_by(tls(host, silent), "10.20.0.23");
  result.observation.detail = DetailCode::unreachable;
  return result;
}

// A VPN has taken the default route, and the cable was asked for: each host is sought on the cable.
TEST(Vpn, LeavesTheOtherInterfaceWithoutARouter) {
  std::vector<ProbeResult> lost;
  for (const auto& host : {"www.google.com", "www.cloudflare.com", "captive.apple.com"})
    lost.push_back(sought_here(host));
  auto made =
      report({row("web", {sought_here("portal.vendor.com"), sought_here("files.other.net")}),
              controls(lost)});
  made.site.interfaces = {{"eth0", {*IpAddress::parse("10.20.0.23")}, false, false},
                          {"tun0", {*IpAddress::parse("10.8.0.2")}, true, true}};
  const auto found = diagnose(made);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().code, FindingCode::network_no_gateway);
  EXPECT_TRUE(holds(found.front().fix, "without --interface")) << found.front().fix;
}

ProbeResult over_ipv6(const std::string& host, const char* address) {
  auto result = probe(CheckKind::ipv6, Transport::tcp, host, 443, connected, "ipv4_first");
  result = with(
      result, {EvidenceKind::family,
               "IPv6: Network is unreachable",
               {{Fact::version, "IPv6"}, {Fact::result, "unreachable"}, {Fact::address, address}}});
  result = with(result, {EvidenceKind::family,
                         "IPv4: connected",
                         {{Fact::version, "IPv4"}, {Fact::result, "connected"}}});
  return with(result, {EvidenceKind::nat64, "DNS64", {{Fact::prefix, "64:ff9b::/96"}}});
}

TEST(Ipv6, IsMadeUpByADns64WithoutATranslator) {
  const auto made = [](const char* address) {
    auto probes = anchors();
    probes.push_back(over_ipv6("www.google.com", address));
    probes.push_back(over_ipv6("www.cloudflare.com", address));
    return only(report({row("web", {tls("portal.vendor.com")}), controls(probes)}));
  };
  EXPECT_EQ(made("64:ff9b::9216:b").owner, Owner::dns);
  EXPECT_TRUE(holds(made("64:ff9b::9216:b").fix, "Turn off DNS64"));
  EXPECT_NE(made("2001:db8::1").owner, Owner::dns);
}

}  // namespace
}  // namespace callready::finding_again_test
