#include "probe/diagnosis/ways/flow_groups.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace callready::findings {
namespace {

// A device refused what is sent there, and not only what the second round tried as well, of a kind
// that gets out nowhere.
bool turned_away(const Facts& facts, const Flow& flow) {
  return any_sample(flow, [&](const FlowSample& refused) {
    const auto alike = [&](const FlowSample& sample) {
      return sample.result->probe.check != CheckKind::hop &&
             inspected_as(sample) == inspected_as(refused);
    };
    const bool tells =
        !flow.udp || facts.kinds_out.contains(inspected_as(refused)) || any_sample(flow, alike);
    return tells && !refused.by.empty();
  });
}

// The most that the line may lose (0 to 1), according to the requests that were counted: the upper
// bound of Wilson's score interval at 99 %. 1 where none were counted.
double most_loss(const Facts& facts) {
  const auto &one = facts.on_one_flow, &news = facts.on_new_flows;
  const double sent = one.sent + news.sent;
  if (sent == 0) return 1;
  constexpr double z = 2.576, z2 = z * z;
  const double share = (one.lost() + news.lost()) / sent;
  const double spread = z * std::sqrt(share * (1 - share) / sent + z2 / (4 * sent * sent));
  return (share + z2 / (2 * sent) + spread) / (1 + z2 / sent);
}

// The count of packets that never got out, for the kind of payload with the highest.
template <typename Count>
int most_of_one_kind(const Flow& flow, Count count) {
  std::map<Cargo, int> sums;
  int most = 0;
  for (const auto& sample : flow.samples) {
    if (!gets_out(sample.way)) most = std::max(most, sums[inspected_as(sample)] += count(sample));
  }
  return most;
}

int packets_lost(const Flow& flow) {
  return most_of_one_kind(flow, [](const FlowSample& sample) {
    const auto& [probe, seen] = *sample.result;
    return probe.check == CheckKind::udp_range ? 0 : std::min(seen.attempts, 1'000);
  });
}

// Two lost in a row can be chance on a line that loses packets, unless it loses too few for that.
bool died_by_no_chance(const Facts& facts, const Flow& flow) {
  constexpr double unlikely = 0.001;
  const int times = times_lost(flow);
  if (times != 2 || !facts.line_loses()) return times > 1;
  return std::pow(most_loss(facts), packets_lost(flow)) < unlikely;
}

// Public servers over TCP did not answer, on ports where others of them did: no rule about ports
// does that.
bool two_are_lost_beside_others(const Facts& facts) {
  const auto vendors = facts.hosts_asked_for();
  std::set<std::uint16_t> open;
  std::vector<std::uint16_t> lost;
  for (const auto& flow : facts.flows) {
    const bool listens =
        !flow.udp && !vendors.contains(flow.host) && any_sample(flow, &FlowSample::responder);
    if (listens && flow.way == Reachability::open) open.insert(flow.port);
    if (listens && flow.way == Reachability::lost) lost.push_back(flow.port);
  }
  return std::ranges::count_if(lost, [&](auto port) { return open.contains(port); }) > 1;
}

}  // namespace

bool heard(const Flow& flow) {
  // An established but silent connection may end at a device on the way.
  const auto is_mute = [](const FlowSample& sample) { return got_no_answer(*sample.result); };
  const bool mute = !flow.udp && any_sample(flow, is_mute);
  return any_sample(flow, [&](const auto& sample) {
    // If a request over one got no answer, another shows no more.
    const bool only_stands = sample.result->observation.outcome == Outcome::connected;
    const bool told = flow.udp || (!is_mute(sample) && !(mute && only_stands));
    return sample.way == Reachability::open && told && !sample.refusal;
  });
}

bool was_owed_an_answer(const Facts& facts, const FlowEvent& event) {
  const auto& flow = event.flow;
  return flow.udp && event.seen == Seen::nothing && event.expected &&
         (answers_everybody(flow.cargo) || facts.sip_servers.contains(flow.host));
}

std::string device_of(const std::vector<const Flow*>& flows) {
  const auto* refused =
      first_sample(flows, [](const FlowSample& sample) { return !sample.by.empty(); });
  return refused == nullptr ? std::string() : refused->by;
}

bool any_blocked(const std::vector<const Flow*>& flows) {
  return std::ranges::find(flows, Reachability::blocked, &Flow::way) != flows.end();
}

int times_lost(const Flow& flow) {
  return most_of_one_kind(flow, [](const FlowSample& sample) {
    // Nothing is known about a range's port that is silent: the control was silent, too.
    const bool unmeasured =
        sample.way == Reachability::lost && sample.result->probe.check == CheckKind::udp_range;
    return unmeasured ? 0 : 1;
  });
}

bool firmly_blocked(const Facts& facts, const Flow& flow) {
  return flow.way == Reachability::blocked &&
         (turned_away(facts, flow) || died_by_no_chance(facts, flow));
}

std::vector<FindingEvidence> evidence_for(const Facts& facts, const std::vector<const Flow*>& flows,
                                          std::size_t most) {
  std::vector<const FlowSample*> told;
  for (const auto* flow : flows) {
    for (const auto& sample : flow->samples) {
      const bool tells = failing(*sample.result) && !gets_out(sample.way);
      if (tells || sample.way == Reachability::blocked) told.push_back(&sample);
    }
  }
  // First what was seen to be blocked; of that, what a device said, and then what rows ask for.
  std::ranges::stable_sort(told, {}, [&](const FlowSample* sample) {
    return std::tuple(sample->way != Reachability::blocked, sample->by.empty(),
                      !facts.asked_for(*sample->result));
  });
  std::vector<FindingEvidence> evidence;
  for (const auto* sample : told | std::views::take(most)) evidence.push_back(what_it_saw(*sample));
  return evidence;
}

std::vector<const Flow*> udp_flows(const Facts& facts) {
  return facts.select([](const Flow& flow) { return flow.udp && flow.port != dns_port; });
}

void add_what_udp_met(Cause& cause, const Facts& facts) {
  const auto flows = udp_flows(facts);
  std::map<std::string, std::set<std::string>> refused;  // networks, by the device that did it
  std::set<std::uint16_t> dropped;
  std::set<std::string> silent;  // operators
  for (const auto* flow : flows) {
    for (const auto& sample : flow->samples) {
      if (!sample.by.empty()) refused[sample.by].insert(flow->network);
    }
    const bool told = any_sample(*flow, &FlowSample::turned_away);
    if (flow->way == Reachability::blocked && !told) dropped.insert(flow->port);
    const bool is_public = any_sample(*flow, &FlowSample::responder) && !facts.asked_for(*flow);
    if (is_public && !heard(*flow)) silent.insert(flow->party);
  }
  const auto widest = std::ranges::max_element(
      refused, {}, [](const auto& device) { return device.second.size(); });
  if (widest != refused.end() && widest->second.size() > 1)
    cause.tell(phrase("{} rejects UDP to {} networks.", widest->first, widest->second.size()));
  // A device that rejects packets is not thought to drop others: routers send few such messages.
  if (dropped.size() > 2 && refused.empty()) {
    cause.tell(phrase(
        "UDP to {} ports ({}) is dropped before the first router outside; other packets get there.",
        dropped.size(), listed(dropped, 4)));
  }
  if (!silent.empty())
    cause.tell(phrase("Public servers do not answer over UDP: {}.", listed(silent)));
  append(cause.evidence, evidence_for(facts, flows, 6));
}

bool new_flows_may_be_limited(const Facts& facts) {
  // Connections to one port that were sometimes made and sometimes not: three requests in a row are
  // hardly ever lost.
  const bool by_turns = std::ranges::any_of(facts.flows, [](const Flow& flow) {
    return !flow.udp && flow.way == Reachability::open && went(flow, Reachability::lost);
  });
  if (by_turns || two_are_lost_beside_others(facts)) return true;
  const auto& late = facts.answered_late;
  const auto open = facts.select([](const Flow& flow) { return flow.way == Reachability::open; });
  return 3 * late.size() > open.size() ||
         3 * those_that(late, is_udp).size() > those_that(open, &Flow::udp).size();
}

}  // namespace callready::findings
