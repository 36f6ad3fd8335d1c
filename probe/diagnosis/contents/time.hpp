// What time it really is, by the sources that a run heard, and which certificates that excuses.
#pragma once

#include "probe/diagnosis/facts.hpp"

namespace callready::findings {

// A minute: less hurts nothing that calls need, and computers that are never set drift by a minute
// in weeks.
inline constexpr double noticeable_skew_ms = 60'000;

struct ConsensusTime {
  double offset_ms = 0;  // to add to the local clock
  std::vector<FindingEvidence> evidence;
};

// Two sources of two hosts that agree: time servers, and web servers' Date. Nothing where there
// are not two, or where they contradict each other.
std::optional<ConsensusTime> consensus_time(const Facts& facts);

// True where the probe failed over a certificate's dates and would not have at the right time.
bool fault_of_the_clock(const ProbeResult& result, const ConsensusTime& time);

// "2026-11-20T12:00:00Z" as the checks write it.
std::optional<WallTime> parse_time(const std::string& text);

// "2 hours", "90 seconds", "3 days".
Text duration_in_words(double ms);

}  // namespace callready::findings
