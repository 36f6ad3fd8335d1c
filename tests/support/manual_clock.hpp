// A clock that only the test moves. Timers fire in order inside advance().
#pragma once

#include <map>

#include "probe/net/clock.hpp"

namespace callready::test {

class ManualClock : public Clock {
 public:
  Instant now() const override { return now_; }
  WallTime wall_now() const override {
    return WallTime(std::chrono::duration_cast<WallTime::duration>(now_.time_since_epoch()));
  }
  std::unique_ptr<Timer> call_at(Instant when, std::function<void()> callback) override;

  // Moves time and calls what is due on the way, each at its own time.
  void advance(milliseconds by);
  // Moves to the next timer and calls it; false if there is none.
  bool advance_to_next();
  std::size_t waiting() const { return timers_.size(); }

  // Lets time pass without running timers, as on a busy computer: those that fall due are late.
  void be_late(milliseconds by);
  Milliseconds loop_stall_since(Instant from) const override;

 private:
  class Entry;
  Instant now_{std::chrono::hours(24 * 365 * 50)};
  std::multimap<Instant, Entry*> timers_;
  std::map<Instant, Instant> stalls_;  // begin, end
};

}  // namespace callready::test
