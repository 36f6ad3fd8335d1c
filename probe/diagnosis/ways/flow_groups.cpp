#include "probe/diagnosis/ways/flow_groups.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "probe/diagnosis/words.hpp"

namespace callready::findings {
namespace {

// A device said no to what is sent there: not only to what the second round tried beside it, of a
// kind that gets out nowhere.
bool turned_away(const Facts& facts, const Flow& flow) {
  return any_sample(flow, [&](const FlowSample& refused) {
    const auto alike = [&](const FlowSample& sample) {
      return sample.result->probe.check != CheckKind::hop &&
             inspected_as(sample) == inspected_as(refused);
    };
    const bool tells =
        !flow.udp || facts.gets_out_as(inspected_as(refused)) || any_sample(flow, alike);
    return tells && !refused.by.empty();
  });
}

// The most that the line may lose (0 to 1), by the requests that were counted: the upper bound of
// Wilson's score interval at 99 %. 1 where none were counted.
double most_loss(const Facts& facts) {
  const auto &one = facts.on_one_flow(), &news = facts.on_new_flows();
  const double sent = one.sent + news.sent;
  if (sent == 0) return 1;
  constexpr double z = 2.576, z2 = z * z;
  const double share = (one.lost() + news.lost()) / sent;
  const double spread = z * std::sqrt(share * (1 - share) / sent + z2 / (4 * sent * sent));
  return (share + z2 / (2 * sent) + spread) / (1 + z2 / sent);
}

// How many packets were sent of one kind that never got out: the kind that was sent most often.
int packets_lost(const Flow& flow) {
  std::map<Payload, int> packets;
  int most = 0;
  for (const auto& sample : flow.samples) {
    const auto& [probe, seen] = *sample.result;
    const bool counted = probe.check != CheckKind::udp_range && !gets_out(sample.way);
    if (counted)
      most = std::max(most, packets[inspected_as(sample)] += std::min(seen.attempts, 1'000));
  }
  return most;
}

// Two lost in a row can be chance on a line that loses packets, unless it loses too few for that.
bool died_by_no_chance(const Facts& facts, const Flow& flow) {
  constexpr double unlikely = 0.001;
  const auto times = times_lost(flow);
  if (times < 2 || !facts.line_loses()) return times > 1;
  return times > 2 || std::pow(most_loss(facts), packets_lost(flow)) < unlikely;
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

bool heard(const Flow& flow) {
  // A connection that stands and says nothing may be somebody's on the way.
  const auto is_mute = [](const FlowSample& sample) { return got_no_answer(*sample.result); };
  const bool mute = !flow.udp && any_sample(flow, is_mute);
  return any_sample(flow, [&](const auto& sample) {
    // Where something was asked for over one in vain, another tells no more.
    const bool only_stands = sample.result->observation.outcome == Outcome::connected;
    const bool told = flow.udp || (!is_mute(sample) && !(mute && only_stands));
    return sample.way == Reachability::open && told && !sample.refusal;
  });
}

std::string device_of(const std::vector<const Flow*>& flows) {
  for (const auto* flow : flows) {
    for (const auto& sample : flow->samples) {
      if (!sample.by.empty()) return sample.by;
    }
  }
  return {};
}

bool any_blocked(const std::vector<const Flow*>& flows) {
  return std::ranges::find(flows, Reachability::blocked, &Flow::way) != flows.end();
}

std::size_t times_lost(const Flow& flow) {
  std::map<Payload, std::size_t> times;
  std::size_t most = 0;
  for (const auto& sample : flow.samples) {
    // Of a range's port that is silent nothing is known: the control was silent, too.
    const bool unmeasured =
        sample.way == Reachability::lost && sample.result->probe.check == CheckKind::udp_range;
    if (!gets_out(sample.way) && !unmeasured) most = std::max(most, ++times[inspected_as(sample)]);
  }
  return most;
}

bool firmly_blocked(const Facts& facts, const Flow& flow) {
  return flow.way == Reachability::blocked &&
         (turned_away(facts, flow) || died_by_no_chance(facts, flow));
}

std::vector<FindingEvidence> evidence_for(const std::vector<const Flow*>& flows, std::size_t most) {
  std::vector<FindingEvidence> strong, weak;
  for (const auto* flow : flows) {
    for (const auto& sample : flow->samples) {
      const bool blocked = sample.way == Reachability::blocked;
      const bool tells = blocked || (failing(*sample.result) && !gets_out(sample.way));
      if (!tells || died_beside_refusals(*flow, sample)) continue;
      (blocked ? strong : weak).push_back(what_it_saw(sample));
    }
  }
  append(strong, weak);
  if (strong.size() > most) strong.resize(most);
  return strong;
}

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
