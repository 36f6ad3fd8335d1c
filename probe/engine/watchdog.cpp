#include "probe/engine/watchdog.hpp"

#include <fmt/format.h>

#include <system_error>

#include "probe/platform/last_words.hpp"
#include "probe/platform/system.hpp"

namespace callready {

Watchdog::Watchdog(WatchdogOptions options) : options_(std::move(options)) {
  try {
    thread_ = std::thread([this] { watch(); });
  } catch (const std::system_error&) {  // the work has its own deadlines
  }
}

Watchdog::~Watchdog() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watchdog::expect_end_by(Instant until) {
  {
    const std::lock_guard lock(mutex_);
    until_ = until;
  }
  changed_.notify_all();
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  const auto wait = [&](Instant until) {
    if (until == Instant::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, until);
    }
  };
  bool heard = !options_.on_interrupt;
  // Time during which this computer slept, or this program was stopped, does not count: overdue
  // work gets the whole patience from the moment that this is noticed.
  std::optional<Instant> late_since;
  Instant late_for = until_;
  while (!ended_) {
    const auto now = std::chrono::steady_clock::now();
    if (!heard && platform::interrupted()) {
      heard = true;
      until_ = std::min(until_, now + timeouts::cleanup + 2 * timeouts::drain);
    }
    if (until_ != late_for) late_since.reset();
    late_for = until_;
    if (now >= until_ && !late_since) late_since = now;
    if (late_since && now >= *late_since + options_.patience) break;
    auto next = late_since ? *late_since + options_.patience : until_;
    if (!heard) next = std::min(next, now + timeouts::look_for_interrupt);
    wait(next);
  }
  if (!ended_) give_up();
}

void Watchdog::give_up() {
  if (options_.save) {
    try {
      std::thread([this] {
        options_.save();
        platform::end_undecided(options_.line);
      }).detach();
      std::this_thread::sleep_for(timeouts::last_report);
    } catch (const std::system_error&) {
      // There is no thread even for that: then the line is all.
    }
  }
  platform::end_undecided(options_.line);
}

TimeLimit::TimeLimit(const std::string& what, milliseconds limit)
    : watchdog_({{}, fmt::format("{} took longer than {} s", what, Milliseconds(limit).count() / 1000)}) {
  watchdog_.expect_end_by(std::chrono::steady_clock::now() + limit);
}

}  // namespace callready
