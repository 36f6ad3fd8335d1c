// How late this computer itself is: a busy one gets round to its event loop late, and must not hold
// that against others. A beat is due every timeouts::beat; whatever is late, the beat is as well.
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
  // For how long from `from` to `now` the loop was held up. All stalls together, the one that still
  // lasts as well; at most the time between.
  Duration between(Instant from, Instant now) const;

 private:
  struct Stall {
    Instant begin, end;
  };
  Instant due_;
  std::vector<Stall> stalls_;  // in their order, which do not overlap
};

}  // namespace callready
