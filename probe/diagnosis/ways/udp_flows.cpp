#include "probe/diagnosis/ways/udp_flows.hpp"

#include <algorithm>

#include "probe/diagnosis/words.hpp"

namespace callready::findings {

namespace {

bool of_a_range(const FlowSample& sample) {
  const auto& probe = sample.result->probe;
  return probe.check == CheckKind::udp_range && !probe.target.ports.single();
}

// The devices that refused, with the networks for which each did it.
std::map<std::string, std::set<std::string>> refusals(const std::vector<const Flow*>& flows) {
  std::map<std::string, std::set<std::string>> found;
  for (const auto* flow : flows) {
    for (const auto& sample : flow->samples) {
      if (!sample.by.empty()) found[sample.by].insert(flow->network);
    }
  }
  return found;
}

}  // namespace

bool in_a_range(const Flow& flow) { return any_sample(flow, of_a_range); }

std::vector<const Flow*> udp_cells(const Facts& facts) {
  return facts.select([](const Flow& flow) { return flow.udp && flow.port != dns_port; });
}

void add_what_udp_met(std::vector<FindingEvidence>& list, const Facts& facts) {
  const auto flows = udp_cells(facts);
  const auto devices = refusals(flows);
  const auto widest = std::max_element(
      devices.begin(), devices.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  if (widest != devices.end() && widest->second.size() > 1) {
    list.push_back(
        {"", phrase("{} rejects UDP to {} networks.", widest->first, widest->second.size())});
  }
  std::set<std::uint16_t> dropped;
  std::set<std::string> silent;  // operators
  for (const auto* flow : flows) {
    const auto told = [](const FlowSample& sample) { return sample.turned_away(); };
    const bool died = flow->way == Reachability::blocked && !any_sample(*flow, told);
    const auto answers_everybody = [](const FlowSample& sample) { return sample.responder; };
    if (died) dropped.insert(flow->port);
    const bool is_public = any_sample(*flow, answers_everybody) && !facts.asked_for(*flow);
    if (is_public && !heard(*flow)) silent.insert(flow->party);
  }
  if (dropped.size() > 2) {
    list.push_back(
        {"", phrase("UDP to {} ports ({}) is dropped before the first router outside; other "
                    "packets get there.",
                    dropped.size(), ports_in_words({dropped.begin(), dropped.end()}, 4))});
  }
  if (!silent.empty()) {
    list.push_back({"", phrase("Public servers do not answer over UDP: {}.",
                               listed({silent.begin(), silent.end()}))});
  }
  const auto more = evidence_for(flows, 6);
  list.insert(list.end(), more.begin(), more.end());
}

Text Span::bounds() const {
  std::vector<std::string> good;
  if (good_before) good.push_back(std::to_string(*good_before));
  if (good_after) good.push_back(std::to_string(*good_after));
  if (good.empty()) return phrase("every port that was tried is blocked");
  return phrase("blocked as far as sampled: {} to {}; still open: {}", ports.first, ports.last,
                listed(good));
}

std::vector<Span> spans_of(const Facts& facts, const std::vector<const Flow*>& closed) {
  std::map<std::uint16_t, bool> ports;  // whether they get out
  for (const auto* flow : udp_cells(facts)) {
    if (out(*flow)) ports[flow->port] = true;
  }
  for (const auto* flow : closed) ports[flow->port] = false;
  std::vector<Span> spans;
  std::optional<std::uint16_t> good;
  bool open = false;
  for (const auto& [port, gets_out] : ports) {
    if (gets_out) {
      if (open) spans.back().good_after = port;
      good = port;
    } else {
      if (!open) spans.push_back({{port, port}, good, std::nullopt});
      spans.back().ports.last = port;
    }
    open = !gets_out;
  }
  return spans;
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

std::vector<const Flow*> lost_beside_others(const Facts& facts) {
  const auto vendors = facts.hosts_asked_for();
  std::set<std::uint16_t> open;
  std::vector<const Flow*> lost;
  for (const auto& flow : facts.flows) {
    const bool listens =
        !flow.udp && !vendors.contains(flow.host) &&
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
  // Connections to one port that were sometimes made and sometimes not: three requests in a row are
  // hardly ever lost.
  const auto by_turns = facts.select([](const Flow& flow) {
    const auto went = [&](Reachability way) {
      return any_sample(flow, [&](const FlowSample& sample) { return sample.way == way; });
    };
    return !flow.udp && went(Reachability::lost) && went(Reachability::open);
  });
  if (!by_turns.empty()) return true;
  const auto& late = facts.answered_late();
  const auto open = facts.select([](const Flow& flow) { return flow.way == Reachability::open; });
  const auto late_udp = std::count_if(late.begin(), late.end(),
                                      [](const ProbeResult* result) { return is_udp(*result); });
  const auto open_udp =
      std::count_if(open.begin(), open.end(), [](const Flow* flow) { return flow->udp; });
  return 3 * late.size() > open.size() || 3 * late_udp > open_udp;
}

}  // namespace callready::findings
