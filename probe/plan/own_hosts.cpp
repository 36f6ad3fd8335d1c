#include "probe/plan/own_hosts.hpp"

#include <algorithm>
#include <set>

namespace callready {

std::vector<std::string> own_hosts(const Plan& plan, const std::vector<TargetSet>& sets,
                                   const VariableValues& given,
                                   const std::vector<std::string>& builtin_ids) {
  std::set<std::string> own_sets;
  for (const auto& set : sets) {
    const bool vendors =
        set.origin == "built in" || set.origin == "downloaded" ||
        std::find(builtin_ids.begin(), builtin_ids.end(), set.id) != builtin_ids.end();
    if (!set.control && !vendors) own_sets.insert(set.id);
  }
  std::set<std::string> own_probes;
  for (const auto& row : plan.requirements) {
    if (own_sets.contains(row.set)) own_probes.insert(row.probes.begin(), row.probes.end());
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
