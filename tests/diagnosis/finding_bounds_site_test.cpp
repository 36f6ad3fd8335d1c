// How far a finding about proxies, sign-in pages, certificates and the path may go.
#include "tests/diagnosis/scene.hpp"
#include "tests/support/said.hpp"

namespace callready {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

// --- the proxy -----------------------------------------------------------------------------------

ProbeResult by(std::string proxy, ProbeResult result) {
  result.probe.target.route.proxy = std::move(proxy);
  return result;
}

ProbeResult upgrade(std::string host, Outcome outcome, test::Said detail) {
  auto result = probe(CheckKind::http, Transport::tls, std::move(host), 443, outcome, detail);
  result.probe.with["upgrade"] = "websocket";
  return result;
}

TEST(ProxyDenial, IsOfTheHostWhereItsPortIsLetThroughToOthers) {
  const auto denied = [](std::string host) {
    return proxied(tls(std::move(host)), Outcome::denied, "403");
  };
  const auto one =
      only(report({row("web", {proxied(tls("portal.vendor.com")), denied("files.vendor.com")}),
                   controls(anchors())}));
  EXPECT_EQ(one.title, "The proxy denies connections to files.vendor.com, port 443");
  const auto port =
      only(report({row("web", {denied("portal.vendor.com"), denied("files.vendor.com")}),
                   controls(anchors())}));
  EXPECT_EQ(port.title, "The proxy denies connections to port 443");
}

TEST(Proxy, OfAPacFileEachIsNamedByItself) {
  const auto dead = [](std::string host) {
    return by("http://10.20.0.4:8080", proxied(tls(std::move(host)), refused, "proxy_unreachable"));
  };
  const auto found =
      only(report({row("web", {proxied(tls("portal.vendor.com")),
                               by("http://10.20.0.4:8080", dead("files.vendor.com"))}),
                   controls(anchors())}));
  EXPECT_EQ(found.code, FindingCode::proxy_unreachable);
  EXPECT_TRUE(holds(found.title, "10.20.0.4:8080")) << found.title;
}

// Programs that obey the setting reach nothing, although the direct way is open.
TEST(Proxy, ThatIsDeadWeakensWhatWouldGoByIt) {
  for (const bool unknown_name : {false, true}) {
    auto by_proxy = proxied(tls("portal.vendor.com"), unknown_name ? unresolved : refused,
                            unknown_name ? "proxy_unresolved" : "proxy_unreachable");
    const auto found =
        only(report({row("web", {by_proxy, tls("portal.vendor.com")}), controls(anchors())}));
    EXPECT_EQ(found.code, FindingCode::proxy_unreachable);
    EXPECT_EQ(found.affects.size(), 1u) << unknown_name;
  }
}

// A proxy that is there, and does not carry what it is asked for. No connection gets out without
// it.
std::vector<Finding> carried_by_proxy(std::vector<ProbeResult> asked,
                                      std::vector<ProbeResult> others) {
  const auto lost = [](std::string host) { return tls(std::move(host), silent, "timed_out"); };
  asked.push_back(lost("portal.vendor.com"));
  asked.push_back(lost("files.other.net"));
  others.push_back(lost("www.google.com"));
  others.push_back(lost("www.cloudflare.com"));
  return diagnose(report({row("web", std::move(asked)), controls(std::move(others))}));
}

ProbeResult not_carried(std::string host, const char* detail) {
  auto result = proxied(tls(std::move(host)), failed, detail);
  result.observation.evidence.clear();
  return result;
}

// It answers other requests: its connections to one port hang, whoever they are for.
TEST(Proxy, ThatLeavesOnePortUnansweredIsTheCause) {
  const auto hanging = [](std::string host) {
    return not_carried(std::move(host), "proxy_timed_out");
  };
  const auto refusal = proxied(tcp("portal.vendor.com", 80), denied, "403");
  const auto found =
      carried_by_proxy({hanging("portal.vendor.com"), refusal}, {hanging("www.google.com")});
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().code, FindingCode::proxy_upstream_failed);
  EXPECT_EQ(found.front().confidence, Confidence::likely);
  EXPECT_TRUE(holds(found.front().title, "requests for port 443")) << found.front().title;
  // It got through to somebody: then it is not the port.
  const auto carried = proxied(tls("files.other.net"));
  for (const auto& one : carried_by_proxy({hanging("portal.vendor.com"), refusal, carried}, {})) {
    EXPECT_NE(one.code, FindingCode::proxy_upstream_failed) << one.title;
  }
}

// Whose names it cannot look up, for example: those fail, and others get through.
TEST(Proxy, ThatDoesNotGetThroughItselfIsTheCause) {
  const auto failing = [](std::string host) {
    return with(not_carried(std::move(host), "503"),
                {EvidenceKind::proxy_reply, "503", {{Fact::status, std::int64_t{503}}}});
  };
  const auto found = carried_by_proxy({failing("portal.vendor.com"), failing("files.other.net")},
                                      {proxied(tls("www.google.com"))});
  const auto its = std::ranges::find(found, FindingCode::proxy_upstream_failed, &Finding::code);
  ASSERT_NE(its, found.end());
  EXPECT_EQ(its->confidence, Confidence::likely);
  EXPECT_EQ(its->explains, Codes{"vendor/web"});
  EXPECT_TRUE(holds(its->title, "does not get through to portal.vendor.com and files.other.net"));
  for (const auto& one : found) EXPECT_NE(one.code, FindingCode::proxy_required) << one.title;
}

TEST(Proxy, ThatHangsUpOnEverybodyIsTheCause) {
  const auto cut = [](std::string host) { return not_carried(std::move(host), "closed_by_peer"); };
  const auto open = proxied(tcp("portal.vendor.com", 80), connected);
  const auto found = carried_by_proxy({cut("portal.vendor.com"), cut("files.other.net"), open}, {});
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().code, FindingCode::proxy_upstream_failed);
  EXPECT_TRUE(holds(found.front().title, "carries nothing over connections to port 443"))
      << found.front().title;
  for (const auto& one : found) EXPECT_NE(one.code, FindingCode::proxy_required) << one.title;
  // One server may hang up by itself.
  for (const auto& one :
       carried_by_proxy({cut("portal.vendor.com"), open}, {proxied(tls("www.google.com"))})) {
    EXPECT_NE(one.code, FindingCode::proxy_upstream_failed) << one.title;
  }
}

// Where only a proxy leads out, and its name is wrong, the name is the cause.
TEST(Proxy, WhoseNameIsWrongIsNotTheNetworks) {
  const auto lost = [](std::string host) { return tls(std::move(host), silent, "timed_out"); };
  const auto found =
      only(report({row("web", {proxied(tls("portal.vendor.com"), unresolved, "proxy_unresolved"),
                               lost("portal.vendor.com"), lost("files.vendor.com")}),
                   controls({lost("www.google.com"), lost("www.cloudflare.com")})}));
  EXPECT_EQ(found.code, FindingCode::proxy_unreachable) << found.title;
}

TEST(Udp, ThatIsBlockedExceptForNamesIsNotAllUdp) {
  const auto title = [](bool names) {
    std::vector<ProbeResult> asked{tls("www.google.com"), tls("www.cloudflare.com"),
                                   stun("stun.cloudflare.com", 3478, silent),
                                   stun("stun.l.google.com", 19302, silent)};
    if (names) asked.push_back(question("www.google.com", "NOERROR", "9.9.9.9"));
    return only(
               report({row("turn", {turn("turn.vendor.com", silent, ""), tls("portal.vendor.com")}),
                       controls(asked)}))
        .title;
  };
  EXPECT_EQ(title(false), "The firewall blocks all outgoing UDP");
  EXPECT_EQ(title(true), "The firewall blocks all outgoing UDP except DNS");
}

// The site's servers answer SERVFAIL: nobody has denied the name.
TEST(Names, ThatTheServersFailToLookUpNeedAnotherFix) {
  const auto fix = [](const char* failure, const char* rcode) {
    return only(report({row("web", {tls("portal.vendor.com", unresolved, failure)}),
                        follow_up({question("portal.vendor.com", rcode),
                                   question("portal.vendor.com", "NOERROR", "9.9.9.9")}),
                        controls(anchors())}))
        .fix;
  };
  EXPECT_TRUE(holds(fix("no_such_name", "NXDOMAIN"), "Allow this name"));
  EXPECT_TRUE(holds(fix("dns_failed", "SERVFAIL"), "check their forwarders"));
}

// The resolver of a VPN that knows the company's names alone, and is asked first.
TEST(Names, ThatOnlyTheFirstResolverDenies) {
  const auto made = [](const std::string& by_second, bool one_is_found) {
    auto asked = question("portal.vendor.com", "NXDOMAIN", {},
                          {{Fact::name, std::string("portal.vendor.com")}});
    auto second = asked.observation.evidence.front();
    second.facts[Fact::server] = std::string("10.20.0.2:53");
    second.facts[Fact::rcode] = by_second;
    second.facts[Fact::count] = std::int64_t{by_second == "NOERROR" ? 1 : 0};
    asked.observation.evidence.push_back(second);
    const auto missing = [](const char* host) { return tls(host, unresolved, "no_such_name"); };
    return diagnose(report(
        {row("web", {missing("portal.vendor.com")}),
         row("sign-in", {one_is_found ? tls("login.other.com") : missing("login.other.com")}),
         row("media", {range("20.1.2.3", all_ports("left_site"))}), follow_up({asked}),
         controls({missing("www.google.com"), missing("www.cloudflare.com")})}));
  };
  const auto found = made("NOERROR", false);
  ASSERT_EQ(codes(found), Codes{"dns.filtered (certain)"});
  EXPECT_EQ(found.front().title,
            "The DNS server 10.20.0.1 denies all names that were tried, but 10.20.0.2 has some");
  EXPECT_EQ(found.front().owner, Owner::helpdesk);
  EXPECT_EQ(found.front().explains, (Codes{"vendor/web", "vendor/sign-in"}));
  for (const auto& other : {made("NXDOMAIN", false), made("NOERROR", true)}) {
    for (const auto& finding : other) EXPECT_NE(finding.owner, Owner::helpdesk) << finding.title;
  }
}

// What the inspecting device took itself is exempted with the rest, though nothing shows it lost.
TEST(Interception, ExemptsWhatTheDeviceTookItself) {
  auto taken = probe(CheckKind::hop, Transport::tcp, "media.vendor.com", 443, connected,
                     "answered_on_the_way");
  const auto found = only(report(
      {row("web", {tls("portal.vendor.com", failed, "untrusted", "CN=Box")}), row("media", {taken}),
       controls({tls("www.google.com", failed, "untrusted", "CN=Box"),
                 tls("www.cloudflare.com", failed, "untrusted", "CN=Box")})}));
  EXPECT_EQ(found.code, FindingCode::tls_intercepted);
  EXPECT_TRUE(holds(found.fix, "media.vendor.com")) << found.fix;
}

// A name that the user typed is first to be looked at by the user.
TEST(Names, OfOnesOwnAreToBeSpelledFirst) {
  auto made = report(
      {row("web", {tls("old.vendor.com", unresolved, "no_such_name"), tls("portal.vendor.com")}),
       follow_up({question("old.vendor.com", "NXDOMAIN", "9.9.9.9"),
                  question("old.vendor.com", "NXDOMAIN", "1.1.1.1")}),
       controls(anchors())});
  EXPECT_TRUE(holds(only(made).fix, "ask the vendor what replaced old.vendor.com"));
  made.site.own_hosts = {"old.vendor.com"};
  const auto own = only(made);
  EXPECT_EQ(own.owner, Owner::user);
  EXPECT_TRUE(own.fix.string().starts_with(
      "First check how old.vendor.com is spelled: you gave it yourself (--var, --set). If "))
      << own.fix;
}

TEST(ProxyRequired, SaysNothingOfUdpThatGetsOut) {
  const auto lost = [](std::string host) { return tls(std::move(host), silent, "timed_out"); };
  const auto made =
      report({row("web", {proxied(tls("portal.vendor.com")), lost("push.vendor.com")}),
              row("turn", {turn("turn.vendor.com", silent, "")}),
              controls({lost("www.google.com"), lost("www.cloudflare.com"),
                        stun("stun.cloudflare.com"), stun("stun.l.google.com", 19302),
                        ntp("pool.ntp.org"), ntp("time.cloudflare.com")}),
              follow_up({udp_hop("turn.vendor.com", 3478, "dropped", "turn"),
                         udp_hop("turn.vendor.com", 3478, "dropped")})});
  const auto found = diagnose(made);
  ASSERT_EQ(codes(made), (Codes{"proxy.required (certain)", "firewall.flow_blocked (likely)"}));
  EXPECT_EQ(found.front().title, "This site lets TCP out only through the proxy");
  EXPECT_EQ(found.front().explains, Codes{"vendor/web"});
}

TEST(ProxyUnreachable, ExplainsNoUdpWhereSomeGetsOut) {
  const auto made = [](Outcome outcome, const std::string& detail) {
    const auto lost = [](std::string host) { return tls(std::move(host), silent, "timed_out"); };
    return report({row("web", {lost("portal.vendor.com"),
                               proxied(tls("portal.vendor.com"), outcome, detail)}),
                   row("turn", {turn("turn.vendor.com", silent, "")}),
                   controls({lost("www.google.com"), lost("www.cloudflare.com"),
                             stun("stun.cloudflare.com"), stun("stun.l.google.com", 19302)})});
  };
  for (const auto& findings :
       {diagnose(made(refused, "proxy_unreachable")), diagnose(made(denied, "407"))}) {
    ASSERT_FALSE(findings.empty());
    EXPECT_EQ(family_of(findings.front().code), "proxy");
    EXPECT_EQ(findings.front().explains, Codes{"vendor/web"});
  }
}

TEST(ProxyUnreachable, IsTheCauseWhereSomebodyRefusesAtItsAddress) {
  const auto made = [](Outcome outcome) {
    const auto lost = [](std::string host) { return tls(std::move(host), silent, "timed_out"); };
    return report({row("web", {lost("portal.vendor.com"),
                               proxied(tls("portal.vendor.com"), outcome, "proxy_unreachable")}),
                   controls({lost("www.google.com"), lost("www.cloudflare.com")})});
  };
  const auto gone = only(made(refused));
  EXPECT_EQ(gone.code, FindingCode::proxy_unreachable);
  EXPECT_EQ(gone.explains, Codes{"vendor/web"});
  // Nobody answers: the line is down, or there is no proxy. One cause, which knows of the proxy.
  const auto quiet = only(made(silent));
  EXPECT_EQ(quiet.code, FindingCode::network_offline);
  EXPECT_TRUE(holds(quiet.fix, "the proxy http://10.20.0.3:3128, which does not answer either"))
      << quiet.fix;
  EXPECT_FALSE(holds(quiet.fix, "--proxy")) << quiet.fix;
}

TEST(StrippedUpgrade, IsNotTheProxysWhereTheServerDoesWithout) {
  const auto made = [](std::string directly) {
    return report(
        {row("ws", {proxied(upgrade("ws.vendor.com", failed, ""), failed, "no_upgrade"),
                    upgrade("ws.vendor.com", directly == "101" ? answered : failed, directly)}),
         controls(anchors())});
  };
  EXPECT_EQ(codes(made("101")), Codes{"proxy.no_websocket (certain)"});
  EXPECT_EQ(codes(made("no_upgrade")), Codes{});
}

TEST(StrippedUpgrade, IsNotOfAllHostsWhereOneGetsThrough) {
  const auto found =
      only(report({row("ws", {proxied(upgrade("ws1.vendor.com", failed, ""), failed, "no_upgrade"),
                              proxied(upgrade("ws2.vendor.com", answered, ""), answered, "101")}),
                   controls(anchors())}));
  EXPECT_EQ(found.confidence, Confidence::possible);
  EXPECT_TRUE(found.title.ends_with("blocks WebSocket to ws1.vendor.com")) << found.title;
}

// --- sign-in pages and clocks --------------------------------------------------------------------

ProbeResult foreign_page(std::string host, double date_offset_s = 0) {
  auto page =
      probe(CheckKind::http, Transport::tcp, std::move(host), 80, failed, "unexpected_body");
  page.probe.with["body"] = "Success";
  return with(page, {EvidenceKind::http_reply,
                     "HTTP 302",
                     {{Fact::body_matches, false},
                      {Fact::date_offset_s, date_offset_s},
                      {Fact::redirect_host, std::string("blocked.corp.example")}}});
}

// A firewall with a list of what is allowed: the vendor, but none of the pages known to us.
TEST(CaptivePortal, IsNoneWhereTheServiceIsLetOut) {
  const auto made = [](Outcome portal) {
    return report(
        {row("web", {tls("portal.vendor.com", portal, portal == answered ? "trusted" : "")}),
         row("turn", {turn("turn.vendor.com", silent, "")}),
         controls({foreign_page("www.msftncsi.com"), foreign_page("captive.apple.com"),
                   tls("www.google.com", silent, "timed_out")})});
  };
  for (const auto& code : codes(made(answered))) {
    EXPECT_FALSE(code.starts_with("network.captive_portal")) << code;
  }
  EXPECT_EQ(codes(made(silent)), Codes{"network.captive_portal (certain)"});
}

// All else gets out: an advertisement, or a notice about the line.
TEST(RedirectedPages, AreADevicesThatAnswersPlainHttpAlone) {
  const auto made = [](ProbeResult second) {
    return report({row("web", {tls("portal.vendor.com")}),
                   controls({foreign_page("www.msftncsi.com"), std::move(second),
                             tls("www.google.com"), tls("www.cloudflare.com")})});
  };
  const auto found = only(made(foreign_page("captive.apple.com")));
  EXPECT_EQ(found.code, FindingCode::network_http_redirected);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_TRUE(holds(found.fix, "who runs blocked.corp.example")) << found.fix;
  EXPECT_EQ(codes(made(tls("www.example.org"))), Codes{}) << "one page may have moved";
  const auto relay =
      with(probe(CheckKind::turn, Transport::tcp, "turn.vendor.com", 80, failed, "not_stun"),
           {EvidenceKind::stun_stray,
            "HTTP/1.1 302 Found",
            {{Fact::what, std::string("HTTP/1.1 302 Found")}}});
  EXPECT_EQ(codes(made(relay)), Codes{"network.http_redirected (likely)"});
}

// Hosts of the service that may be reached before signing in; all others show the portal's own
// certificate.
TEST(CaptivePortal, MayLetPartOfTheServiceOut) {
  const auto made = [](const std::string& of_google) {
    const auto shown = [](const char* host, const std::string& name) {
      auto result = tls(host, failed, "untrusted", "CN=" + name);
      for (auto& evidence : result.observation.evidence) evidence.facts[Fact::sha256] = name;
      return result;
    };
    return report({row("web", {tls("portal.vendor.com")}),
                   row("sign-in", {shown("login.other.com", "wifi.hotel.example")}),
                   controls({foreign_page("www.msftncsi.com"), foreign_page("captive.apple.com"),
                             shown("www.cloudflare.com", "wifi.hotel.example"),
                             shown("www.google.com", of_google)})});
  };
  const auto found = diagnose(made("wifi.hotel.example"));
  EXPECT_EQ(codes(found), Codes{"network.captive_portal (likely)"});
  EXPECT_EQ(found.front().explains, std::vector<std::string>{"vendor/sign-in"});
  for (const auto& code : codes(made("box.example"))) {
    EXPECT_FALSE(code.starts_with("network.captive_portal")) << "a certificate for each host";
  }
}

// Well-known pages may be reached before signing in, and nothing of the service.
TEST(CaptivePortal, MayLetOthersOutInstead) {
  const auto made = [](Outcome media, ProbeResult page) {
    return codes(report({row("web", {tls("portal.vendor.com", refused, "connection_refused")}),
                         row("turn", {turn("turn.vendor.com", media, "")}),
                         controls({std::move(page), tls("www.google.com"),
                                   tls("www.cloudflare.com"), stun("stun.cloudflare.com")})}));
  };
  const Codes portal{"network.captive_portal (likely)"};
  EXPECT_EQ(made(silent, foreign_page("www.msftncsi.com")), portal);
  EXPECT_FALSE(contains(made(answered, foreign_page("www.msftncsi.com")), portal.front()));
  EXPECT_FALSE(contains(made(silent, tls("www.example.org")), portal.front()));
}

// Part of the service may be reached as well, where pages lead to the gateway.
TEST(CaptivePortal, MayLetOneHostOfTheServiceOut) {
  const auto made = [](const std::string& place) {
    auto page = foreign_page("www.msftncsi.com");
    page.observation.evidence.back().facts[Fact::redirect_host] = place;
    auto site = report({row("login", {tls("login.other.com")}),
                        row("web", {tls("portal.vendor.com", refused, "connection_refused")}),
                        row("turn", {turn("turn.vendor.com", silent, "")}),
                        controls({std::move(page), tls("www.google.com", silent, "timed_out")})});
    site.site.gateways.push_back({*IpAddress::parse("10.20.0.1"), "eth0", true});
    return codes(site);
  };
  const std::string portal = "network.captive_portal (likely)";
  EXPECT_EQ(made("10.20.0.1"), Codes{portal});
  EXPECT_FALSE(contains(made("blocked.corp.example"), portal));
}

// It redirects TLS to its own certificate, and drops or resets all else.
TEST(CaptivePortal, MayShowNothingButItsCertificate) {
  const auto made = [](Outcome media, const std::string& of_google = "wifi.hotel.example") {
    const auto shown = [](const char* host, const std::string& name) {
      auto result = tls(host, failed, "untrusted", "CN=" + name);
      for (auto& evidence : result.observation.evidence) evidence.facts[Fact::sha256] = name;
      return result;
    };
    return codes(report({row("web", {shown("portal.vendor.com", "wifi.hotel.example")}),
                         row("turn", {turn("turn.vendor.com", silent, "")}),
                         controls({shown("www.cloudflare.com", "wifi.hotel.example"),
                                   shown("www.google.com", of_google),
                                   stun("stun.cloudflare.com", 3478, media)})}));
  };
  EXPECT_EQ(made(silent), Codes{"network.captive_portal (likely)"});
  EXPECT_FALSE(contains(made(answered), "network.captive_portal (likely)")) << "UDP gets out";
  EXPECT_FALSE(contains(made(silent, "box.example"), "network.captive_portal (likely)"))
      << "a certificate for each host: inspection";
}

// Without public pages: a service may send people to another host of its own.
TEST(CaptivePortal, IsToldByWhereTheServicesOwnPageLeads) {
  const auto page_of = [](const std::string& host, const std::string& to) {
    auto page = probe(CheckKind::http, Transport::tcp, host, 80, answered, "302");
    page.observation.evidence = {{EvidenceKind::http_reply, "", {{Fact::redirect_host, to}}}};
    return page;
  };
  const auto made = [&](const std::string& to, ProbeResult web,
                        std::vector<ProbeResult> media = {}) {
    media.push_back(std::move(web));
    const auto found =
        codes(report({row("ws", {page_of("ws.vendor.com", to)}),
                      row("other", {page_of("ws.other.net", to)}), row("web", std::move(media))}));
    Codes portals;
    for (const auto& code : found) {
      if (code.starts_with("network.captive_portal")) portals.push_back(code);
    }
    return portals;
  };
  const auto shut = tls("portal.vendor.com", silent, "timed_out");
  const Codes likely{"network.captive_portal (likely)"};
  EXPECT_EQ(made("login.hotel.example", shut), likely) << "two services may move on one day";
  EXPECT_EQ(made("192.168.1.1", shut), likely);
  EXPECT_EQ(made("www.vendor.com", shut), Codes{});
  EXPECT_EQ(made("login.hotel.example", tls("portal.vendor.com")), Codes{});
  EXPECT_EQ(made("login.hotel.example", tcp("portal.vendor.com", 80)), Codes{}) << "nothing fails";
  EXPECT_EQ(made("login.hotel.example", shut, {range("media.vendor.com", all_ports("left_site"))}),
            Codes{})
      << "media gets out";
}

TEST(CaptivePortal, HasAClockOfItsOwn) {
  constexpr double years = 1.7e9;
  const auto made = report({row("web", {tls("portal.vendor.com", refused, "connection_refused")}),
                            controls({foreign_page("www.msftncsi.com", -years),
                                      foreign_page("captive.apple.com", -years)})});
  EXPECT_EQ(codes(made), Codes{"network.captive_portal (certain)"});
}

TEST(Offline, CallsNoHostOfTheVendorWellKnown) {
  const auto found = only(report(
      {row("turn", {turn("turn1.vendor.com", silent, ""), turn("turn2.other.net", silent, ""),
                    tls("portal.vendor.com", silent, "timed_out")}),
       follow_up({tcp("turn1.vendor.com", 3478, silent)})}));
  EXPECT_EQ(found.code, FindingCode::network_offline);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_FALSE(has_evidence(found, "well known")) << found.evidence.front().text;
}

// --- certificates --------------------------------------------------------------------------------

TEST(Interception, IsLikelyOnlyAmongOneVendorsDomains) {
  const auto own = [](std::string host) {
    return tls(std::move(host), failed, "untrusted", "CN=Vendor Private CA");
  };
  const auto found = only(report(
      {row("web", {own("portal.vendor.com"), own("portal.vendor.net")}), controls(anchors())}));
  EXPECT_EQ(found.code, FindingCode::tls_intercepted);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_FALSE(has_evidence(found, "nothing in common"));
  EXPECT_TRUE(holds(found.title, "may decrypt")) << found.title;
  EXPECT_TRUE(holds(found.fix, "If the issuer is the service's own authority")) << found.fix;
}

// A vendor's set and a customer's copy of it are not two vendors.
TEST(Interception, IsNotCertainByTwoSetsThatAskForTheSame) {
  const auto own = [](std::string host) {
    return tls(std::move(host), failed, "untrusted", "CN=Vendor Private CA");
  };
  auto made = report(
      {row("web", {own("portal.vendor.com"), own("portal.vendor.net")}), controls(anchors())});
  made.sets.push_back(made.sets.front());
  made.sets.back().id = "copy";
  EXPECT_EQ(only(made).confidence, Confidence::likely);
  EXPECT_FALSE(has_evidence(only(made), "unrelated operators"));
}

TEST(Untrusted, IsThisComputersOldListWherePublicAuthoritiesAreUnknown) {
  const auto unknown = [](std::string host, std::string issuer) {
    auto leaf = certificate(0, "CN=" + host, std::move(issuer));
    leaf.facts[Fact::timestamps] = true;
    return with_root(
        with(probe(CheckKind::tls, Transport::tls, host, 443, failed, "untrusted"), leaf), false);
  };
  const auto found = only(report(
      {row("web", {unknown("portal.vendor.com", "CN=R11,O=Let's Encrypt"),
                   unknown("files.other.net", "CN=R11,O=Let's Encrypt"),
                   unknown("push.third.org", "CN=WE1,O=Google Trust Services")}),
       controls({tls("www.google.com"), unknown("www.example.org", "CN=R11,O=Let's Encrypt")})}));
  EXPECT_EQ(found.code, FindingCode::tls_untrusted);
  EXPECT_EQ(found.owner, Owner::helpdesk);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_TRUE(holds(found.fix, "CN=WE1,O=Google Trust Services")) << found.fix;
}

// A self-signed certificate that bears a product's name: the appliance itself, which somebody runs.
TEST(Interception, IsNotADeviceThatIsTheServer) {
  auto own = certificate(0, "CN=pfSense", "CN=pfSense");
  own.facts[Fact::self_signed] = true;
  EXPECT_EQ(codes(report({row("sip", {with_root(with(probe(CheckKind::tls, Transport::tls,
                                                           "20.1.2.3", 443, failed, "untrusted"),
                                                     own),
                                                false)}),
                          controls(anchors())})),
            Codes{"tls.untrusted (likely)"});
}

TEST(TlsFilter, OfOneServerMayBeThatServers) {
  const auto found = only(report(
      {row("web", {tls("portal.vendor.com", failed, "connection_reset")}), controls(anchors())}));
  EXPECT_EQ(found.confidence, Confidence::possible);
  EXPECT_TRUE(holds(found.title, "in transit or by the server")) << found.title;
  EXPECT_TRUE(holds(found.fix, "ask the servers' operator")) << found.fix;
}

// Nobody has measured whether full-size packets pass, as certificates need them.
TEST(TlsFilter, IsNotNamedWhereTheMtuMayBeTheCause) {
  const auto made = [](bool measured) {
    auto run = report({row("web", {tls("portal.vendor.com", failed, "tls_timed_out"),
                                   tls("portal.other.net", failed, "tls_timed_out"),
                                   sip_tcp("sip.vendor.com", 5060)}),
                       controls({tls("www.google.com", failed, "tls_timed_out"),
                                 tls("www.cloudflare.com", failed, "tls_timed_out"),
                                 stun("stun.l.google.com", 19302)})});
    auto path =
        probe(CheckKind::path, Transport::udp, "stun.l.google.com", 19302, answered, "full_size");
    path.observation.evidence.push_back({EvidenceKind::path_mtu, "", {}});
    if (measured) run.probes.push_back(path);
    return codes(run);
  };
  EXPECT_EQ(made(true), Codes{"firewall.tls_filtered (possible)"});
  EXPECT_EQ(made(false), Codes{});
}

TEST(TlsFilter, GoesByTheNameWhereAnotherOneIsAnswered) {
  auto other = tls("portal.vendor.com", failed, "wrong_name");
  other.probe.with["server_name"] = "example.com";
  other.probe.purpose = Purpose::other_server_name;
  const auto made = [](const ProbeResult& greeted) {
    return report({row("web", {tls("portal.vendor.com", failed, "connection_reset"),
                               tls("portal.other.net", failed, "connection_reset")}),
                   controls(anchors()), follow_up({greeted})});
  };
  const auto found = only(made(other));
  EXPECT_EQ(found.code, FindingCode::firewall_tls_filtered);
  EXPECT_NE(found.confidence, Confidence::possible);
  EXPECT_TRUE(holds(found.title, "are cut off in transit")) << found.title;
  EXPECT_TRUE(holds(found.title, "connections to portal")) << found.title;
  EXPECT_TRUE(has_evidence(found, "the block matches on its name"));
  // A saved report may have lost the name.
  other.probe.with.clear();
  for (const auto& one : diagnose(made(other))) {
    EXPECT_FALSE(has_evidence(one, "the block matches on its name")) << one.title;
  }
}

// Two media hosts get nothing on any port, and STUN to one of these ports passes.
TEST(MediaFilter, IsNotWhatAPortRuleIs) {
  const auto made = [](const char* stun_seen) {
    return report({row("media", {range("20.1.2.3", all_ports("dropped")),
                                 range("20.9.9.9", all_ports("dropped"))}),
                   row("turn", {turn("turn.vendor.com")}), controls(anchors()),
                   follow_up({udp_hop("20.1.2.3", 10'000, stun_seen, "stun"),
                              udp_hop("20.9.9.9", 10'000, stun_seen, "stun"),
                              udp_hop("20.1.2.3", 10'000, "dropped")})});
  };
  const auto found = only(made("left_site"));
  EXPECT_EQ(found.code, FindingCode::firewall_media_filtered);
  EXPECT_EQ(found.title, "The firewall lets UDP out, but not media (RTP)");
  EXPECT_EQ(found.explains, Codes{"vendor/media"});
  EXPECT_TRUE(has_evidence(found, "RTP to 20.1.2.3, UDP port 10000, is stopped on the way"));
  for (const auto& one : diagnose(made("dropped")))
    EXPECT_NE(one.code, FindingCode::firewall_media_filtered) << one.title;
}

TEST(MediaFilter, IsLookedForWhereNothingButMediaDies) {
  const auto asked =
      follow_ups(report({row("media", {range("20.1.2.3", all_ports("dropped"))}),
                         row("turn", {turn("turn.vendor.com")}), controls(anchors())}));
  EXPECT_TRUE(std::ranges::any_of(asked, [](const Probe& probe) {
    const auto payload = probe.with.find("payload");
    return probe.target.host == "20.1.2.3" && payload != probe.with.end() &&
           payload->second == "stun";
  }));
}

// Some filters say so in TLS instead of a reset.
TEST(TlsFilter, MaySayThatAccessIsDenied) {
  const auto denied_to = [](std::string host) {
    return tls(std::move(host), failed, "tls_access_denied");
  };
  const auto found =
      only(report({row("web", {denied_to("portal.vendor.com"), denied_to("portal.other.net")}),
                   controls(anchors())}));
  EXPECT_EQ(found.code, FindingCode::firewall_tls_filtered);
  EXPECT_EQ(found.confidence, Confidence::likely);
}

// The company's root, given for this run, signs for public servers, too: no authority of a server.
TEST(Interception, IsNoLessOneWhereItsRootWasGiven) {
  const auto given = [](ProbeResult result) {
    result.observation.evidence.push_back(
        {EvidenceKind::chain_root, "", {{Fact::expected, true}, {Fact::given, true}}});
    return result;
  };
  const auto ours = given(tls("pbx.vendor.com", answered, "trusted", "CN=Corp Root"));
  const auto theirs = given(tls("www.google.com", answered, "trusted", "CN=Corp Root"));
  const auto found =
      only(report({row("web", {ours}), controls({theirs, tls("www.cloudflare.com")})}));
  EXPECT_EQ(found.code, FindingCode::tls_intercepted);
  EXPECT_EQ(codes(report({row("web", {ours}), controls(anchors())})), Codes{});
  const auto trusted_anyway = [](ProbeResult result) {
    result.observation.evidence.back().facts[Fact::trusted_anyway] = true;
    return result;
  };
  EXPECT_EQ(codes(report({row("web", {trusted_anyway(ours)}),
                          controls({trusted_anyway(theirs), tls("www.cloudflare.com")})})),
            Codes{});
}

TEST(CertificateFaults, OfAUsersOwnServerMayBeHomeMade) {
  auto signed_itself = tls("pbx.example.com", failed, "untrusted", "CN=pbx.example.com");
  signed_itself.observation.evidence.back().facts[Fact::self_signed] = true;
  auto made = report({row("sip", {signed_itself}), controls(anchors())});
  EXPECT_EQ(only(made).owner, Owner::security);
  made.site.own_hosts = {"pbx.example.com"};
  EXPECT_EQ(only(made).owner, Owner::helpdesk);
  EXPECT_EQ(only(made).title, "Self-signed certificate: pbx.example.com");
}

TEST(TlsFilter, MayKeepSilentTwice) {
  const auto again = [](std::string host) {
    auto second =
        probe(CheckKind::path, Transport::tls, std::move(host), 443, failed, "tls_timed_out");
    second.probe.purpose = Purpose::repeat;
    return second;
  };
  const auto found = only(report(
      {row("web", {tls("portal.vendor.com", failed, "tls_timed_out"),
                   tls("portal.other.net", failed, "tls_timed_out")}),
       controls(anchors()), follow_up({again("portal.vendor.com"), again("portal.other.net")})}));
  EXPECT_EQ(found.code, FindingCode::firewall_tls_filtered);
}

// --- the path ------------------------------------------------------------------------------------

ProbeResult families(std::string host, std::string six) {
  auto result =
      probe(CheckKind::ipv6, Transport::tcp, std::move(host), 443, connected, "ipv4_first");
  for (const auto& [version, seen] :
       {std::pair<std::string, std::string>("IPv6", six), {"IPv4", "connected"}}) {
    result = with(result, {EvidenceKind::family,
                           version + ": " + seen,
                           {{Fact::version, version}, {Fact::result, seen}}});
  }
  return result;
}

TEST(Ipv6, RefusedByOneServerIsThatServers) {
  const auto made = [](std::vector<ProbeResult> seen) {
    return report({row("web", {tls("portal.vendor.com")}), controls(std::move(seen))});
  };
  EXPECT_EQ(codes(made({families("www.a.com", "connection_refused")})), Codes{});
  const auto both = only(made(
      {families("www.a.com", "connection_refused"), families("www.b.com", "connection_refused")}));
  EXPECT_EQ(both.code, FindingCode::network_ipv6_broken);
  EXPECT_FALSE(holds(both.fix, "do not come back")) << both.fix;
}

TEST(Nat64, KeepsNetworksApart) {
  const auto network = [](std::string_view text) {
    return findings::network_of(*IpAddress::parse(text));
  };
  EXPECT_EQ(network("64:ff9b::20.1.2.3"), network("20.1.2.9"));
  EXPECT_NE(network("64:ff9b::20.1.2.3"), network("64:ff9b::20.9.2.3"));
  EXPECT_EQ(network("2001:db8:1::1"), network("2001:db8:1:2::1"));
}

TEST(Vpn, IsNoneWhereATunnelStandsInForIpv4) {
  auto made = report({row("web", {tls("portal.vendor.com")}), controls(anchors())});
  InterfaceInfo ethernet, tunnel;
  ethernet.name = "eth0";
  ethernet.addresses = {*IpAddress::parse("2001:db8::23")};
  tunnel.tunnel = true;
  EgressPath way;
  way.tunnel = way.default_route = true;
  way.hosts = {"portal.vendor.com"};
  const auto over = [&](std::string name, std::string_view address) {
    tunnel.name = way.interface = std::move(name);
    tunnel.addresses = {*IpAddress::parse(address)};
    made.site.interfaces = {ethernet, tunnel};
    made.site.ways = {way};
    return codes(made);
  };
  EXPECT_EQ(over("tun0", "10.8.0.2"), Codes{"network.vpn_full_tunnel (certain)"});
  EXPECT_EQ(over("clat", "192.168.255.1"), Codes{});
  EXPECT_EQ(over("tun0", "192.0.0.2"), Codes{});
  EXPECT_EQ(over("sit1", "2001:db8::2"), Codes{});
  EXPECT_EQ(over("site-a", "10.8.0.2"), Codes{"network.vpn_full_tunnel (certain)"});
}

TEST(Vpn, OfSomeHostsDoesNotCarryTheService) {
  auto made = report(
      {row("web", {tls("portal.vendor.com"), tls("files.vendor.com")}), controls(anchors())});
  made.site.interfaces.push_back({"tun0", {*IpAddress::parse("10.8.0.2")}, false, true});
  EgressPath way;
  way.interface = "tun0";
  way.tunnel = true;
  way.hosts = {"files.vendor.com"};
  made.site.ways = {way};
  EXPECT_EQ(only(made).title, "A VPN (tun0) carries part of the service's traffic");
  made.site.ways.front().hosts.push_back("portal.vendor.com");
  EXPECT_EQ(only(made).title, "A VPN (tun0) carries the service's traffic");
  // All traffic, unless another way has some of the hosts.
  made.site.ways.front().default_route = true;
  EXPECT_EQ(only(made).title, "A VPN (tun0) carries all traffic, including calls");
  EgressPath past;
  past.interface = "eth0";
  past.hosts = {"files.vendor.com"};
  made.site.ways.push_back(past);
  EXPECT_EQ(only(made).title, "A VPN (tun0) carries part of the service's traffic");
}

TEST(SymmetricNat, OfTwoLinesNamesTheirAddresses) {
  auto nat = with(stun("stun.vendor.com"), {EvidenceKind::nat_mapping,
                                            "another address",
                                            {{Fact::value, std::string("destination_dependent")}}});
  nat.probe.check = CheckKind::nat;
  auto made = report({recommended("nat", {nat}), controls(anchors())});
  made.site.public_addresses = {*IpAddress::parse("84.199.10.1"), *IpAddress::parse("91.2.3.4")};
  const auto found = only(made);
  EXPECT_EQ(found.code, FindingCode::nat_symmetric);
  EXPECT_TRUE(has_evidence(found, "84.199.10.1 and 91.2.3.4"));
  EXPECT_TRUE(holds(found.title, "a different public address")) << found.title;
  EXPECT_TRUE(holds(found.fix, "several Internet lines")) << found.fix;
  made.site.public_addresses.pop_back();
  EXPECT_FALSE(holds(only(made).fix, "several Internet lines"));
}

// One of the two servers was silent, and the provider uses NAT, too.
TEST(SymmetricNat, DoesNotDependOnWhichTestCameFirst) {
  const auto measured = [](std::string host, const std::string& mapping) {
    auto nat = with(stun(std::move(host)),
                    {EvidenceKind::nat_mapping, "the mapping", {{Fact::value, mapping}}});
    nat.probe.check = CheckKind::nat;
    return nat;
  };
  const auto made = [&](const std::string& first, const std::string& second) {
    auto site =
        report({recommended("nat", {measured("stun.vendor.com", first)}),
                recommended("nat2", {measured("stun.other.net", second)}), controls(anchors())});
    site.site.interfaces.front().addresses = {IpAddress::v4({100, 64, 0, 2})};
    return codes(site);
  };
  const std::string symmetric = "address_and_port_dependent";
  EXPECT_EQ(made(symmetric, "not_measured"), Codes{"nat.symmetric (certain)"});
  EXPECT_EQ(made("not_measured", symmetric), Codes{"nat.symmetric (certain)"});
}

// --- a satellite line, whose modem answers TCP by itself ----------------------------------------

TEST(MediaDelay, ComparesLikeWithLike) {
  auto media = stun("media.vendor.com"), far = stun("stun.l.google.com", 19302);
  auto near = tls("www.google.com");
  media.observation.round_trip = Milliseconds(620);
  near.observation.round_trip = Milliseconds(4);
  const auto made = [&](std::optional<double> other_udp) {
    far.observation.round_trip.reset();
    if (other_udp) far.observation.round_trip = Milliseconds(*other_udp);
    auto site = report({row("media", {media}), controls({near, far})});
    auto& slow = site.sets.front().requirements.front();
    slow.status = Status::warn;
    slow.poor = true;
    slow.summary = "reached; about 310 ms one way";
    return only(site);
  };
  EXPECT_EQ(made(600).owner, Owner::provider);
  EXPECT_EQ(made(30).owner, Owner::vendor);
  EXPECT_EQ(made(std::nullopt).confidence, Confidence::possible);
}

// It takes connections at once: "ready", where each answer over UDP took 600 ms.
TEST(MediaDelay, IsNotHowFarADeviceIsThatTakesConnections) {
  Scene run;
  auto taken = tcp_hop("20.1.2.3", 443, "answered_on_the_way");
  taken.observation.outcome = connected;
  taken.observation.round_trip = Milliseconds(0.1);
  auto far = stun("stun.l.google.com", 19302);
  far.observation.round_trip = Milliseconds(600);
  auto& row = run.add("media", {range("20.1.2.3", all_ports("left_site", "84.199.10.1"))});
  row.thresholds.one_way_delay_ms = 150;
  run.add("web", {taken});
  run.add_controls({far, stun("stun.cloudflare.com"), ntp("pool.ntp.org")});
  EXPECT_TRUE(row_of(run.judge(), "media").poor);
  const auto found = run.found();
  EXPECT_TRUE(contains(found, "media.delay"));
}

// --- a device that took offence, by resets -------------------------------------------------------

TEST(RateLimit, MayRefuseInsteadOfKeepingSilent) {
  const auto made = [](Outcome resolver) {
    auto again = tcp("www.google.com", 443, refused);
    again.probe.with["again"] = "true";
    *again.observation.sent_at += std::chrono::seconds(9);
    auto name = probe(CheckKind::dns, Transport::udp, "example.com", 53, resolver, "");
    if (resolver == answered) name = question("example.com", "NOERROR");
    return report(
        {row("sip", {sip_tcp("sip.vendor.com", 5060, refused), tls("sip.other.net", refused)}),
         controls({tls("www.google.com")}), follow_up({again, name})});
  };
  const auto found = only(made(answered));
  EXPECT_EQ(found.code, FindingCode::firewall_rate_limited);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_TRUE(holds(found.title, "started to refuse")) << found.title;
  const auto line = diagnose(made(silent)).front();
  EXPECT_EQ(line.confidence, Confidence::possible);
  EXPECT_TRUE(has_evidence(line, "the line itself may have gone down"));
}

}  // namespace
}  // namespace callready
