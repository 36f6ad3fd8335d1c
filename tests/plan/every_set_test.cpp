// What holds for every built-in set, alone and with others.
#include <gtest/gtest.h>

#include "probe/diagnosis/findings.hpp"
#include "tests/plan/plan_text.hpp"

namespace callready {
namespace {

using test::anchors;

// All of them, each read once.
const std::vector<TargetSet>& all_sets() {
  static const auto sets = [] {
    std::vector<TargetSet> all;
    for (const auto& builtin : builtin_sets()) all.push_back(test::vendor_set(builtin.id));
    return all;
  }();
  return sets;
}

Plan plan_with_anchors(const std::vector<const TargetSet*>& sets) {
  static const auto controls = anchors();
  auto all = sets;
  all.push_back(&controls);
  return make_plan(all, {});
}

// "set/capability" of what has a row that is tried.
std::set<std::string> tried(const std::vector<const TargetSet*>& sets) {
  const auto plan = plan_with_anchors(sets);
  std::set<std::string> rows, capabilities;
  for (const auto& row : plan.requirements) {
    if (!row.probes.empty()) rows.insert(row.set + '/' + row.requirement);
  }
  for (const auto* set : sets) {
    for (const auto& capability : set->capabilities) {
      for (const auto& need : capability.needs) {
        for (const auto& alternative : need.alternatives) {
          for (const auto& row : alternative) {
            if (rows.contains(set->id + '/' + row)) {
              capabilities.insert(set->id + '/' + capability.id);
            }
          }
        }
      }
    }
  }
  return capabilities;
}

// What each set tries alone, and they do not try together.
std::set<std::string> left_out(const std::vector<const TargetSet*>& sets) {
  static std::map<std::string, std::set<std::string>> known;
  std::set<std::string> missing;
  const auto together = tried(sets);
  for (const auto* set : sets) {
    if (!known.contains(set->id)) known[set->id] = tried({set});
    for (const auto& capability : known[set->id]) {
      if (!together.contains(capability)) missing.insert(capability);
    }
  }
  return missing;
}

TEST(EverySet, IsTriedWholeBesideAnyOther) {
  const auto& sets = all_sets();
  for (std::size_t i = 0; i < sets.size(); ++i) {
    for (std::size_t j = i + 1; j < sets.size(); ++j) {
      EXPECT_EQ(left_out({&sets[i], &sets[j]}), std::set<std::string>())
          << sets[i].id << " and " << sets[j].id;
    }
  }
}

TEST(EverySet, IsTriedWholeBesideTwoOthers) {
  const auto& sets = all_sets();
  const auto count = sets.size();
  for (std::size_t i = 0; i < count; ++i) {
    for (const auto step : {1U, 7U, 13U}) {
      const auto &second = sets[(i + step) % count], &third = sets[(i + 2 * step + 3) % count];
      if (second.id == third.id || third.id == sets[i].id) continue;
      EXPECT_EQ(left_out({&sets[i], &second, &third}), std::set<std::string>())
          << sets[i].id << ", " << second.id << " and " << third.id;
    }
  }
}

// What a run of that plan sees where no packet leaves this computer.
Report seen_without_a_way(const Plan& plan) {
  Report report;
  for (const auto& planned : plan.probes) {
    ProbeResult result{planned.probe, {}};
    auto& seen = result.observation;
    const auto& host = planned.probe.target.host;
    const bool name =
        planned.probe.check == CheckKind::dns || (!host.empty() && !IpAddress::parse(host));
    seen.outcome = name ? Outcome::unresolved : Outcome::skipped;
    seen.detail = name ? DetailCode::dns_unreachable : DetailCode::no_route;
    if (!name) seen.address = IpAddress::parse(host);
    report.probes.push_back(std::move(result));
  }
  report.site.resolvers = {"10.20.0.1"};
  return report;
}

struct Off {
  const char* name;
  FindingCode code;
  Owner owner;
  std::vector<InterfaceInfo> interfaces;
  LinkState link;
  std::vector<GatewayInfo> gateways;
};

TEST(EverySet, NamesWhyThisComputerIsOffAndNothingElse) {
  const auto ours = IpAddress::v4({10, 20, 0, 23}), router = IpAddress::v4({10, 20, 0, 1});
  const Off cases[] = {
      {"unplugged", FindingCode::network_offline, Owner::user, {}, LinkState::disabled, {}},
      {"no signal, and a route that outlived it",
       FindingCode::network_offline,
       Owner::user,
       {{"eth0", {ours}, true}},
       LinkState::no_signal,
       {{router, "eth0", false}}},
      {"no address",
       FindingCode::network_no_gateway,
       Owner::lan,
       {{"eth0", {}, false}},
       LinkState::up,
       {}},
      {"no route",
       FindingCode::network_no_gateway,
       Owner::lan,
       {{"eth0", {ours}, false}},
       LinkState::up,
       {}},
      {"the gateway is silent",
       FindingCode::network_no_gateway,
       Owner::lan,
       {{"eth0", {ours}, true}},
       LinkState::up,
       {{router, "eth0", false}}},
  };
  for (const auto& set : all_sets()) {
    if (set.kind == ServiceKind::shared) continue;  // others lean on it: alone it may ask nothing
    const auto plan = plan_with_anchors({&set});
    PlannedSet planned;
    planned.set = &set;
    planned.scenarios = active_scenarios(set, {});
    planned.rows = plan.requirements;
    for (const auto& off : cases) {
      auto report = seen_without_a_way(plan);
      report.site.interfaces = off.interfaces;
      report.site.links = {{"eth0", off.link, false}};
      report.site.gateways = off.gateways;
      diagnose({planned}, "2026-11-20", report);
      const auto where = set.id + ": " + off.name;
      EXPECT_EQ(report.sets.at(0).verdict, Verdict::blocked) << where;
      ASSERT_EQ(report.findings.size(), 1u) << where;
      EXPECT_EQ(report.findings[0].code, off.code) << where;
      EXPECT_EQ(report.findings[0].owner, off.owner) << where;
      EXPECT_EQ(report.findings[0].confidence, Confidence::certain) << where;
    }
  }
}

}  // namespace
}  // namespace callready
