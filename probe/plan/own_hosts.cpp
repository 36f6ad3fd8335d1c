#include "probe/plan/own_hosts.hpp"

#include <algorithm>
#include <set>

namespace callready {

std::vector<std::string> own_hosts(const Plan& plan, const std::vector<TargetSet>& sets,
                                   const VariableValues& given,
                                   const std::vector<std::string>& builtin_ids) {
  const auto is_vendors = [&](const SetHead& set) {
    return set.origin == "built in" || set.origin == "downloaded" ||
           std::find(builtin_ids.begin(), builtin_ids.end(), set.id) != builtin_ids.end();
  };
  std::set<std::string> own_probes;
  for (const auto& row : plan.requirements) {
    const auto set = std::find_if(sets.begin(), sets.end(),
                                  [&](const TargetSet& one) { return one.id == row.set; });
    if (set == sets.end() || set->control) continue;
    const auto* requirement = set->find_requirement(row.requirement);
    const auto& head = requirement != nullptr ? set->head_of(*requirement) : *set;
    if (!is_vendors(head)) own_probes.insert(row.probes.begin(), row.probes.end());
  }
  std::set<std::string> hosts;
  for (const auto& planned : plan.probes) {
    const auto& host = planned.probe.target.host;
    const bool named = std::any_of(given.begin(), given.end(), [&](const auto& variable) {
      // A port or a transport can be a variable too: only what can be a host counts.
      const auto& value = variable.second;
      return value.find_first_of(".:") != std::string::npos &&
             host.find(value) != std::string::npos;
    });
    if (!host.empty() && (named || own_probes.contains(planned.probe.id))) hosts.insert(host);
  }
  return {hosts.begin(), hosts.end()};
}

}  // namespace callready
