// What contradicts the first guess: the same login that others accept, the same certificate fault
// at a control, an address that the proxy reaches where it reaches no name.
#include "tests/diagnosis/diagnosis.hpp"

namespace callready::finding_contrast_test {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

Finding of_code(const Report& report, FindingCode code) {
  for (const auto& finding : diagnose(report)) {
    if (finding.code == code) return finding;
  }
  ADD_FAILURE() << to_string(code) << " is not among " << testing::PrintToString(codes(report));
  return {};
}

// --- proxies -------------------------------------------------------------------------------------

ProbeResult page(const char* host) {
  auto result =
      proxied(probe(CheckKind::tls, Transport::tls, host, 443, failed), failed, "not_tls");
  return with(std::move(result),
              {EvidenceKind::not_tls, "HTTP/ came", {{Fact::first_bytes, "HTTP/"}}});
}

Report behind_a_proxy(std::vector<ProbeResult> through, Outcome direct = silent) {
  const auto outcome = direct == unresolved ? unresolved : silent;
  const Said detail = direct == unresolved ? "dns_failed" : "timed_out";
  std::vector<ProbeResult> all{tls("portal.vendor.com", outcome, detail),
                               tls("files.other.net", outcome, detail)};
  all.insert(all.end(), through.begin(), through.end());
  all.push_back(proxied(tcp("20.1.2.3", 443), connected, ""));
  return report(
      {row("web", std::move(all)), controls({tls("www.google.com", outcome, detail),
                                             probe(CheckKind::stun, Transport::udp,
                                                   "stun.l.google.com", 19302, outcome, detail)})});
}

// Its own "200" to a bare address shows no way out.
TEST(Proxy, ThatSendsItsOwnPageLetsNothingOut) {
  const auto found = codes(behind_a_proxy({page("portal.vendor.com"), page("files.other.net")}));
  EXPECT_TRUE(contains(found, "proxy.connect_denied (certain)")) << testing::PrintToString(found);
  for (const auto& code : found) EXPECT_FALSE(code.starts_with("proxy.required")) << code;
}

std::vector<ProbeResult> unanswered_names() {
  std::vector<ProbeResult> all;
  for (const auto* host : {"portal.vendor.com", "files.other.net"}) {
    all.push_back(proxied(probe(CheckKind::tls, Transport::tls, host, 443, failed), failed,
                          "proxy_timed_out"));
  }
  return all;
}

TEST(Proxy, ThatReachesAddressesOnlyLooksUpNoNames) {
  const auto found =
      of_code(behind_a_proxy(unanswered_names()), FindingCode::proxy_upstream_failed);
  EXPECT_EQ(found.title, "The proxy http://10.20.0.3:3128 reaches addresses, but not names");
  EXPECT_EQ(found.confidence, Confidence::likely);
}

// Nor does this computer, and no proxy makes up for it.
TEST(Proxy, ThatReachesAddressesOnlyHidesNoDeadResolver) {
  const auto found = codes(behind_a_proxy(unanswered_names(), unresolved));
  EXPECT_TRUE(contains(found, "dns.unreachable (likely)")) << testing::PrintToString(found);
}

TEST(Proxy, OfThisComputerIsForItsHelpdesk) {
  const auto made = [](const char* proxy) {
    auto result = proxied(tls("portal.vendor.com"), refused, "proxy_unreachable");
    result.probe.target.route.proxy = proxy;
    return of_code(report({row("web", {result}), controls(anchors())}),
                   FindingCode::proxy_unreachable);
  };
  EXPECT_EQ(made("http://127.0.0.1:9000").owner, Owner::helpdesk);
  EXPECT_EQ(made("http://10.20.0.3:3128").owner, Owner::proxy);
}

TEST(Proxy, IsPassedByWhatThePacFileSendsDirectly) {
  auto pac = probe(CheckKind::pac, Transport::tcp, "", 0, answered, "pac_evaluated");
  pac.observation.evidence.push_back(
      {EvidenceKind::pac, "The PAC file proxy.pac", {{Fact::place, "proxy.pac"}}});
  const auto required = [&](std::vector<ProbeResult> more, bool excepted = true) {
    more.push_back(proxied(tls("www.google.com")));
    more.push_back(tls("www.google.com", silent, "timed_out"));
    auto made = report({row("web", {tls("portal.vendor.com", silent, "timed_out"),
                                    tls("files.other.net", silent, "timed_out")}),
                        controls(std::move(more))});
    if (excepted) made.site.proxy_exceptions = {"portal.vendor.com", "files.other.net"};
    return of_code(made, FindingCode::proxy_required);
  };
  EXPECT_TRUE(holds(required({pac}).fix,
                    "Change the PAC file proxy.pac: for portal.vendor.com and files.other.net, it "
                    "bypasses the proxy http://10.20.0.3:3128."))
      << required({pac}).fix;
  EXPECT_TRUE(
      holds(required({}).fix, "Take portal.vendor.com and files.other.net out of the exceptions"))
      << required({}).fix;
  for (const auto& none : {required({}, false), required({pac}, false)})
    EXPECT_TRUE(none.fix.string().starts_with("Set the proxy")) << none.fix;
}

// --- TURN ----------------------------------------------------------------------------------------

ProbeResult login(const char* host, bool accepted) {
  if (accepted) return turn(host, answered, "relayed");
  return with(turn(host, denied, "401"),
              {EvidenceKind::turn_refusal,
               "the server wants other credentials",
               {{Fact::code, std::int64_t{401}}, {Fact::with_credentials, true}}});
}

TEST(TurnLogin, ThatOthersAcceptIsRight) {
  const auto found = [](const char* other, bool accepted) {
    return of_code(report({row("relays", {login("turn1.vendor.com", false)}),
                           spare("others", {login(other, accepted)}), controls(anchors())}),
                   FindingCode::turn_auth_failed);
  };
  EXPECT_EQ(found("turn2.vendor.com", true).title,
            "Some TURN servers reject the credentials that others accept");
  EXPECT_EQ(found("turn2.vendor.com", true).owner, Owner::vendor);
  EXPECT_EQ(found("turn2.vendor.com", false).owner, Owner::helpdesk);
  EXPECT_EQ(found("turn.other.net", true).owner, Owner::helpdesk) << "another operator's";
}

TEST(TurnRedirect, NamesWhereItLeads) {
  const auto redirecting = [](const char* host) {
    return with(turn(host, failed, "redirect_failed"),
                {EvidenceKind::alternate_server,
                 "the server redirects to 20.9.9.9:3478: no answer",
                 {{Fact::address, "20.9.9.9"}}});
  };
  const auto found = only(
      report({row("relays", {redirecting("turn1.vendor.com"), redirecting("turn2.vendor.com")}),
              controls(anchors())}));
  EXPECT_EQ(
      found.title,
      "TURN redirects from turn1.vendor.com and turn2.vendor.com lead to 20.9.9.9, which gives "
      "no valid answer");
  EXPECT_TRUE(holds(found.fix, "Allow the same traffic (and return traffic) to 20.9.9.9"));
}

Finding stray_answers(const std::string& from) {
  const auto stray = [&](const char* host) {
    auto result = with(turn(host, silent, "timed_out"),
                       {EvidenceKind::stun_stray,
                        from + ", which was not asked, sent the answer to our request",
                        {{Fact::from, from}, {Fact::reason, "wrong_source"}}});
    result.observation.attempts = 4;
    return result;
  };
  const auto found = diagnose(
      report({row("relays", {stray("turn1.vendor.com"), stray("turn2.vendor.com")}),
              controls({tls("www.google.com"), stun("stun.l.google.com"), ntp("pool.ntp.org")})}));
  EXPECT_FALSE(found.empty());
  return found.empty() ? Finding() : found.front();
}

TEST(StrayAnswers, AreNoSilence) {
  const auto found = stray_answers("20.1.1.9:3478");
  EXPECT_TRUE(holds(found.title, "replies come from a different address than the one queried"))
      << found.title;
  EXPECT_EQ(found.owner, Owner::vendor);
  EXPECT_EQ(stray_answers("10.0.0.9:3478").owner, Owner::network) << "hairpin NAT";
}

// --- certificates --------------------------------------------------------------------------------

// An issuer of servers of several owners signs on the way, whatever is missing from its chains.
TEST(Certificates, OfOneUnknownIssuerForEverybodyAreADevices) {
  const auto made = [](ProbeResult control) {
    return codes(report({row("web", {tls("portal.vendor.com", failed, "incomplete_chain"),
                                     tls("files.other.net", failed, "incomplete_chain")}),
                         controls({std::move(control), ntp("time.cloudflare.com")})}));
  };
  EXPECT_EQ(made(tls("www.google.com", failed, "incomplete_chain")),
            Codes{"tls.intercepted (certain)"});
  EXPECT_TRUE(contains(made(tls("www.google.com")), "tls.incomplete_chain (likely)"));
}

TEST(Certificates, OfAPublicRootThatIsNotKnownHereMeetAnOldList) {
  const auto made = [](bool expected) {
    return of_code(
        report({row("web",
                    {with_root(tls("portal.vendor.com", failed, "untrusted", "CN=Global Root G9"),
                               expected)}),
                controls(anchors())}),
        FindingCode::tls_untrusted);
  };
  EXPECT_TRUE(holds(made(true).title, "may be out of date")) << made(true).title;
  EXPECT_FALSE(holds(made(false).title, "may be out of date")) << made(false).title;
}

// --- devices -------------------------------------------------------------------------------------

TEST(AllTcp, IsOneCauseWhateverThePort) {
  std::vector<ProbeResult> lost;
  for (const std::uint16_t port : std::vector<std::uint16_t>{80, 443, 5061, 5223}) {
    lost.push_back(tcp("portal.vendor.com", port, silent));
    lost.push_back(tcp("20.1.2.3", port, silent));
  }
  const auto made = [&](std::vector<ProbeResult> others) {
    others.insert(others.end(), {tls("www.google.com", silent, "timed_out"),
                                 tcp("www.cloudflare.com", 80, silent),
                                 stun("stun.l.google.com", 19302), ntp("pool.ntp.org")});
    return only(report({recommended("web", lost),
                        row("turn", {turn("turn1.vendor.com"), turn("turn2.vendor.com")}),
                        controls(std::move(others))}));
  };
  const auto found = made({});
  EXPECT_EQ(found.code, FindingCode::firewall_tcp_port_blocked);
  EXPECT_EQ(found.title, "No TCP connection gets out, whatever the port; UDP does");
  // Where a proxy carries the web, it is the site's policy, though nobody misses more than a row.
  EXPECT_EQ(made({proxied(tls("portal.vendor.com"))}).title,
            "This site lets TCP out only through the proxy");
}

TEST(Offline, NamesWhatElseToTry) {
  auto made = report({row("web", {tls("portal.vendor.com", silent, "timed_out"),
                                  tls("files.other.net", silent, "timed_out")}),
                      row("turn", {turn("turn.vendor.com", silent, "timed_out")}),
                      controls({tls("www.google.com", silent, "timed_out"),
                                stun("stun.l.google.com", 19302, silent),
                                question("portal.vendor.com", "NOERROR")})});
  made.site.gateways = {{*IpAddress::parse("10.20.0.5"), "eth0", true}};
  made.site.interfaces.push_back({"wlan0", {*IpAddress::parse("10.77.0.23")}});
  made.site.links = {{{"eth0", LinkState::up, false}, {"wlan0", LinkState::up, true}}};
  const auto found = of_code(made, FindingCode::network_offline);
  EXPECT_TRUE(holds(found.fix, "run this again with --interface wlan0")) << found.fix;
  EXPECT_TRUE(holds(found.fix, "default gateway, 10.20.0.5")) << found.fix;
  made.site.gateways.front().address = *IpAddress::parse("10.20.0.1");
  EXPECT_FALSE(holds(of_code(made, FindingCode::network_offline).fix, "default gateway"));
}

TEST(PrivateAddress, ThatADeviceRejectsIsNoRiddle) {
  const auto rejected = rejected_by(at(sip("10.30.0.5"), "10.30.0.5"), "10.20.0.1");
  const auto found = only(report({row("phone", {rejected}), controls(anchors())}));
  EXPECT_EQ(found.title, "The device 10.20.0.1 rejects traffic to 10.30.0.5");
}

}  // namespace
}  // namespace callready::finding_contrast_test
