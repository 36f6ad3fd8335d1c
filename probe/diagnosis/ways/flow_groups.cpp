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

}  // namespace callready::findings
