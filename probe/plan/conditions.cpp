#include "probe/plan/conditions.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace callready {
namespace {

// Of rows that no need has as a later alternative, or that some need has as its first.
std::set<std::string> wanted_for_themselves(const ProbeList& list,
                                            const std::vector<const TargetSet*>& sets) {
  std::set<std::string> later, first;
  for (const auto* set : sets) {
    for (const auto& capability : set->capabilities) {
      for (const auto& need : capability.needs) {
        for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
          for (const auto& row : need.alternatives[i]) {
            (i == 0 ? first : later).insert(set->id + '/' + row);
          }
        }
      }
    }
  }
  std::set<std::string> probes;
  for (const auto& [row, ids] : list.by_row()) {
    if (!later.contains(row) || first.contains(row)) probes.insert(ids.begin(), ids.end());
  }
  return probes;
}

std::vector<PlannedProbe*> sip_probes(ProbeList& probes, const TargetSet& set,
                                      const std::vector<std::string>& rows) {
  std::vector<PlannedProbe*> found;
  for (const auto& id : probes.of_rows(set, rows)) {
    auto& planned = probes.at(id);
    if (planned.probe.check == CheckKind::sip) found.push_back(&planned);
  }
  return found;
}

void make_conditional(PlannedProbe& later, const std::vector<PlannedProbe*>& earlier) {
  if (!later.unless.empty()) return;
  const auto& target = later.probe.target;
  for (const auto* first : earlier) {
    const auto& other = first->probe.target;
    const bool same = other.host == target.host && other.transport == target.transport;
    // Only what is tried anyway decides: chains would make the run as long as the list.
    if (same && first->unless.empty() && other.ports != target.ports) {
      later.unless.push_back(first->probe.id);
    }
  }
}

void add_conditions_of_hops(ProbeList& probes, const std::vector<const TargetSet*>& sets,
                            const std::set<std::string>& wanted) {
  for (const auto* set : sets) {
    for (const auto& capability : set->capabilities) {
      for (const auto& need : capability.needs) {
        std::vector<std::string> earlier;
        for (const auto& alternative : need.alternatives) {
          for (const auto& id : probes.of_rows(*set, alternative)) {
            auto& planned = probes.at(id);
            const bool fallback = ends_at_the_edge(planned.probe) && !wanted.contains(id) &&
                                  &alternative != &need.alternatives.front();
            // Chains would make the run as long as the list: what is tried anyway decides.
            if (fallback && planned.unless_all.empty()) planned.unless_all = earlier;
            if (!fallback) earlier.push_back(id);
          }
        }
      }
    }
  }
}

// A test with more to it (another port, a session) begins with the same first message.
bool same_question(const Probe& alg, const Probe& sip) {
  return parameter_of(alg, "domain") == parameter_of(sip, "domain") &&
         parameter_of(sip, "srv") != "true";
}

}  // namespace

void add_conditions(ProbeList& probes, const std::vector<const TargetSet*>& sets,
                    const PlanOptions& options) {
  const auto wanted = wanted_for_themselves(probes, sets);
  if (!options.all) add_conditions_of_hops(probes, sets, wanted);
  for (const auto* set : sets) {
    for (const auto& capability : set->capabilities) {
      for (const auto& need : capability.needs) {
        std::vector<PlannedProbe*> earlier;
        std::map<std::pair<std::string, Transport>, std::size_t> rounds;
        for (const auto& alternative : need.alternatives) {
          const auto here = sip_probes(probes, *set, alternative);
          for (auto* later : here) {
            if (wanted.contains(later->probe.id)) continue;
            make_conditional(*later, earlier);
            if (later->unless.empty()) continue;
            // One port over each transport before a second one over any.
            const auto& target = later->probe.target;
            later->round = rounds[{target.host, target.transport}]++;
          }
          earlier.insert(earlier.end(), here.begin(), here.end());
        }
      }
    }
  }
}

void share_answers(Plan& plan) {
  std::map<std::pair<std::string, Transport>, std::vector<PlannedProbe*>> direct;  // SIP
  for (auto& sip : plan.probes) {
    const auto& target = sip.probe.target;
    if (sip.probe.check == CheckKind::sip && target.route.direct())
      direct[{target.host, target.transport}].push_back(&sip);
  }
  for (auto& alg : plan.probes) {
    if (alg.probe.check != CheckKind::sip_alg) continue;
    const auto& target = alg.probe.target;
    bool shared = false;
    std::vector<std::string> given;
    for (auto* sip : direct[{target.host, target.transport}]) {
      given.push_back(sip->probe.id);
      const bool other_port = target.ports != sip->probe.target.ports;
      if (other_port || !same_question(alg.probe, sip->probe)) continue;
      sip->answered_by = alg.probe.id;
      shared = true;
    }
    if (!shared) alg.given = std::move(given);
  }
}

}  // namespace callready
