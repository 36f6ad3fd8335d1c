#include "probe/net/clock.hpp"

namespace callready {
namespace {

class SteadyTimer final : public Clock::Timer {
 public:
  SteadyTimer(const asio::any_io_executor& executor, Instant when, std::function<void()> callback)
      : callback_(std::make_shared<std::function<void()>>(std::move(callback))), timer_(executor) {
    timer_.expires_at(when);
    // A handler that is already queued when the timer dies still runs: it finds the callback gone.
    timer_.async_wait([weak = std::weak_ptr(callback_)](error_code error) {
      if (error) return;
      if (const auto alive = weak.lock()) (*alive)();
    });
  }

 private:
  std::shared_ptr<std::function<void()>> callback_;
  asio::steady_timer timer_;
};

}  // namespace

struct SystemClock::Watch {
  explicit Watch(const asio::any_io_executor& executor)
      : lateness(std::chrono::steady_clock::now()), timer(executor) {}

  static void go_on(const std::shared_ptr<Watch>& watch) {
    watch->timer.expires_at(watch->lateness.due());
    watch->timer.async_wait([weak = std::weak_ptr(watch)](error_code error) {
      const auto alive = weak.lock();
      if (error || !alive) return;
      alive->lateness.beat(std::chrono::steady_clock::now());
      go_on(alive);
    });
  }

  Lateness lateness;
  asio::steady_timer timer;
};

void SystemClock::watch_lateness() {
  if (watch_) return;
  watch_ = std::make_shared<Watch>(executor_);
  Watch::go_on(watch_);
}

Milliseconds SystemClock::held_up_since(Instant from) const {
  if (!watch_) return Milliseconds(0);
  return watch_->lateness.between(from, now());
}

std::unique_ptr<Clock::Timer> SystemClock::call_at(Instant when, std::function<void()> callback) {
  return std::make_unique<SteadyTimer>(executor_, when, std::move(callback));
}

}  // namespace callready
