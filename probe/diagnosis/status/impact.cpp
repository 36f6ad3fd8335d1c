// How much findings matter: the order in which people read them.
#include <algorithm>
#include <set>

#include "probe/diagnosis/status/judge.hpp"

namespace callready {
namespace {

enum class Impact { blocks, limits, none };

// "set/row"
std::set<std::string> all_that_block(const std::vector<SetResult>& sets) {
  std::set<std::string> blocking;
  for (const auto& set : sets) {
    const Rows rows(set.requirements);
    for (const auto& capability : set.capabilities) {
      for (const auto& id : rows_that_block(capability, rows)) blocking.insert(set.id + '/' + id);
    }
  }
  return blocking;
}

Impact impact_of(const Finding& finding, const std::set<std::string>& blocking) {
  const bool blocks = std::ranges::any_of(
      finding.explains, [&](const std::string& id) { return blocking.contains(id); });
  if (blocks) return Impact::blocks;
  const bool advice = has(finding.code, FindingTrait::advice);
  const bool limits = std::ranges::any_of(finding.affects, [&](const FindingAffects& affected) {
    return !advice || !affected.capabilities.empty();
  });
  return limits ? Impact::limits : Impact::none;
}

}  // namespace

void sort_by_impact(std::vector<Finding>& findings, const std::vector<SetResult>& sets) {
  const auto blocking = all_that_block(sets);
  std::ranges::stable_sort(findings, {}, [&](const Finding& finding) {
    return std::pair(impact_of(finding, blocking), finding.confidence == Confidence::possible);
  });
}

}  // namespace callready
