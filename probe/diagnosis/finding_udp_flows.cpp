#include "probe/diagnosis/finding_udp_flows.hpp"

#include <algorithm>

#include "probe/diagnosis/finding_words.hpp"

namespace callready::findings {

bool of_a_range(const FlowSample& sample) {
  const auto& probe = sample.result->probe;
  return probe.check == CheckKind::udp_range && !probe.target.ports.single();
}

bool in_a_range(const Flow& flow) {
  return std::any_of(flow.samples.begin(), flow.samples.end(), of_a_range);
}
bool has_service(const Flow& flow) {
  const bool range = in_a_range(flow);
  return std::any_of(flow.samples.begin(), flow.samples.end(), [&](const FlowSample& sample) {
    // A second round asks for a range's ports by themselves.
    return !of_a_range(sample) && !(range && sample.result->probe.check == CheckKind::hop);
  });
}

std::vector<const Flow*> udp_cells(const Facts& facts) {
  return facts.select([](const Flow& flow) { return flow.udp && flow.port != dns_port; });
}

std::vector<FindingEvidence> udp_evidence(const std::vector<const Flow*>& flows, std::size_t most) {
  std::vector<FindingEvidence> strong, weak;
  for (const auto* flow : flows) {
    const bool named = std::any_of(flow->samples.begin(), flow->samples.end(),
                                   [](const FlowSample& sample) { return !sample.by.empty(); });
    for (const auto& sample : flow->samples) {
      // What died beside others that somebody turned away may have died of something else.
      if (named && sample.by.empty() && sample.way == Reachability::blocked) continue;
      if (sample.way == Reachability::blocked) strong.push_back(what_it_saw(sample));
      if (sample.way == Reachability::lost) weak.push_back(what_it_saw(sample));
    }
  }
  strong.insert(strong.end(), weak.begin(), weak.end());
  if (strong.size() > most) strong.resize(most);
  return strong;
}

std::optional<FindingEvidence> control_for(const Facts& facts, const std::string& host) {
  const Flow* best = nullptr;
  for (const auto* flow : udp_cells(facts)) {
    if (!out(*flow)) continue;
    if (best == nullptr || (flow->host == host && best->host != host)) best = flow;
  }
  if (best == nullptr) return std::nullopt;
  for (const auto& sample : best->samples) {
    if (gets_out(sample.way)) return what_it_saw(sample);
  }
  return std::nullopt;
}

std::vector<const ProbeResult*> unmasked(const std::vector<const Flow*>& flows) {
  ProbeList found;
  for (const auto* flow : flows) {
    for (const auto& sample : flow->samples) {
      const bool blocked = sample.refusal && sample.way == Reachability::blocked;
      if (blocked && !failing(*sample.result)) found.add(sample.result);
    }
  }
  return found.list();
}

std::map<std::string, std::set<std::string>> refusals(const std::vector<const Flow*>& flows) {
  std::map<std::string, std::set<std::string>> found;
  for (const auto* flow : flows) {
    for (const auto& sample : flow->samples) {
      if (!sample.by.empty()) found[sample.by].insert(flow->network);
    }
  }
  return found;
}

}  // namespace callready::findings
