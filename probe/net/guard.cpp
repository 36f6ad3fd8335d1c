#include "probe/net/guard.hpp"

#include "probe/net/one_shot.hpp"

namespace callready {

void StopSignal::stop() {
  if (stopped_) return;
  stopped_ = true;
  // A callback may end a guard, which unsubscribes itself: take one at a time.
  while (!callbacks_.empty()) {
    const auto callback = std::move(callbacks_.front());
    callbacks_.front() = nullptr;
    const auto handle = callbacks_.begin();
    finished_.splice(finished_.end(), callbacks_, handle);
    if (callback) callback();
  }
}

StopSignal::Handle StopSignal::subscribe(Callback callback) {
  return callbacks_.insert(callbacks_.end(), std::move(callback));
}

void StopSignal::unsubscribe(Handle handle) {
  (stopped_ && !*handle ? finished_ : callbacks_).erase(handle);
}

Guard::Guard(Scope scope, Instant deadline, std::function<void()> abort)
    : stop_(scope.stop), abort_(std::move(abort)) {
  if (stop_.stopped()) {
    fired_ = Fired::stop;
  } else if (deadline <= scope.clock.now()) {
    fired_ = Fired::deadline;
  } else {
    subscription_ = stop_.subscribe([this] { fire(Fired::stop); });
    timer_ = scope.clock.call_at(deadline, [this] { fire(Fired::deadline); });
  }
}

Guard::~Guard() {
  if (subscription_) stop_.unsubscribe(*subscription_);
}

void Guard::fire(Fired why) {
  if (over()) return;
  fired_ = why;
  abort_();
}

Failure Guard::failure() const { return fired_ == Fired::stop ? stopped() : timed_out(); }

Farewell::Farewell(Scope run, milliseconds allowed)
    : clock_(run.clock), run_(run.stop), allowed_(allowed) {
  if (run_.stopped()) {
    run_stopped();
  } else {
    subscription_ = run_.subscribe([this] { run_stopped(); });
  }
}

Farewell::~Farewell() {
  if (subscription_) run_.unsubscribe(*subscription_);
}

void Farewell::run_stopped() {
  timer_ = clock_.call_at(clock_.now() + allowed_, [this] { end_.stop(); });
}

asio::awaitable<bool> sleep_until(asio::any_io_executor executor, Scope scope, Instant when) {
  const OneShot<bool> never(executor);
  const auto result = co_await never.wait(scope, when);
  co_return result.has_error() && result.error().kind == FailureKind::timed_out;
}

}  // namespace callready
