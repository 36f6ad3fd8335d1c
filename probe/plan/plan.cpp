#include "probe/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "probe/model/report.hpp"
#include "probe/plan/conditions.hpp"
#include "probe/plan/extra_probes.hpp"
#include "probe/plan/host_allocator.hpp"
#include "probe/plan/own_choices.hpp"
#include "probe/plan/row_probes.hpp"
#include "probe/plan/rows.hpp"

namespace callready {

Plan make_plan(const std::vector<const TargetSet*>& sets, const PlanOptions& options) {
  std::vector<Row> rows;
  for (const auto* set : sets) {
    const auto scenarios = active_scenarios(*set, options);
    for (const auto& requirement : set->requirements) {
      if (!set->control && !is_selected(*set, requirement, options, scenarios)) continue;
      rows.push_back(make_row(*set, requirement, options));
    }
  }
  allocate_hosts(rows, options.all);
  for (auto& row : rows) {
    if (!row.planned.skipped.empty() || !row.chosen.empty()) continue;
    row.planned.note.clear();
    row.planned.left_out = true;
    row.planned.skipped =
        phrase("left out to keep traffic low; use --all or --only {}/{} to test it",
               row.planned.set, row.planned.requirement);
    row.planned.untried = true;
  }
  ProbeList probes;
  add_probes_of_rows(probes, rows, options);
  add_extra_probes(probes, sets, rows, options);
  add_conditions(probes, sets, options);
  add_long_sip(probes, sets);
  auto plan = std::move(probes.plan);
  share_answers(plan);
  for (const auto* set : sets) {
    const bool selected =
        std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.set == set; });
    if (set->control || selected) continue;
    plan.notes.push_back(
        phrase("{}: the options on the command line leave no row of this set to test", set->id));
  }
  for (auto& row : rows) {
    if (!row.set->control) plan.requirements.push_back(std::move(row.planned));
  }
  for (const auto* set : sets) leave_out_other_choices(*set, plan.requirements);
  return plan;
}

std::size_t hosts_met(const Plan& plan) {
  std::set<std::string> met;
  for (const auto& planned : plan.probes) {
    const auto& target = planned.probe.target;
    if (planned.nearest_of.empty() && target.route.direct() && !target.host.empty()) {
      met.insert(target.host);
    }
  }
  std::map<std::string, std::set<std::string>> near;  // by the host that stands for the area
  for (const auto& planned : plan.probes) {
    const auto& target = planned.probe.target;
    if (planned.nearest_of.empty() || !target.route.direct() || met.contains(target.host)) continue;
    near[planned.nearest_of.front()].insert(target.host);
  }
  std::size_t most = 0;
  for (const auto& [area, hosts] : near) most = std::max(most, hosts.size());
  return met.size() + most;
}

}  // namespace callready
