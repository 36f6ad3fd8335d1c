// Diagnosis by worlds, from a report to its causes, statuses, verdicts and the next question. Which
// families of causes it decides: docs/diagnosis.md.
#pragma once

#include "probe/diagnosis/reach/explain.hpp"
#include "probe/diagnosis/reach/question.hpp"

namespace callready::reach {

struct Diagnosis {
  Sight sight;
  Boxes boxes;
  Asked asked;
  std::vector<World> worlds;  // best first
  Explained explained;
  Judged judged;
  std::optional<Question> question;      // only where something is open
  std::vector<const Finding*> contents;  // of today's rules, taken over as they are
  std::size_t looked_at = 0;
};

// The worlds and their causes, without verdicts: of what was seen, and of what rules about contents
// found. A view of both, which outlive it. Pure. `order`: of the rows of kinds(), as their numbers;
// what comes out does not depend on it.
Diagnosis find_worlds(const Report& report, const RowReach& reach,
                      std::vector<const Finding*> contents, const SearchLimits& limits = {},
                      const std::vector<std::size_t>& order = {});

// The same of a report with its findings, and what follows for its rows and sets.
Diagnosis diagnose(const Report& report, const RowReach& reach, const SearchLimits& limits = {},
                   const std::vector<std::size_t>& order = {});

// The report as it would be if worlds decided: statuses, verdicts and findings are theirs.
Report as_report(const Report& report, const Diagnosis& diagnosis);

}  // namespace callready::reach
