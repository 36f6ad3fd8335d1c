// Where each flow stops, from a report's evidence.
#include "reports/words/path_flows.hpp"

#include <gtest/gtest.h>

#include "tests/reports/samples.hpp"
#include "tests/support/said.hpp"

namespace callready {
namespace {

using samples::ip;

ProbeResult to(Transport transport, std::uint16_t port, Outcome outcome, test::Said detail = "") {
  ProbeResult result;
  result.probe.check = CheckKind::tcp;
  result.probe.target.host = "service.example.com";
  result.probe.target.ports = {port, port};
  result.probe.target.transport = transport;
  result.probe.id = "probe";
  result.observation.outcome = outcome;
  result.observation.detail = detail;
  result.observation.address = ip("203.0.113.7");
  return result;
}

Report with(ProbeResult result) {
  Report report;
  report.site.interfaces = {{"eth0", {ip("10.20.0.15")}, true}};
  report.site.public_addresses = {ip("198.51.100.20")};
  SetResult set;
  set.id = "set";
  set.requirements = {{.id = "row", .probes = {result.probe.id}}};
  report.sets = {set};
  report.probes = {std::move(result)};
  return report;
}

Flow only_flow(const Report& report) {
  const auto path = path_of(report);
  EXPECT_EQ(path.groups.size(), 1u);
  if (path.groups.empty() || path.groups[0].flows.empty()) return {};
  EXPECT_EQ(path.groups[0].flows.size(), 1u);
  return path.groups[0].flows[0];
}

Stop only_stop(ProbeResult result) {
  const auto flow = only_flow(with(std::move(result)));
  EXPECT_EQ(flow.stops.size(), 1u);
  return flow.stops.empty() ? Stop{} : flow.stops[0];
}

// A saved report may hold a hundred thousand endpoints, each with a port or an end of its own.
TEST(PathFlows, TakesManyFlowsAndStops) {
  auto report = with(to(Transport::udp, 3478, Outcome::answered));
  const auto first = report.probes.at(0);
  auto& ids = report.sets.at(0).requirements.at(0).probes;
  for (int i = 0; i < 120'000; ++i) {
    auto result = first;
    result.probe.id = std::to_string(i);
    if (i % 2 == 0) {
      const auto port = static_cast<std::uint16_t>(5'000 + i / 2);
      result.probe.target.ports = {port, port};
    } else {
      result.observation.outcome = Outcome::denied;
      result.observation.detail = Detail::parse(std::to_string(400 + i % 100)).value_or(Detail());
    }
    ids.push_back(result.probe.id);
    report.probes.push_back(std::move(result));
  }
  const auto path = path_of(report);
  ASSERT_EQ(path.groups.size(), 1u);
  const auto& flows = path.groups[0].flows;
  ASSERT_EQ(flows.size(), 60'001u);  // of UDP 3478, and of as many ports as even numbers
  EXPECT_EQ(flows[0].stops.size(), 51u) << "answered, and denied with fifty codes";
}

struct Refused {
  const char* by;
  Place place;
};

TEST(PathFlows, ARefusalIsWhereItsSenderIs) {
  for (const auto& [by, place] : {
           Refused{"10.20.0.1", Place::router},       // an address that exists inside sites only
           Refused{"198.51.100.20", Place::router},   // the site's own address outside
           Refused{"10.20.0.15", Place::computer},    // a firewall on this computer
           Refused{"203.0.113.7", Place::vendor},     // the far end itself
           Refused{"100.64.0.1", Place::provider},    // carrier NAT
           Refused{"198.51.100.1", Place::provider},  // some router outside
           Refused{"nonsense", Place::unknown},
       }) {
    auto result = to(Transport::udp, 3478, Outcome::rejected, "prohibited");
    result.observation.evidence = {
        {EvidenceKind::icmp_error, "", {{Fact::sender, std::string(by)}}}};
    EXPECT_EQ(only_stop(result),
              (Stop{place, Mark::bad, std::string("blocked on the way by ") + by, 1}));
  }
  EXPECT_EQ(only_stop(to(Transport::tcp, 443, Outcome::rejected)),
            (Stop{Place::unknown, Mark::bad, "blocked on the way", 1}));
}

struct Seen {
  Outcome outcome;
  const char* detail;
  Place place;
  Mark mark;
};

TEST(PathFlows, EveryOutcomeHasItsPlace) {
  for (const auto& [outcome, detail, place, mark] : {
           Seen{Outcome::answered, "401", Place::vendor, Mark::good},
           Seen{Outcome::connected, "", Place::vendor, Mark::good},
           Seen{Outcome::passed, "left_site", Place::provider, Mark::good},
           Seen{Outcome::refused, "connection_refused", Place::vendor, Mark::bad},
           Seen{Outcome::denied, "403", Place::vendor, Mark::bad},
           Seen{Outcome::silent, "timed_out", Place::unknown, Mark::unknown},
           Seen{Outcome::unresolved, "no_such_name", Place::computer, Mark::bad},
           Seen{Outcome::failed, "503", Place::vendor, Mark::bad},
           Seen{Outcome::failed, "expired", Place::vendor, Mark::bad},
           // A device on the way can do these as well as the server.
           Seen{Outcome::failed, "connection_reset", Place::unknown, Mark::bad},
           Seen{Outcome::failed, "tls_timed_out", Place::unknown, Mark::bad},
           Seen{Outcome::failed, "untrusted", Place::unknown, Mark::bad},
       }) {
    const auto stop = only_stop(to(Transport::tls, 443, outcome, detail));
    EXPECT_EQ(stop.place, place) << detail;
    EXPECT_EQ(stop.mark, mark) << detail;
  }
}

TEST(PathFlows, WhatWasNotTriedIsNotDrawn) {
  EXPECT_TRUE(path_of(with(to(Transport::tcp, 443, Outcome::skipped, "no_route"))).groups.empty());
}

TEST(PathFlows, OfARangeEveryPortCounts) {
  auto range = to(Transport::udp, 10000, Outcome::rejected, "partly_prohibited");
  range.probe.target.ports = {10000, 20000};
  const auto port = [](const char* result, const char* by) {
    return Evidence{EvidenceKind::udp_port,
                    "",
                    {{Fact::result, std::string(result)}, {Fact::by, std::string(by)}}};
  };
  range.observation.evidence = {port("left_site", "198.51.100.1"),
                                port("prohibited", "10.20.0.1"),
                                port("prohibited", "10.20.0.1"),
                                port("dropped", ""),
                                port("silent", ""),
                                port("replied", "")};
  const auto report = with(range);
  const auto flow = only_flow(report);
  EXPECT_EQ(flow.label, "UDP 10000-20000");
  const std::vector<Stop> expected{
      {Place::router, Mark::bad, "blocked on the way by 10.20.0.1", 2},
      {Place::router, Mark::bad, "dropped before the provider", 1},
      {Place::provider, Mark::good, "leaves the site", 1},
      {Place::vendor, Mark::good, "answered", 1},
      {Place::unknown, Mark::unknown, "no answer", 1},
  };
  EXPECT_EQ(flow.stops, expected);
  const auto path = path_of(report);
  EXPECT_EQ(path.computer, "10.20.0.15");
  EXPECT_EQ(path.provider, "198.51.100.1");
}

TEST(PathFlows, OfAPortSaysWhatItsEvidenceSays) {
  auto range = to(Transport::udp, 10000, Outcome::silent, "inbound_dropped");
  const auto stop = [&](const char* result, FactMap facts) {
    facts[Fact::result] = std::string(result);
    range.observation.evidence = {{EvidenceKind::udp_port, "", std::move(facts)}};
    return only_stop(range);
  };
  EXPECT_EQ(stop("arrived", {}).words, "arrives; nothing is listening there now");
  const auto heard = stop("arrived", {{Fact::outbound, true}});
  EXPECT_EQ(heard.words, "arrives");
  const auto one_way = stop("arrived", {{Fact::outbound, true}, {Fact::inbound, false}});
  EXPECT_EQ(one_way.mark, Mark::bad);
  EXPECT_EQ(one_way.words, "arrives, but the reply does not come back");
  EXPECT_EQ(stop("prohibited", {}).words, "blocked on the way");
  EXPECT_EQ(stop("kept_here", {}).place, Place::computer);
}

// A saved report may name as many.
TEST(PathFlows, TakesManyRoutersAndAddresses) {
  auto range = to(Transport::udp, 10000, Outcome::passed);
  std::vector<IpAddress> addresses;
  for (std::uint32_t i = 0; i < 120'000; ++i) {
    const auto address =
        IpAddress::v4({20, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8),
                       static_cast<std::uint8_t>(i)});
    addresses.push_back(address);
    range.observation.evidence.push_back(
        {EvidenceKind::udp_port,
         "",
         {{Fact::result, std::string(i % 2 == 0 ? "left_site" : "prohibited")},
          {Fact::by, "21" + address.to_string().substr(2)}}});
  }
  auto report = with(range);
  report.site.public_addresses = std::move(addresses);
  EXPECT_TRUE(path_of(report).provider.ends_with(", ..."));
}

TEST(PathFlows, APortThatNothingWasSentToHasNoEnd) {
  auto range = to(Transport::udp, 10000, Outcome::silent, "silent");
  range.probe.target.ports = {10000, 20000};
  range.probe.target.sample = {10000, 20000};
  const auto port = [](std::int64_t number) {
    return Evidence{
        EvidenceKind::udp_port, "", {{Fact::port, number}, {Fact::result, std::string("silent")}}};
  };
  auto& told = range.observation.evidence;
  told = {port(10000), port(20000)};
  EXPECT_EQ(only_stop(range).count, 2);
  told[1].facts[Fact::sent] = 0;
  EXPECT_EQ(only_stop(range).count, 1);
  told[0].facts[Fact::sent] = 0;
  EXPECT_TRUE(path_of(with(range)).groups.empty());
}

TEST(PathFlows, AProxysRefusalIsTheProxys) {
  auto result = to(Transport::tls, 443, Outcome::denied, "407");
  result.probe.target.route.proxy = "http://proxy.example.com:3128";
  result.observation.evidence = {
      {EvidenceKind::proxy_reply, "", {{Fact::status, std::int64_t{407}}}}};
  EXPECT_EQ(only_stop(result).place, Place::proxy);
  // It let the connection pass, and the server said no.
  result.observation.detail = Detail::status(403);
  result.observation.evidence = {
      {EvidenceKind::proxy_reply, "", {{Fact::status, std::int64_t{200}}}}};
  EXPECT_EQ(only_stop(result).place, Place::vendor);
  result.observation.detail = DetailCode::proxy_unreachable;
  result.observation.evidence.clear();
  EXPECT_EQ(only_stop(result).place, Place::proxy);
  const auto path = path_of(with(result));
  EXPECT_TRUE(path.has_proxy);
  EXPECT_EQ(path.groups.at(0).flows.at(0).label, "TLS 443 through the proxy");
}

TEST(PathFlows, AnAnswerThatAFindingCallsInterceptedIsNotTheVendors) {
  auto report = with(to(Transport::tls, 443, Outcome::answered, "trusted"));
  report.findings = {
      {.code = FindingCode::tls_intercepted, .evidence = {{"probe", "another issuer"}}}};
  const auto flow = only_flow(report);
  ASSERT_EQ(flow.stops.size(), 1u);
  EXPECT_EQ(flow.stops[0],
            (Stop{Place::unknown, Mark::bad, "answered by a device in the path", 1}));
}

TEST(PathFlows, WhatASipAlgChangedIsNotPlainlyAnswered) {
  auto report = with(to(Transport::udp, 5060, Outcome::answered));
  report.findings = {{.code = FindingCode::sip_alg, .evidence = {{"probe", "another Via"}}}};
  const auto flow = only_flow(report);
  ASSERT_EQ(flow.stops.size(), 1u);
  EXPECT_EQ(flow.stops[0],
            (Stop{Place::vendor, Mark::warning, "answered, but changed on the way", 1}));
  EXPECT_EQ(flow.findings, std::vector<std::size_t>{1});
}

TEST(PathFlows, NamesTheCauseOfWhatDoesNotGetThrough) {
  auto report = with(to(Transport::udp, 3478, Outcome::silent));
  report.findings = {{.code = FindingCode::dns_slow},
                     {.code = FindingCode::firewall_web_only, .explains = {"set/row"}}};
  EXPECT_EQ(only_flow(report).findings, std::vector<std::size_t>{2});
  report = with(to(Transport::udp, 3478, Outcome::answered));
  report.findings = {{.code = FindingCode::dns_slow, .explains = {"set/row"}}};
  EXPECT_TRUE(only_flow(report).findings.empty());
}

// The drawing does not say less than the words, nor something else.
TEST(PathFlows, WhatIsCertainHasAPlace) {
  auto report = with(to(Transport::udp, 3478, Outcome::silent));
  report.findings = {{.code = FindingCode::firewall_udp_blocked,
                      .confidence = Confidence::certain,
                      .owner = Owner::network,
                      .explains = {"set/row"}}};
  EXPECT_EQ(only_flow(report).stops.at(0),
            (Stop{Place::router, Mark::bad, "stopped by the firewall", 1}));
  report.findings.at(0).confidence = Confidence::likely;
  EXPECT_EQ(only_flow(report).stops.at(0),
            (Stop{Place::router, Mark::bad, "likely stopped by the firewall", 1}));
  report.findings.at(0).confidence = Confidence::possible;
  EXPECT_EQ(only_flow(report).stops.at(0).place, Place::unknown);
  // A firewall may refuse in the vendor's name, unless the packet was seen to get beyond it.
  report.findings.at(0).confidence = Confidence::certain;
  auto& seen = report.probes.at(0).observation;
  seen.outcome = Outcome::refused;
  seen.evidence = {{EvidenceKind::refuser, "", {{Fact::who, "not_measured"}}}};
  EXPECT_EQ(only_flow(report).stops.at(0),
            (Stop{Place::router, Mark::bad, "stopped by the firewall", 1}));
  seen.evidence = {{EvidenceKind::refuser, "", {{Fact::who, "beyond"}}}};
  EXPECT_EQ(only_flow(report).stops.at(0).place, Place::vendor);
  // What was seen to end before other packets' first router outside has a place without a cause.
  EXPECT_EQ(only_stop(to(Transport::udp, 3478, Outcome::silent, "dropped")),
            (Stop{Place::router, Mark::bad, "dropped before the provider", 1}));
  // A sign-in page refuses in the vendor's name.
  report = with(to(Transport::tls, 443, Outcome::refused));
  EXPECT_EQ(only_flow(report).stops.at(0).place, Place::vendor);
  report.findings = {{.code = FindingCode::network_captive_portal}};
  EXPECT_EQ(only_flow(report).stops.at(0),
            (Stop{Place::router, Mark::bad, "stopped by the sign-in page", 1}));
}

TEST(PathFlows, WorstFirstAndControlsLast) {
  const auto path = path_of(samples::blocked());
  ASSERT_EQ(path.groups.size(), 3u);
  EXPECT_EQ(path.groups[0].title, "Rainbow (Ed 36)");
  EXPECT_EQ(path.groups[0].flows.at(0).label, "TLS 443");  // rejected by 10.20.0.1
  EXPECT_EQ(path.router, "10.20.0.1");
  EXPECT_EQ(path.groups[2].flows.size(), 1u);
}

}  // namespace
}  // namespace callready
