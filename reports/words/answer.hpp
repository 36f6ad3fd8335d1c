// The answer of a report in sentences: whether a set works, and each of its capabilities, and with
// which mark that is said. Nothing is green that a finding is about. Internal to reports/.
#pragma once

#include <string>
#include <vector>

#include "reports/words/marks.hpp"
#include "reports/words/phrases.hpp"

namespace callready {

// Of the capabilities that `wanted` accepts.
template <typename Wanted>
std::vector<std::string> titles_of(const SetResult& set, Wanted wanted) {
  std::vector<std::string> titles;
  for (const auto& capability : set.capabilities) {
    if (wanted(capability)) titles.push_back(title_of(capability));
  }
  return titles;
}

// False where all that it needs was left out of this run.
bool was_tried(const SetResult& set, const CapabilityResult& capability);

// The answer, in one or more sentences: "Rainbow works from here only in part. Blocked: Media." Of
// a set that works, what is to be mended all the same; of a merged report without "from here".
std::string verdict_sentences(const SetResult& set, const Report& report);

// The same where there is room for a few words only: "does not work: 2 of 5 capabilities".
std::string verdict_in_short(const SetResult& set, const Report& report);

// Of a run that was asked for a part only: which, "--only turn-udp, --only web". Else empty.
std::string part_asked(const Report& report);

// A set that works, and that has something to be mended, is not plainly good.
Mark mark_of(const SetResult& set, const Report& report);

// The same of a capability: its mark, and "works, but see cause 1".
Mark mark_of(const SetResult& set, const CapabilityResult& capability, const Report& report);
std::string told_of(const SetResult& set, const CapabilityResult& capability, const Report& report);

}  // namespace callready
