// What the rules about ports, destinations and UDP ask of flows (facts.hpp), and how they say what
// they found.
#pragma once

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {

// True where its far end answered: over UDP a port-unreachable comes back where no reply does.
bool heard(const Flow& flow);

// The first of their samples that `wanted` takes; null: none.
template <typename Wanted>
const FlowSample* first_sample(const std::vector<const Flow*>& flows, Wanted wanted) {
  for (const auto* flow : flows) {
    if (const auto* found = first_that(flow->samples, wanted)) return found;
  }
  return nullptr;
}

template <typename Wanted>
bool any_sample(const std::vector<const Flow*>& flows, Wanted wanted) {
  return first_sample(flows, wanted) != nullptr;
}

inline bool went(const Flow& flow, Reachability way) {
  return any_sample(flow, [&](const FlowSample& sample) { return sample.way == way; });
}

// Its far end answers everybody, and did not answer it.
inline bool went_unanswered(const FlowSample& sample) {
  return sample.way == Reachability::lost && sample.responder;
}
// The same over UDP, also for a server that is known to speak SIP.
bool was_owed_an_answer(const Facts& facts, const FlowEvent& event);

// Of several flows: the device that refused, if one was heard; whether something on the way was
// seen to block.
std::string device_of(const std::vector<const Flow*>& flows);
bool any_blocked(const std::vector<const Flow*>& flows);
// How often packets of one kind were sent there without success: what died once may be a bad line.
int times_lost(const Flow& flow);
// Packets to this many ports of one host may die once each: a bad line does that, too.
inline constexpr int most_by_chance = 2;
// Blocked for certain: a device said so, or it was tried more than once, and more often on a line
// that loses packets.
bool firmly_blocked(const Facts& facts, const Flow& flow);

// What shows that they are closed, the strongest first: what a device said, packets that died on
// the way, then silence.
std::vector<FindingEvidence> evidence_for(const Facts& facts, const std::vector<const Flow*>& flows,
                                          std::size_t most);

// All flows over UDP except DNS.
std::vector<const Flow*> udp_flows(const Facts& facts);

// What UDP as a whole met: the device that refuses most of it, ports that die on the way, public
// servers that are silent, and a few of the packets.
void add_what_udp_met(Cause& cause, const Facts& facts);

// Whether silence over UDP says anything about UDP (udp.cpp): strangers are let out, the vendor's
// servers are not all down, and new flows are not limited.
bool silence_tells(const Facts& facts);

// All UDP except DNS is closed, or its replies are, according to worlds (udp.cpp).
struct ClosedUdp {
  Confidence confidence = possible;
  // Packets were seen to leave, and no reply comes back: the lowest port known to be so.
  std::optional<std::uint16_t> replies_from{};
};
std::optional<ClosedUdp> closed_udp(const Diagnosis& context);

// Much of what was reached answered only when it was asked again, more than a bad line explains, or
// two servers were lost while others were not: a device may limit new flows, and what was asked
// less often is silent for that reason. It may limit UDP only, where nothing but names is asked for
// often enough.
bool new_flows_may_be_limited(const Facts& facts);

}  // namespace callready::findings
