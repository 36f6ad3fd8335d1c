// A thread that ends the program if its work does not come to an end: an event loop that is stuck
// in one handler checks no deadline and notices no Ctrl-C.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "probe/net/clock.hpp"
#include "probe/net/timeouts.hpp"

namespace callready {

// What a Watchdog does.
struct WatchdogOptions {
  // Called once, on a thread of its own, while the work may still go on: it saves what it can, and
  // may end the program with a status. If it returns or takes longer than timeouts::last_report,
  // the program ends with `line` and status 3. It may be empty.
  std::function<void()> save;
  std::string line;           // for standard error, if nothing can be saved
  bool on_interrupt = false;  // an interrupt (platform::watch_interrupts) has to end the work, too
  milliseconds patience = timeouts::stuck;  // for work that should have ended
};

class Watchdog {
 public:
  // Nothing is expected yet. If no thread can be started for it, nobody watches.
  explicit Watchdog(WatchdogOptions options);
  // The work has come to its end. If it was given up before that, this does not return: the program
  // is ending.
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // By when the work, or its next part, should have ended; the last call counts.
  void expect_end_by(Instant until);

 private:
  void watch();
  void give_up();

  const WatchdogOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Instant until_ = Instant::max();
  bool ended_ = false;
  std::thread thread_;
};

// For a piece of work without a loop: planning, rendering.
class TimeLimit {
 public:
  // `what`, as in "planning took longer than 20 s".
  TimeLimit(const std::string& what, milliseconds limit);

 private:
  Watchdog watchdog_;
};

}  // namespace callready
