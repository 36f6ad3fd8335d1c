#include "probe/net/clock.hpp"

#include <map>
#include <optional>

namespace callready {

// All waiting alarms, on one timer of the system, which is set to the earliest.
struct SystemClock::Alarms : std::enable_shared_from_this<Alarms> {
  class Alarm;
  using Queue = std::multimap<Instant, Alarm*>;

  explicit Alarms(const asio::any_io_executor& executor) : timer(executor) {}

  void set() {
    waiting = false;
    timer.expires_at(queue.begin()->first);
    timer.async_wait([weak = weak_from_this()](error_code error) {
      const auto alive = weak.lock();
      if (!error && alive) alive->ring();
    });
    waiting = true;
  }
  void ring();
  // The timer may ring for a forgotten alarm, and then finds the next one. It is cancelled only
  // when no alarm is left, so that the loop has nothing to wait for.
  void forget(Queue::iterator place) {
    queue.erase(place);
    if (queue.empty()) timer.cancel();
  }

  asio::steady_timer timer;
  Queue queue;
  bool waiting = false;  // for the earliest; also false where there was no memory to wait with
};

class SystemClock::Alarms::Alarm final : public Clock::Timer {
 public:
  Alarm(std::shared_ptr<Alarms> alarms, Instant when, std::function<void()> callback)
      : alarms_(std::move(alarms)), callback_(std::move(callback)) {
    const auto place = alarms_->queue.emplace(when, this);
    try {
      if (place == alarms_->queue.begin() || !alarms_->waiting) alarms_->set();
    } catch (...) {
      alarms_->queue.erase(place);
      throw;
    }
    place_ = place;
  }
  ~Alarm() override {
    if (place_) alarms_->forget(*place_);
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // The callback may destroy this alarm.
  void call() {
    alarms_->queue.erase(*place_);
    place_.reset();
    const auto callback = std::move(callback_);
    callback();
  }

 private:
  std::shared_ptr<Alarms> alarms_;
  std::optional<Queue::iterator> place_;  // none: was called
  std::function<void()> callback_;
};

void SystemClock::Alarms::ring() {
  const auto self = shared_from_this();
  waiting = false;
  const auto now = std::chrono::steady_clock::now();
  while (!queue.empty() && queue.begin()->first <= now) queue.begin()->second->call();
  if (!queue.empty()) set();
}

struct SystemClock::Watch {
  explicit Watch(const asio::any_io_executor& executor)
      : loop_stalls(std::chrono::steady_clock::now()), timer(executor) {}

  static void go_on(const std::shared_ptr<Watch>& watch) {
    watch->timer.expires_at(watch->loop_stalls.due());
    watch->timer.async_wait([weak = std::weak_ptr(watch)](error_code error) {
      const auto alive = weak.lock();
      if (error || !alive) return;
      alive->loop_stalls.beat(std::chrono::steady_clock::now());
      go_on(alive);
    });
  }

  LoopStalls loop_stalls;
  asio::steady_timer timer;
};

void SystemClock::watch_stalls() {
  if (watch_) return;
  watch_ = std::make_shared<Watch>(executor_);
  Watch::go_on(watch_);
}

Milliseconds SystemClock::loop_stall_since(Instant from) const {
  if (!watch_) return Milliseconds(0);
  return watch_->loop_stalls.between(from, now());
}

std::unique_ptr<Clock::Timer> SystemClock::call_at(Instant when, std::function<void()> callback) {
  if (!alarms_) alarms_ = std::make_shared<Alarms>(executor_);
  return std::make_unique<Alarms::Alarm>(alarms_, when, std::move(callback));
}

}  // namespace callready
