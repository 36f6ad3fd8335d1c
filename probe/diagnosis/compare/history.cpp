#include "probe/diagnosis/compare/history.hpp"

#include <limits>

#include "probe/diagnosis/compare/compare.hpp"

namespace callready {
namespace {

// `before`: from the run before, if that said the same.
Standing one_more(const std::optional<Standing>& before, const Report& previous) {
  auto standing = before.value_or(Standing{previous.started_at, 1, false});
  if (standing.runs < std::numeric_limits<int>::max()) ++standing.runs;  // a file holds any number
  return standing;
}

template <typename Item>
void continue_verdicts(const std::vector<Item>& before, std::vector<Item>& after,
                       const Report& previous, const Report& report) {
  for (auto& item : after) {
    const auto* old = find_by_id(before, item.id);
    const bool same = old != nullptr && old->verdict == item.verdict;
    item.standing =
        same ? one_more(old->standing, previous) : Standing{report.started_at, 1, old != nullptr};
  }
}

bool is_of_the_same_place(const Report& previous, const Report& report) {
  return previous.site.name == report.site.name && previous.site.vantage == report.site.vantage &&
         previous.part == report.part && previous.redacted == report.redacted &&
         previous.vantages.empty() && previous.started_at <= report.started_at;
}

}  // namespace

void continue_history(const Report* previous, Report& report) {
  static const Report nothing;
  const bool known = previous != nullptr && is_of_the_same_place(*previous, report);
  const auto& before = known ? *previous : nothing;
  continue_verdicts(before.sets, report.sets, before, report);
  for (auto& set : report.sets) {
    const auto* old = find_by_id(before.sets, set.id);
    const std::vector<CapabilityResult> none;
    continue_verdicts(old == nullptr ? none : old->capabilities, set.capabilities, before, report);
  }
  const auto same = same_causes(before.findings, report.findings);
  for (std::size_t i = 0; i < same.size(); ++i) {
    report.findings[i].standing = same[i] != nullptr ? one_more(same[i]->standing, before)
                                                     : Standing{report.started_at, 1, known};
  }
}

void keep_history(const std::vector<Finding>& from, std::vector<Finding>& to) {
  const auto same = same_causes(from, to);
  for (std::size_t i = 0; i < same.size(); ++i) {
    if (same[i] != nullptr) to[i].standing = same[i]->standing;
  }
}

}  // namespace callready
