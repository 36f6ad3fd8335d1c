#include "probe/diagnosis/questions/fallbacks.hpp"

#include <algorithm>
#include <set>

#include "probe/diagnosis/reach/read.hpp"
#include "probe/diagnosis/ways/flow_groups.hpp"
#include "probe/model/plan.hpp"

namespace callready {
namespace {

// Probes whose UDP packets were seen to leave, where no host answers over UDP, not even one that
// answers everybody.
std::set<std::string> left_and_unanswered(const findings::Facts& facts) {
  std::set<std::string> left;
  bool asked = false;
  for (const auto& event : reach::read_events(facts.report).flows) {
    if (!event.flow.udp || event.flow.cargo == Cargo::dns) continue;
    if (event.seen == Seen::reply) return {};
    if (event.seen == Seen::expired) left.insert(event.probe);
    asked |= findings::was_owed_an_answer(facts, event);
  }
  return asked ? left : std::set<std::string>();
}

}  // namespace

bool is_spared_fallback(const ProbeResult& result) {
  return result.observation.detail == DetailCode::not_needed && ends_at_the_edge(result.probe);
}

std::vector<std::string> needed_after_all(const Report& report) {
  const findings::Facts facts(report);
  const auto unanswered = left_and_unanswered(facts);
  const auto is_pending = [](const ProbeResult* result) {
    return result->observation.outcome == Outcome::skipped && result->observation.detail.empty();
  };
  const auto is_unanswered = [&](const ProbeResult* result) {
    return unanswered.contains(result->probe.id);
  };
  std::set<std::string> needed;
  // Those of rows that stand behind one in doubt.
  const auto add_spared = [&](const SetResult& set, const Need& need) {
    bool in_doubt = false;
    for (const auto& alternative : need.alternatives) {
      for (const auto& id : alternative) {
        const auto* row = find_by_id(set.requirements, id);
        if (row == nullptr) continue;
        const auto probes = facts.probes_of(*row);
        const bool behind = in_doubt && row->status == Status::skip;
        for (const auto* result : probes) {
          if (behind && is_spared_fallback(*result)) needed.insert(result->probe.id);
        }
        const bool open = row->status == Status::fail || row->status == Status::unknown;
        in_doubt |= (open && std::ranges::none_of(probes, is_pending)) ||
                    std::ranges::any_of(probes, is_unanswered);
      }
    }
  };
  for (const auto& set : report.sets) {
    for (const auto& capability : set.capabilities) {
      for (const auto& need : capability.needs) add_spared(set, need);
    }
  }
  return {needed.begin(), needed.end()};
}

}  // namespace callready
