#include "probe/diagnosis/questions/fallbacks.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "probe/diagnosis/ways/flow_groups.hpp"
#include "probe/model/plan.hpp"

namespace callready {
namespace {

// UDP packets that were seen to leave, where nobody answers over UDP who answers everybody.
std::set<std::string> left_and_unanswered(const findings::Facts& facts) {
  std::set<std::string> left;
  bool asked = false;
  for (const auto& flow : facts.flows) {
    if (!flow.udp || flow.port == 53) continue;
    if (findings::heard(flow)) return {};
    for (const auto& sample : flow.samples) {
      const auto& [probe, seen] = *sample.result;
      if (seen.outcome == Outcome::passed) left.insert(probe.id);
      asked |= sample.responder && seen.outcome == Outcome::silent;
    }
  }
  return asked ? left : std::set<std::string>();
}

// What of a report tells whether a row's way works.
class Doubts {
 public:
  explicit Doubts(const Report& report)
      : unanswered_(left_and_unanswered(findings::Facts(report))) {
    for (const auto& [probe, seen] : report.probes) {
      if (seen.outcome == Outcome::skipped && seen.detail.empty()) pending_.insert(probe.id);
    }
  }
  bool about(const RequirementResult& row) const {
    if (any_of(row, unanswered_)) return true;
    const bool open = row.status == Status::fail || row.status == Status::unknown;
    return open && !any_of(row, pending_);
  }

 private:
  static bool any_of(const RequirementResult& row, const std::set<std::string>& ids) {
    return std::ranges::any_of(row.probes, [&](const auto& id) { return ids.contains(id); });
  }
  std::set<std::string> unanswered_, pending_;
};

// The rows of a set that stand behind one in doubt.
std::vector<const RequirementResult*> rows_behind_doubts(const SetResult& set,
                                                         const Doubts& doubts) {
  std::map<std::string_view, const RequirementResult*> rows;
  for (const auto& row : set.requirements) rows[row.id] = &row;
  std::vector<const RequirementResult*> behind;
  const auto walk = [&](const Need& need) {
    bool in_doubt = false;
    for (const auto& alternative : need.alternatives) {
      for (const auto& id : alternative) {
        const auto found = rows.find(id);
        if (found == rows.end()) continue;
        if (in_doubt) behind.push_back(found->second);
        in_doubt |= doubts.about(*found->second);
      }
    }
  };
  for (const auto& capability : set.capabilities) {
    for (const auto& need : capability.needs) walk(need);
  }
  return behind;
}

}  // namespace

bool is_spared_fallback(const ProbeResult& result) {
  return result.observation.detail == DetailCode::not_needed && ends_at_the_edge(result.probe);
}

std::vector<std::string> needed_after_all(const Report& report) {
  std::set<std::string> spared, needed;
  for (const auto& result : report.probes) {
    if (is_spared_fallback(result)) spared.insert(result.probe.id);
  }
  if (spared.empty()) return {};
  const Doubts doubts(report);
  for (const auto& set : report.sets) {
    for (const auto* row : rows_behind_doubts(set, doubts)) {
      if (row->status != Status::skip) continue;
      std::ranges::copy_if(row->probes, std::inserter(needed, needed.end()),
                           [&](const auto& id) { return spared.contains(id); });
    }
  }
  return {needed.begin(), needed.end()};
}

}  // namespace callready
