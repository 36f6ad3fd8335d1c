// What time it really is, by the sources that a run heard.
#pragma once

#include "probe/diagnosis/facts.hpp"

namespace callready::findings {

struct ConsensusTime {
  double offset_ms = 0;  // to add to the local clock
  std::vector<FindingEvidence> evidence;
};

// Two sources of two hosts that agree: time servers, and web servers' Date. Nothing where there
// are not two, where they contradict each other, or where all are pages over plain HTTP whose body
// is not known.
std::optional<ConsensusTime> consensus_time(const Facts& facts);

}  // namespace callready::findings
