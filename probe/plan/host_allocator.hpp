// Which hosts of which row a run meets, within the budget of each set and the controls.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "probe/plan/candidates.hpp"
#include "probe/plan/plan.hpp"

namespace callready {

// A host that is asked only where its area turns out to be the nearest.
struct NearCandidate {
  Candidate candidate;
  // The hosts that were asked for each area; the first stands for this candidate's own.
  std::vector<std::string> rivals;
};

// A row on its way into the plan.
struct Row {
  const TargetSet* set = nullptr;
  Requirement requirement;  // variables filled in
  PlannedRequirement planned;
  bool named = false;     // the user asked for it with --only
  bool fallback = false;  // no need has it among its first alternatives
  bool alone = false;  // a need of some capability has only recommended rows, and this one is first
  std::vector<Candidate> candidates;  // in the order in which a sample takes them
  std::size_t total = 0;              // candidates before sampling
  std::size_t quota = 0;              // 0: the row is skipped
  std::vector<Candidate> chosen;
  std::vector<NearCandidate> near;
  std::set<std::string> own_hosts;  // that the user gave as values of variables: their own servers
};

// Fills in `chosen` and `near`. Required rows, rows that the user named, and controls get what they
// cannot do without, at any cost; so does the first row of each need that has only recommended
// ones, so that every capability is tried. Then, as far as host_budget and range_budget reach: rows
// that look for the nearest get one host of each area, and two more of the nearest area; every
// other row gets its first; then all take turns up to their quota. A host that is already met costs
// nothing. Each set gets what it gets in a run of its own, so that a verdict does not depend on
// what else is asked: a run of several sets takes longer. `everything`: all candidates up to the
// quotas, without a budget.
void allocate_hosts(std::vector<Row>& rows, bool everything);

}  // namespace callready
