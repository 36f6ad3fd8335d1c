// Whether a line carries so many calls at once. Pure: packets in, a judgement out.
#pragma once

#include <span>

#include "probe/media/stream_figures.hpp"

namespace callready::media {

// Calls of each step: a quarter, a half, three quarters, all.
std::vector<int> steps_to(int calls);

// A session of a step: what it asked, and all replies that it ever got. All sessions have one clock
// there and one here.
struct StepSession {
  Asked asked;
  std::span<const Reply> replies;
};

// Of packets from there to here and back, while nothing else was on the line.
struct IdleDelays {
  double up = 0, down = 0;
};
// The shortest of these.
IdleDelays idle_delays(std::span<const Reply> replies, IdleDelays before);
inline constexpr IdleDelays no_delays{1e18, 1e18};

// What a call takes without being disturbed: a hundredth of its packets, with 95 % confidence, and
// this much more delay.
inline constexpr double most_lost_percent = 1, most_queued_ms = 30;

// `stopped`: it was given up, because it hurt.
CallStep step_of(int calls, std::span<const StepSession> sessions, const IdleDelays& idle,
                 bool stopped);

// What the last second says: `lost` of `sent` packets unanswered, and the replies of it. True: go
// no further.
bool hurts(int lost, int sent, std::span<const Reply> replies, const IdleDelays& idle);

// `passed`, `limit` and `way`, from the steps.
void conclude(CallCapacity& capacity);

}  // namespace callready::media
