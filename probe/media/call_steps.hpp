// How many calls a line carries at once. Pure: packets in, a judgement out.
#pragma once

#include <span>

#include "probe/media/stream_figures.hpp"

namespace callready::media {

// What to try next: how many calls, and for a whole step or a short one that only feels its way.
struct CallTrial {
  int calls = 0;
  bool whole = false;
};

// One call first, the baseline; then twice as many each time, so that a line is never asked for
// more than twice what it carries; then bisect between what passed and what did not. Nothing: the
// result is known. `whole_packets`: how many a call sends in a whole step.
std::optional<CallTrial> next_trial(const CallCapacity& capacity, int whole_packets);

// A session of a step: what it asked, and all replies that it ever got. All sessions share one
// clock there and one here.
struct StepSession {
  Asked asked;
  std::span<const Reply> replies;
};

// The delays of packets there and back while nothing else was on the line, and the most that one
// call alone loses there, in percent.
struct IdleDelays {
  double up = 0, down = 0;
  double lost_up = 0, lost_down = 0;
};
// The shortest of these and of `before`.
IdleDelays idle_delays(std::span<const Reply> replies, IdleDelays before);
inline constexpr IdleDelays no_delays{1e18, 1e18};

// What a call tolerates: losing a hundredth of its packets, with 95 % confidence, and this much
// more delay.
inline constexpr double most_lost_percent = 1, most_queued_ms = 30;
// What ends a step at once: this much, for a tenth of a second.
inline constexpr double harmful_queued_ms = 60;

// `stopped`: it was given up, because it hurt.
CallStep step_of(int calls, std::span<const StepSession> sessions, const IdleDelays& idle,
                 bool stopped);

// Judges an interval: `lost` of `sent` packets were unanswered, and its replies may have queued for
// longer than that. True: go no further.
bool hurts(int lost, int sent, std::span<const Reply> replies, const IdleDelays& idle,
           double queued_ms = most_queued_ms);

// `passed`, `limit` and `way`, from the steps, in whatever order.
void conclude(CallCapacity& capacity);

}  // namespace callready::media
