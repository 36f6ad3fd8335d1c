// Time as the program sees it. Everything that waits, waits on a Clock, so that tests move time by
// hand (tests/support/manual_clock.hpp) and a suspended laptop is noticed in one place.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "probe/model/observation.hpp"
#include "probe/net/asio.hpp"
#include "probe/net/loop_stalls.hpp"

namespace callready {

using Instant = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

class Clock {
 public:
  // Cancels its callback when it dies. Must not outlive the clock.
  class Timer {
   public:
    virtual ~Timer() = default;
  };

  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall_now() const = 0;
  // Calls `callback` once on the event loop at or after `when`, unless the timer dies first.
  virtual std::unique_ptr<Timer> call_at(Instant when, std::function<void()> callback) = 0;

  // The time on this clock of an event that the system dates that long ago.
  virtual Instant ago(std::chrono::nanoseconds) const { return now(); }
  // For how long the event loop has been held up since then, as far as that is watched: this
  // computer was busy, and may itself be why something took so long.
  virtual Milliseconds loop_stall_since(Instant) const { return Milliseconds(0); }
};

// The system's clocks, with callbacks on `executor`.
class SystemClock final : public Clock {
 public:
  explicit SystemClock(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Instant now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const override { return std::chrono::system_clock::now(); }
  std::unique_ptr<Timer> call_at(Instant when, std::function<void()> callback) override;
  Instant ago(std::chrono::nanoseconds back) const override { return now() - back; }
  Milliseconds loop_stall_since(Instant from) const override;

  // Starts the watch; the loop does not run out of work until end_watch().
  void watch_stalls();
  void end_watch() { watch_.reset(); }

 private:
  struct Alarms;
  struct Watch;
  asio::any_io_executor executor_;
  std::shared_ptr<Alarms> alarms_;
  std::shared_ptr<Watch> watch_;
};

inline Milliseconds elapsed(Instant from, Instant to) { return Milliseconds(to - from); }

}  // namespace callready
