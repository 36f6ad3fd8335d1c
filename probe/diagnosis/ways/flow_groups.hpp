// What the rules about ports and destinations ask of flows (facts.hpp), and how they say
// what they found.
#pragma once

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {

// True where its far end answered: over UDP a port-unreachable comes back where no reply does.
bool heard(const Flow& flow);

// Of several flows: the device that refused, if one was heard; whether something on the way was
// seen to block.
std::string device_of(const std::vector<const Flow*>& flows);
bool any_blocked(const std::vector<const Flow*>& flows);
// How often packets of one kind were asked after there without success: what died once may be a bad
// line.
std::size_t times_lost(const Flow& flow);
// Blocked for certain: a device said so, or it was asked more than once, and more often on a line
// that loses packets.
bool firmly_blocked(const Facts& facts, const Flow& flow);

// The strongest first: what a device said, packets that died on the way, then silence.
std::vector<FindingEvidence> evidence_for(const std::vector<const Flow*>& flows, std::size_t most);

}  // namespace callready::findings
