#include "probe/plan/own_hosts.hpp"

#include <algorithm>
#include <set>

#include "probe/util/text.hpp"

namespace callready {
namespace {

// Whole labels of a name, or parts of one between hyphens: "acme" in "acme.example.com".
bool has_part(const std::string& host, const std::string& part) {
  const auto ends = [](char c) { return c == '.' || c == '-'; };
  if (part.empty()) return false;
  for (auto at = host.find(part); at != std::string::npos; at = host.find(part, at + 1)) {
    const auto end = at + part.size();
    if ((at == 0 || ends(host[at - 1])) && (end == host.size() || ends(host[end]))) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> own_hosts(const Plan& plan, const std::vector<TargetSet>& sets,
                                   const VariableValues& given,
                                   const std::vector<std::string>& builtin_ids) {
  const auto is_vendors = [&](const SetHead& set) {
    return set.origin == "built in" || set.origin == "downloaded" || contains(builtin_ids, set.id);
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
      return has_part(host, variable.second);
    });
    if (!host.empty() && (named || own_probes.contains(planned.probe.id))) hosts.insert(host);
  }
  return {hosts.begin(), hosts.end()};
}

}  // namespace callready
