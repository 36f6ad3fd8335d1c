// The answer of a report in sentences, with marks: whether a set and each of its capabilities work.
// Nothing that a finding is about is green. Internal to reports/.
#pragma once

#include <string>
#include <vector>

#include "reports/words/marks.hpp"
#include "reports/words/phrases.hpp"

namespace callready {

// Titles of the capabilities that `wanted` accepts.
template <typename Wanted>
std::vector<std::string> titles_of(const SetResult& set, Wanted wanted) {
  std::vector<std::string> titles;
  for (const auto& capability : set.capabilities) {
    if (wanted(capability)) titles.push_back(title_of(capability));
  }
  return titles;
}

// False if everything that it needs was left out of this run.
bool was_tried(const SetResult& set, const CapabilityResult& capability);

// The answer in one or more sentences: "Rainbow works from here only in part. Blocked: Media." For
// a set that works, what should be fixed all the same; for a merged report, without "from here".
std::string verdict_sentences(const SetResult& set, const Report& report);

// The same if there is only room for a few words: "does not work: 2 of 5 capabilities".
std::string verdict_in_short(const SetResult& set, const Report& report);

// What to do next about what was tried and could not be decided; empty if nothing is open, or if
// the rows themselves say what they lack.
std::string how_to_settle(const Report& report);

// Which part the run was limited to: "--only turn-udp, --only web"; empty if it was not.
std::string part_asked(const Report& report);

// A set that works but has something to fix is not simply good.
Mark mark_of(const SetResult& set, const Report& report);

// The same for a capability: its mark, and "works, but see cause 1".
Mark mark_of(const SetResult& set, const CapabilityResult& capability, const Report& report);
std::string told_of(const SetResult& set, const CapabilityResult& capability, const Report& report);

}  // namespace callready
