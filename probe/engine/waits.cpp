#include "probe/engine/waits.hpp"

#include <algorithm>
#include <vector>

namespace callready {

void Waits::note_begin(CheckKind check) { ++at_work_[check]; }

void Waits::note_end(CheckKind check, Outcome outcome, Instant when) {
  --at_work_[check];
  const bool answered = outcome != Outcome::silent && outcome != Outcome::unresolved;
  auto& last = ended_.try_emplace({check, answered}, when).first->second;
  last = std::max(last, when);
}

std::optional<CheckKind> Waits::now() const {
  const auto most =
      std::max_element(at_work_.begin(), at_work_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == at_work_.end() || most->second <= 0) return std::nullopt;
  return most->first;
}

std::optional<LongestWait> Waits::longest() const {
  std::vector<std::pair<Instant, std::pair<CheckKind, bool>>> ends;
  for (const auto& [kind, when] : ended_) ends.emplace_back(when, kind);
  std::sort(ends.begin(), ends.end());
  std::optional<LongestWait> longest;
  auto before = start_;
  for (const auto& [when, kind] : ends) {
    const auto took = elapsed(before, when);
    if (!longest || took > longest->took) longest = LongestWait{took, kind.first, kind.second};
    before = when;
  }
  return longest;
}

}  // namespace callready
