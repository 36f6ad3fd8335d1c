#include "probe/plan/own_choices.hpp"

#include <algorithm>

namespace callready {
namespace {

bool is_own(const TargetSet& set, const std::string& id) {
  const auto* row = set.find_requirement(id);
  if (row == nullptr) return false;
  return !row->variable_addresses.empty() ||
         std::any_of(row->hosts.begin(), row->hosts.end(),
                     [](const Host& host) { return host.name.find("${") != std::string::npos; });
}

}  // namespace

void leave_out_other_choices(const TargetSet& set, std::vector<PlannedRequirement>& rows) {
  for (const auto& capability : set.capabilities) {
    for (const auto& need : capability.needs) {
      std::vector<PlannedRequirement*> open;
      bool given = false;
      for (const auto& alternative : need.alternatives) {
        for (const auto& id : alternative) {
          const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& planned) {
            return planned.set == set.id && planned.requirement == id;
          });
          if (row == rows.end() || !is_own(set, id)) continue;
          if (row->open_question) open.push_back(&*row);
          given = given || row->skipped.empty();
        }
      }
      if (!given) continue;
      for (auto* row : open) row->open_question = false;
    }
  }
}

}  // namespace callready
