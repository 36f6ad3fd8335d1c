// From all that a run saw to root causes (docs/design.md, "Findings"). Pure: a saved report
// diagnoses to the same result as the run that made it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "probe/model/plan.hpp"
#include "probe/model/report.hpp"

namespace callready {

// The causes of what is wrong in `report`: those that block a capability first, then those that
// limit one, then the rest. Its `findings` are not looked at. Empty for a clean site.
std::vector<Finding> diagnose(const Report& report);

// One set of a run: the rows that were planned of it, and its active scenarios. A view.
struct PlannedSet {
  const TargetSet* set = nullptr;
  std::vector<PlannedRequirement> rows;
  std::vector<std::string> scenarios;
  // By id: rows with the user's values, or the set's own where the user gave none: what a firewall
  // has to let through.
  std::map<std::string, Requirement> own{};
};

// A run in one pass: from what its probes saw to causes, from both to the status of each row, and
// from those to the verdicts of capabilities and sets. Takes the probes and the site of `report`,
// and fills in its sets and findings. `today` as YYYY-MM-DD, to tell what has become old.
void diagnose(const std::vector<PlannedSet>& sets, std::string_view today, Report& report);

// The rows by what their own probes saw, before any cause is known: what the second round's
// questions go by.
std::vector<SetResult> rows_as_seen(const std::vector<PlannedSet>& sets, const Report& report);

}  // namespace callready
