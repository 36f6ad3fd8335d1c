// A stream like a call's went over the line that all media of the set goes over, whichever row it
// was measured for.
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/status/media_quality.hpp"

namespace callready {
namespace {

bool carries_media(const TargetSet& set, const std::string& id) {
  const auto* row = set.find_requirement(id);
  if (row == nullptr || !row->check) return false;
  return *row->check == CheckKind::media || *row->check == CheckKind::udp_range ||
         *row->check == CheckKind::turn || *row->check == CheckKind::ice;
}

// The row whose stream was below its figures; null: none.
const RequirementResult* poor_stream(const SetResult& result) {
  const auto sure = [](const auto& row) {
    return row.poor && std::any_of(row.missed.begin(), row.missed.end(), is_sure);
  };
  const auto found = std::find_if(result.requirements.begin(), result.requirements.end(), sure);
  return found == result.requirements.end() ? nullptr : &*found;
}

}  // namespace

void degrade_by_streams(SetResult& result, const TargetSet& set) {
  const auto* poor = poor_stream(result);
  if (poor == nullptr) return;
  const auto worst = std::find_if(poor->missed.begin(), poor->missed.end(), is_sure);
  for (auto& capability : result.capabilities) {
    const auto& rows = capability.requirements;
    const bool media = std::any_of(rows.begin(), rows.end(),
                                   [&](const auto& id) { return carries_media(set, id); });
    if (!media || capability.verdict != Verdict::ready) continue;
    capability.verdict = Verdict::degraded;
    capability.summary = phrase("works with limits: {}", missed_in_words(*worst));
  }
}

}  // namespace callready
