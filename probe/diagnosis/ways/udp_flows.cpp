#include "probe/diagnosis/ways/udp_flows.hpp"

#include <algorithm>

#include "probe/diagnosis/words.hpp"

namespace callready::findings {
namespace {

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

// Public servers over TCP that did not answer, on ports where others of them did: no rule about
// ports does that.
std::vector<const Flow*> lost_beside_others(const Facts& facts) {
  const auto vendors = facts.hosts_asked_for();
  std::set<std::uint16_t> open;
  std::vector<const Flow*> lost;
  for (const auto& flow : facts.flows) {
    const bool listens =
        !flow.udp && !vendors.contains(flow.host) && any_sample(flow, &FlowSample::responder);
    if (!listens) continue;
    if (flow.way == Reachability::open) open.insert(flow.port);
    if (flow.way == Reachability::lost) lost.push_back(&flow);
  }
  std::erase_if(lost, [&](const Flow* flow) { return !open.contains(flow->port); });
  return lost;
}

}  // namespace

std::vector<const Flow*> udp_cells(const Facts& facts) {
  return facts.select([](const Flow& flow) { return flow.udp && flow.port != dns_port; });
}

void add_what_udp_met(std::vector<FindingEvidence>& list, const Facts& facts) {
  const auto flows = udp_cells(facts);
  const auto devices = refusals(flows);
  const auto widest = std::ranges::max_element(
      devices, {}, [](const auto& device) { return device.second.size(); });
  if (widest != devices.end() && widest->second.size() > 1) {
    list.push_back(
        {"", phrase("{} rejects UDP to {} networks.", widest->first, widest->second.size())});
  }
  std::set<std::uint16_t> dropped;
  std::set<std::string> silent;  // operators
  for (const auto* flow : flows) {
    const bool told = any_sample(*flow, &FlowSample::turned_away);
    if (flow->way == Reachability::blocked && !told) dropped.insert(flow->port);
    const bool is_public = any_sample(*flow, &FlowSample::responder) && !facts.asked_for(*flow);
    if (is_public && !heard(*flow)) silent.insert(flow->party);
  }
  if (dropped.size() > 2) {
    list.push_back(
        {"", phrase("UDP to {} ports ({}) is dropped before the first router outside; other "
                    "packets get there.",
                    dropped.size(), ports_in_words(dropped, 4))});
  }
  if (!silent.empty()) {
    list.push_back({"", phrase("Public servers do not answer over UDP: {}.",
                               listed({silent.begin(), silent.end()}))});
  }
  append(list, evidence_for(flows, 6));
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
  const auto late_udp =
      std::ranges::count_if(late, [](const ProbeResult* result) { return is_udp(*result); });
  const auto open_udp = std::ranges::count_if(open, &Flow::udp);
  return 3 * late.size() > open.size() || 3 * late_udp > open_udp;
}

}  // namespace callready::findings
