#include "probe/diagnosis/finding_udp_flows.hpp"

#include <algorithm>

#include "probe/diagnosis/finding_words.hpp"
#include "probe/diagnosis/silence.hpp"

namespace callready::findings {

bool of_a_range(const FlowSample& sample) {
  const auto& probe = sample.result->probe;
  return probe.check == CheckKind::udp_range && !probe.target.ports.single();
}

bool in_a_range(const Flow& flow) { return any_sample(flow, of_a_range); }
bool has_service(const Flow& flow) {
  const bool range = in_a_range(flow);
  return any_sample(flow, [&](const FlowSample& sample) {
    // A second round asks for a range's ports by themselves.
    return !of_a_range(sample) && !(range && sample.result->probe.check == CheckKind::hop);
  });
}

std::vector<const Flow*> udp_cells(const Facts& facts) {
  return facts.select([](const Flow& flow) { return flow.udp && flow.port != dns_port; });
}

namespace {

// The far end spoke: a connection that stands and says nothing may be somebody's on the way.
bool spoke(const FlowSample& sample) {
  const auto outcome = sample.result->observation.outcome;
  return outcome == Outcome::answered || outcome == Outcome::denied ||
         !chain_of(*sample.result).empty();
}

// On the port of DNS, who is asked for is heard, and who is not is silent: for UDP, a list is at
// work.
bool list_lets_out_udp(const Facts& facts) {
  bool own_heard = false, others_silent = false;
  for (const auto& flow : facts.flows) {
    if (!flow.udp || flow.port != dns_port) continue;
    const bool own = facts.asked_for(flow);
    if (!own && flow.way == Reachability::open) return false;
    own_heard |= own && flow.way == Reachability::open;
    others_silent |= !own;
  }
  return own_heard && others_silent;
}

// Somebody near takes connections in everybody's name: whom it reaches says nothing of UDP.
bool connections_are_taken(const Facts& facts) {
  const auto& probes = facts.report.probes;
  return std::any_of(probes.begin(), probes.end(), is_taken_near);
}

}  // namespace

bool lets_out_more_than_the_list(const Facts& facts) {
  if (list_lets_out_udp(facts) || connections_are_taken(facts)) return false;
  const auto vendors = facts.hosts_asked_for();
  return std::any_of(facts.flows.begin(), facts.flows.end(), [&](const Flow& flow) {
    const auto opened = [](const auto& sample) { return has_foreign_root(*sample.result); };
    // How far it leaves may be no further than to whoever stops it.
    return !flow.udp && !vendors.contains(flow.host) && any_sample(flow, spoke) &&
           !any_sample(flow, opened);
  });
}

std::set<std::string> dead_over_tcp(const Facts& facts) {
  const bool taken = connections_are_taken(facts);
  std::set<std::string> hosts, speaking;
  for (const auto& flow : facts.flows) {
    if (flow.udp) continue;
    if (taken ? any_sample(flow, spoke) : heard(flow)) speaking.insert(flow.host);
    if (taken || facts.asked_for(flow)) hosts.insert(flow.host);
  }
  for (const auto& host : speaking) hosts.erase(host);
  return hosts;
}

std::vector<FindingEvidence> udp_evidence(const std::vector<const Flow*>& flows, std::size_t most) {
  std::vector<FindingEvidence> strong, weak;
  for (const auto* flow : flows) {
    for (const auto& sample : flow->samples) {
      if (died_beside_refusals(*flow, sample)) continue;
      if (sample.way == Reachability::blocked) strong.push_back(what_it_saw(sample));
      if (sample.way == Reachability::lost) weak.push_back(what_it_saw(sample));
    }
  }
  strong.insert(strong.end(), weak.begin(), weak.end());
  if (strong.size() > most) strong.resize(most);
  return strong;
}

std::optional<FindingEvidence> control_for(const Facts& facts, const std::string& host) {
  const FlowSample* best = nullptr;
  int best_rank = -1;
  for (const auto* flow : udp_cells(facts)) {
    if (!out(*flow)) continue;
    for (const auto& sample : flow->samples) {
      if (!gets_out(sample.way) || !is_udp(*sample.result)) continue;
      // Not of a range of which a part fails, if there is another; of that host rather than of
      // others.
      const int rank = (failing(*sample.result) ? 0 : 2) + (flow->host == host ? 1 : 0);
      if (rank > best_rank) best = &sample;
      best_rank = std::max(best_rank, rank);
    }
  }
  if (best == nullptr) return std::nullopt;
  return what_it_saw(*best);
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

std::vector<const Flow*> lost_beside_others(const Facts& facts) {
  std::set<std::uint16_t> open;
  std::vector<const Flow*> lost;
  for (const auto& flow : facts.flows) {
    const bool listens =
        !flow.udp && !facts.asked_for(flow) &&
        any_sample(flow, [](const FlowSample& sample) { return sample.responder; });
    if (!listens) continue;
    if (flow.way == Reachability::open) open.insert(flow.port);
    if (flow.way == Reachability::lost) lost.push_back(&flow);
  }
  std::erase_if(lost, [&](const Flow* flow) { return !open.contains(flow->port); });
  return lost;
}

bool new_flows_may_be_limited(const Facts& facts) {
  if (lost_beside_others(facts).size() > 1) return true;
  const auto& late = facts.answered_late();
  const auto open = facts.select([](const Flow& flow) { return flow.way == Reachability::open; });
  const auto late_udp = std::count_if(late.begin(), late.end(),
                                      [](const ProbeResult* result) { return is_udp(*result); });
  const auto open_udp =
      std::count_if(open.begin(), open.end(), [](const Flow* flow) { return flow->udp; });
  return 3 * late.size() > open.size() || 3 * late_udp > open_udp;
}

}  // namespace callready::findings
