#include "probe/model/route_pairs.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace callready {
namespace {

ProbeResult result(std::string host, std::string proxy, Outcome outcome,
                   std::map<Timing, double> timing = {}) {
  ProbeResult made;
  made.probe.check = CheckKind::tls;
  made.probe.target.host = std::move(host);
  made.probe.target.ports = {443, 443};
  made.probe.target.transport = Transport::tls;
  made.probe.target.route.proxy = std::move(proxy);
  made.probe.id = probe_id(made.probe);
  made.observation.outcome = outcome;
  made.observation.timing_ms = std::move(timing);
  return made;
}

const std::string proxy = "http://10.0.0.3:3128";

// What comes of one endpoint through the proxy and directly.
RoutePair pair_of(Report& report, ProbeResult proxied, ProbeResult direct) {
  report.probes = {std::move(direct), std::move(proxied)};
  const auto pairs = route_pairs(report);
  EXPECT_EQ(pairs.size(), 1u);
  return pairs.at(0);
}

TEST(RoutePairs, SayWhichWayWorks) {
  Report report;
  const auto told = [&](Outcome through_proxy, Outcome directly) {
    return better_in_words(
        pair_of(report, result("a", proxy, through_proxy), result("a", "", directly)));
  };
  EXPECT_EQ(told(Outcome::answered, Outcome::silent), "only through the proxy");
  EXPECT_EQ(told(Outcome::denied, Outcome::answered), "only directly");
  EXPECT_EQ(told(Outcome::denied, Outcome::silent), "neither way");
  EXPECT_EQ(told(Outcome::answered, Outcome::answered), "about the same both ways");
  // A row that was not needed tells nothing of its way.
  EXPECT_EQ(told(Outcome::answered, Outcome::skipped), "not compared");
  EXPECT_EQ(told(Outcome::skipped, Outcome::answered), "not compared");
}

TEST(RoutePairs, SayWhichWayIsFasterWhereOneMeasurementCanTell) {
  Report report;
  const auto told = [&](std::map<Timing, double> through_proxy, std::map<Timing, double> directly) {
    return better_in_words(pair_of(report,
                                   result("a", proxy, Outcome::answered, std::move(through_proxy)),
                                   result("a", "", Outcome::answered, std::move(directly))));
  };
  EXPECT_EQ(told({{Timing::tunnel, 30}, {Timing::handshake, 20}},
                 {{Timing::connect, 10}, {Timing::handshake, 12}}),
            "faster directly (22 ms versus 50 ms)");
  EXPECT_EQ(told({{Timing::tunnel, 30}}, {{Timing::connect, 90}, {Timing::handshake, 10}}),
            "faster through the proxy (30 ms versus 100 ms)");
  EXPECT_EQ(told({{Timing::tunnel, 100}}, {{Timing::connect, 90}}),
            "about the same both ways");  // by their share
  EXPECT_EQ(told({{Timing::tunnel, 4}}, {{Timing::connect, 1}}),
            "about the same both ways");  // by their difference
  EXPECT_EQ(told({{Timing::tunnel, 100}}, {}), "about the same both ways");
  EXPECT_EQ(
      told({{Timing::tunnel, std::numeric_limits<double>::infinity()}}, {{Timing::connect, 1}}),
      "about the same both ways");
}

TEST(RoutePairs, AreOfTheSamePlace) {
  Report report;
  auto direct = result("a", "", Outcome::answered);
  direct.probe.vantage = "voice";
  auto proxied = result("a", proxy, Outcome::answered);
  proxied.probe.vantage = "users";
  const auto pair = pair_of(report, proxied, direct);
  EXPECT_EQ(pair.direct, nullptr);
  EXPECT_EQ(pair.better, Better::untold);
}

TEST(RoutePairs, AreCounted) {
  Report report;
  EXPECT_EQ(routes_in_short(route_pairs(report)), "");
  report.probes = {result("a", proxy, Outcome::answered), result("a", "", Outcome::silent),
                   result("b", proxy, Outcome::answered), result("b", "", Outcome::answered),
                   result("c", proxy, Outcome::answered), result("d", "", Outcome::answered)};
  EXPECT_EQ(routes_in_short(route_pairs(report)),
            "Tried both ways: reached 2 of 2 endpoints through the proxy and 1 of 2 directly.");
}

}  // namespace
}  // namespace callready
