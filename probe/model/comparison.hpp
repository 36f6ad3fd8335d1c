// How two reports of one site differ (probe/diagnosis/compare/compare.hpp compares them).
#pragma once

#include <string>
#include <vector>

#include "probe/model/report.hpp"

namespace callready {

// `unknown`: it worked, and the newer run could not decide whether it still does.
enum class Trend { better, worse, unknown, changed };
std::string_view to_string(Trend trend);

// One set, capability or requirement that is in both reports, but not with the same result.
struct Change {
  enum class Of { set, capability, requirement } of = Of::requirement;
  std::string set, id, title;  // `id` is empty for a set
  std::string before, after;   // words of Verdict or Status
  std::string summary_before, summary_after;
  Trend trend = Trend::changed;
};
std::string_view to_string(Change::Of of);

// What only one of the reports has.
struct Lone {
  Change::Of of = Change::Of::requirement;
  std::string set, id, title, status;
};

struct FindingChange {
  Trend trend = Trend::changed;  // worse: new; better: gone; changed: other words or confidence
  Finding finding;               // as the newer report has it, or the older one where it is gone
  std::string note;              // what changed, or why it may not be new, or may still be there
};

// A finding that both reports have.
struct StandingFinding {
  Finding finding;      // as the newer report has it
  WallTime since;       // as either report knows from earlier runs, otherwise the older run's start
  bool earlier = true;  // it may be older still
};

struct ComparedReport {
  std::string name;  // of the file
  std::string site;
  WallTime started_at;
  bool complete = true;
  Verdict verdict = Verdict::unknown;
};

struct Comparison {
  static constexpr std::string_view schema = "callready.diff/1";
  ComparedReport before, after;
  std::vector<Change> changes;  // sets, then capabilities, then requirements, in the report's order
  std::vector<Lone> added, removed;
  std::vector<FindingChange> findings;
  std::vector<StandingFinding> standing;
  std::vector<std::string> notes;  // what makes the two hard to compare

  bool worse() const;
  // True if nothing got worse, but the newer run could not decide a set or a capability that worked
  // before.
  bool not_known() const;
  bool same() const;  // nothing at all differs
};

}  // namespace callready
