// Servers in this computer's own networks that are not there; and a network that comes up late.
#include "tests/diagnosis/diagnosis.hpp"

namespace callready::finding_neighbour_test {
namespace {

using namespace test;

// Its own link leads to these hosts, without a router in between.
Report on_link(std::vector<ProbeResult> its, const char* interface = "eth0") {
  const auto host = its.front().probe.target.host;
  auto made = report({row("sip", std::move(its)), controls(anchors())});
  EgressPath way;
  way.interface = interface;
  way.hosts = {host};
  EgressPath rest;
  rest.interface = "eth0";
  rest.gateway = IpAddress::parse("10.20.0.1");
  rest.hosts = {"www.google.com"};
  made.site.ways = {way, rest};
  return made;
}

TEST(Neighbour, IsNotThere) {
  const auto found = only(on_link({at(tcp("10.20.0.99", 5061, silent), "10.20.0.99")}));
  EXPECT_EQ(found.code, FindingCode::target_absent);
  EXPECT_EQ(found.confidence, Confidence::likely);
  EXPECT_EQ(found.title, "Nothing in this computer's own network answers at 10.20.0.99");
}

// Docker's networks, and those of virtual machines, may hide a real one.
TEST(Neighbour, MayBeHiddenByANetworkOfContainers) {
  const auto found = only(on_link({at(tcp("172.17.0.5", 5061, silent), "172.17.0.5")}, "docker0"));
  EXPECT_EQ(found.title, "This computer looks for 172.17.0.5 on its own adapter docker0");
  EXPECT_TRUE(holds(found.fix, "Give docker0 another range")) << found.fix;
}

TEST(Neighbour, DoesNotListen) {
  const auto found =
      only(on_link({at(tls("10.20.0.1", refused, "connection_refused"), "10.20.0.1")}));
  EXPECT_EQ(found.code, FindingCode::target_absent);
  EXPECT_EQ(found.confidence, Confidence::certain);
  EXPECT_EQ(found.title, "Nothing listens on port 443 of 10.20.0.1");
}

TEST(Neighbour, IsOneByMistake) {
  const auto found = only(on_link({at(tcp("52.112.0.1", 443, silent), "52.112.0.1")}, "eth1"));
  EXPECT_EQ(found.title, "Packets to 52.112.0.1 never leave this computer's own network");
  EXPECT_TRUE(holds(found.fix, "on eth1")) << found.fix;
}

TEST(Neighbour, IsNobodyBehindARouter) {
  auto made = on_link({at(tcp("10.20.0.99", 5061, silent), "10.20.0.99")});
  made.site.ways.front().gateway = IpAddress::parse("10.20.0.1");
  for (const auto& finding : diagnose(made)) EXPECT_NE(finding.code, FindingCode::target_absent);
  made.site.ways.front().gateway.reset();
  made.site.ways.front().hosts.emplace_back("www.google.com");
  for (const auto& finding : diagnose(made)) EXPECT_NE(finding.code, FindingCode::target_absent);
}

// --- silent at first -----------------------------------------------------------------------------

ProbeResult sent(ProbeResult result, int seconds) {
  result.observation.sent_at = WallTime(std::chrono::sys_days(std::chrono::November / 20 / 2026)) +
                               std::chrono::seconds(seconds);
  return result;
}

ProbeResult again(ProbeResult result) {
  result.probe.with["again"] = "true";
  return sent(result, 10);
}

// `early`: when a STUN server answers.
Report late_start(int early, Outcome second = answered) {
  std::vector<ProbeResult> lost{sent(turn("turn1.vendor.com", silent, "timed_out"), 0),
                                sent(turn("turn2.vendor.com", silent, "timed_out"), 0)};
  return report(
      {row("turn", lost), row("web", {sent(tls("portal.vendor.com"), 0)}),
       controls({sent(ntp("time.cloudflare.com", silent), 0), sent(ntp("pool.ntp.org", silent), 1),
                 sent(stun("stun.cloudflare.com"), early),
                 sent(stun("stun.l.google.com", 19302), 9), sent(tls("www.google.com"), 0),
                 sent(tls("www.cloudflare.com"), 0)}),
       follow_up(
           {again(turn("turn1.vendor.com", second)), again(ntp("time.cloudflare.com", second))})});
}

TEST(LateStart, IsNoFilter) {
  const auto found = only(late_start(8));
  EXPECT_EQ(found.code, FindingCode::network_interrupted);
  EXPECT_EQ(found.title, "At first nothing came back over UDP; 8 s later everything did");
  EXPECT_TRUE(has_evidence(found, "4 requests to 3 operators got no answer"))
      << found.evidence[0].text;
}

// What resolvers answered meanwhile is in the title.
TEST(LateStart, DoesNotDenyThatDnsWasAnswered) {
  auto made = late_start(8);
  made.probes.push_back(sent(question("www.google.com", "NOERROR", "9.9.9.9"), 0));
  EXPECT_EQ(only(made).title,
            "Over UDP, only DNS was answered at first; 8 s later, everything was");
}

TEST(LateStart, IsNoneWhereSomethingWasAnsweredBefore) {
  for (const auto& finding : diagnose(late_start(0)))
    EXPECT_NE(finding.code, FindingCode::network_interrupted) << finding.title;
  for (const auto& finding : diagnose(late_start(8, silent)))
    EXPECT_NE(finding.code, FindingCode::network_interrupted) << finding.title;
}

ProbeResult nameless(ProbeResult result) {
  result.observation.outcome = unresolved;
  result.observation.detail = DetailCode::dns_unreachable;
  result.observation.timing_ms[Timing::dns] = 4000;
  result.observation.address.reset();
  return result;
}

Report late_names(ProbeResult control, ProbeResult second) {
  auto made =
      report({row("web", {nameless(tls("portal.vendor.com")), nameless(tls("www.partner.com"))}),
              controls({std::move(control), tcp("1.1.1.1", 443)}),
              follow_up({question("portal.vendor.com", "NOERROR"), std::move(second),
                         again(at(tls("www.partner.com"), "20.1.2.4"))})});
  for (auto& result : made.probes) {
    if (result.probe.with.contains("again")) result.probe.purpose = Purpose::repeat;
  }
  return made;
}

TEST(LateStart, NamesThatNobodyAnsweredForAtFirst) {
  const auto second = again(at(tls("portal.vendor.com"), "20.1.2.3"));
  const auto late = late_names(nameless(tls("www.google.com")), second);
  EXPECT_EQ(codes(late), Codes{"network.interrupted (likely)"});
  EXPECT_TRUE(std::ranges::any_of(diagnose(late), [](const Finding& finding) {
    return finding.title == "At first no name could be looked up; later all could";
  }));
  for (const auto& made :
       {late_names(at(tls("www.google.com"), "20.1.2.5"), second),
        late_names(nameless(tls("www.google.com")), nameless(again(tls("portal.vendor.com"))))}) {
    for (const auto& finding : diagnose(made))
      EXPECT_NE(finding.code, FindingCode::network_interrupted) << finding.title;
  }
}

}  // namespace
}  // namespace callready::finding_neighbour_test
