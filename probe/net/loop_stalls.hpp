// How late this computer itself is: a busy one gets round to its event loop late, and must not
// blame others for it. A beat is due every timeouts::beat; when anything is late, so is the beat.
#pragma once

#include <chrono>
#include <vector>

#include "probe/net/timeouts.hpp"

namespace callready {

class LoopStalls {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  using Duration = Instant::duration;

  explicit LoopStalls(Instant start) : due_(start + timeouts::beat) {}

  Instant due() const { return due_; }
  // The beat that was due came now. The next one is due a beat later.
  void beat(Instant now);
  // For how long the loop was held up between `from` and `now`: all stalls together, including one
  // that still lasts; at most the time between.
  Duration between(Instant from, Instant now) const;

 private:
  struct Stall {
    Instant begin, end;
  };
  Instant due_;
  std::vector<Stall> stalls_;  // in order, not overlapping
};

}  // namespace callready
