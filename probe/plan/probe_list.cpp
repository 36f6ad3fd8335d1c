#include "probe/plan/probe_list.hpp"

#include <algorithm>

#include "probe/model/report.hpp"

namespace callready {

void ProbeList::add(Row& row, Probe probe, const std::vector<std::string>& rivals,
                    std::size_t round) {
  probe.id = probe_id(probe);
  const auto id = probe.id;
  const auto [place, fresh] = index_.try_emplace(id, plan.probes.size());
  if (fresh) {
    PlannedProbe planned;
    planned.probe = std::move(probe);
    planned.nearest_of = rivals;
    planned.severity = row.requirement.severity;
    planned.round = round;
    plan.probes.push_back(std::move(planned));
  } else {
    auto& known = plan.probes[place->second];
    if (!probe.control()) known.probe.purpose = Purpose::row;
    known.severity = std::min(known.severity, row.requirement.severity);
    known.round = std::min(known.round, round);
    if (rivals.empty()) known.nearest_of.clear();  // wanted no matter which is nearest
  }
  row.planned.probes.push_back(id);
  by_row_[row.set->id + '/' + row.requirement.id].push_back(id);
}

void ProbeList::add_control(Probe probe) {
  probe.purpose = Purpose::control;
  probe.id = probe_id(probe);
  if (!index_.try_emplace(probe.id, plan.probes.size()).second) return;
  PlannedProbe planned;
  planned.probe = std::move(probe);
  plan.probes.push_back(std::move(planned));
}

std::vector<std::string> ProbeList::of_set(const TargetSet& set) const {
  std::vector<std::string> found;
  for (const auto& [name, ids] : by_row_) {
    if (name.starts_with(set.id + '/')) found.insert(found.end(), ids.begin(), ids.end());
  }
  return found;
}

std::vector<std::string> ProbeList::of_rows(const TargetSet& set,
                                            const std::vector<std::string>& rows) const {
  std::vector<std::string> found;
  for (const auto& row : rows) {
    const auto ids = by_row_.find(set.id + '/' + row);
    if (ids != by_row_.end()) found.insert(found.end(), ids->second.begin(), ids->second.end());
  }
  return found;
}

}  // namespace callready
