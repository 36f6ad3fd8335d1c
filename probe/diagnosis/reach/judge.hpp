// From the worlds that are left to the status of each row and the verdict of each capability and
// set. In each world all is decided by the words of today's judge (probe/diagnosis/judge.hpp); what
// holds in worlds that together are probable enough, is said.
#pragma once

#include "probe/diagnosis/reach/asked.hpp"

namespace callready::reach {

inline constexpr double is_certain = .99, is_likely = .95, is_worth_saying = .05;

Confidence confidence_of(double probability);

// How probable each verdict, or status, is.
struct Odds {
  double good = 0, limited = 0, lost = 0, open = 0;
  double all() const { return good + limited + lost + open; }
};

struct JudgedRow {
  Status status = Status::unknown;
  Odds odds;
};

struct JudgedSet {
  Verdict verdict = Verdict::unknown;
  Odds odds;
  std::vector<std::pair<Verdict, Odds>> capabilities;  // in the report's order
};

struct Judged {
  std::vector<JudgedRow> rows;  // in the order of Asked
  std::vector<JudgedSet> sets;  // in the report's order
};

Judged judge(const Report& report, const Asked& asked, const std::vector<World>& worlds,
             const Boxes& boxes);

}  // namespace callready::reach
