// Whether a line carries so many calls at once. Pure: packets in, a judgement out.
#pragma once

#include <span>

#include "probe/media/stream_figures.hpp"

namespace callready::media {

// What is tried next: so many calls, for a whole step, or for a short one that only feels its way.
struct CallTrial {
  int calls = 0;
  bool whole = false;
};

// One call first, the baseline; then twice as many each time, so that a line is never asked for
// more than twice what it carries; between what passed and what did not, halves. Nothing: it is
// known. `whole_packets`: that a call sends in a whole step.
std::optional<CallTrial> next_trial(const CallCapacity& capacity, int whole_packets);

// A session of a step: what it asked, and all replies that it ever got. All sessions have one clock
// there and one here.
struct StepSession {
  Asked asked;
  std::span<const Reply> replies;
};

// Of packets from there to here and back, while nothing else was on the line; and what one call
// alone loses there at most, in percent.
struct IdleDelays {
  double up = 0, down = 0;
  double lost_up = 0, lost_down = 0;
};
// The shortest of these.
IdleDelays idle_delays(std::span<const Reply> replies, IdleDelays before);
inline constexpr IdleDelays no_delays{1e18, 1e18};

// What a call takes without being disturbed: a hundredth of its packets, with 95 % confidence, and
// this much more delay.
inline constexpr double most_lost_percent = 1, most_queued_ms = 30;
// What ends a step at once: as much, for a fifth of a second.
inline constexpr double harmful_queued_ms = 60;

// `stopped`: it was given up, because it hurt.
CallStep step_of(int calls, std::span<const StepSession> sessions, const IdleDelays& idle,
                 bool stopped);

// What some time says: `lost` of `sent` packets unanswered, and the replies of it, which waited for
// longer than that. True: go no further.
bool hurts(int lost, int sent, std::span<const Reply> replies, const IdleDelays& idle,
           double queued_ms = most_queued_ms);

// `passed`, `limit` and `way`, from the steps, in whatever order.
void conclude(CallCapacity& capacity);

}  // namespace callready::media
