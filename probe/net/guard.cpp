#include "probe/net/guard.hpp"

#include "probe/net/one_shot.hpp"
#include "probe/net/timeouts.hpp"

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

InnerScope::InnerScope(Scope outer)
    : outer_(outer), told_(outer.stop.subscribe([this] { stop_.stop(); })) {
  if (outer.stop.stopped()) stop_.stop();
}

InnerScope::InnerScope(Scope outer, Instant deadline) : InnerScope(outer) {
  timer_ = outer.clock.call_at(deadline, [this] { stop_.stop(); });
}

InnerScope::~InnerScope() { outer_.stop.unsubscribe(told_); }

Guard::Guard(Scope scope, Instant deadline, std::function<void()> abort)
    : clock_(scope.clock),
      stop_(scope.stop),
      begin_(scope.clock.now()),
      deadline_(deadline),
      abort_(std::move(abort)) {
  if (stop_.stopped()) {
    fired_ = Fired::stop;
  } else if (deadline <= begin_) {
    fired_ = Fired::deadline;
  } else {
    subscription_ = stop_.subscribe([this] { fire(Fired::stop); });
    timer_ = clock_.call_at(deadline, [this] { time_is_up(); });
  }
}

void Guard::time_is_up() {
  const auto late = std::min(clock_.loop_stall_since(begin_), elapsed(begin_, deadline_));
  if (late < added_ + timeouts::worth_adding) {
    fire(Fired::deadline);
    return;
  }
  added_ = late;
  const auto until = deadline_ + std::chrono::duration_cast<Instant::duration>(late);
  timer_ = clock_.call_at(until, [this] { time_is_up(); });
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

CleanupScope::CleanupScope(Scope run, milliseconds allowed)
    : clock_(run.clock), run_(run.stop), allowed_(allowed) {
  if (run_.stopped()) {
    run_stopped();
  } else {
    subscription_ = run_.subscribe([this] { run_stopped(); });
  }
}

CleanupScope::~CleanupScope() {
  if (subscription_) run_.unsubscribe(*subscription_);
}

void CleanupScope::run_stopped() {
  timer_ = clock_.call_at(clock_.now() + allowed_, [this] { end_.stop(); });
}

asio::awaitable<bool> sleep_until(asio::any_io_executor executor, Scope scope, Instant when) {
  if (scope.stop.stopped() || when <= scope.clock.now()) co_return !scope.stop.stopped();
  const OneShot<bool> woken(executor);
  // Nobody is waited for, so this computer's own delays do not extend it.
  const auto alarm = scope.clock.call_at(when, [woken] { woken.deliver(true); });
  const auto never = when + std::chrono::hours(1);
  const auto result = co_await woken.wait(scope, never);
  co_return !result.has_error();
}

}  // namespace callready
