// What ends a pending operation: its deadline, or the end of the run. Both come through one
// object, so that no operation relies on Asio's cancellation (which g++ 12 coroutines do not
// survive well, see CONTRIBUTING).
#pragma once

#include <functional>
#include <list>
#include <memory>

#include "probe/net/clock.hpp"
#include "probe/net/failure.hpp"

namespace callready {

// Signalled once, when the run is over; everything that waits is woken.
class StopSignal {
 public:
  using Callback = std::function<void()>;
  using Handle = std::list<Callback>::iterator;

  bool stopped() const { return stopped_; }
  void stop();
  Handle subscribe(Callback callback);
  void unsubscribe(Handle handle);

 private:
  bool stopped_ = false;
  std::list<Callback> callbacks_;
  std::list<Callback> finished_;  // called; kept until their owners unsubscribe
};

// The time frame that a check works in: its clock and what may end it.
struct Scope {
  Clock& clock;
  StopSignal& stop;
};

// A scope within another one: it ends with the outer one, at its own deadline, or when its owner
// stops it.
class InnerScope {
 public:
  explicit InnerScope(Scope outer);
  InnerScope(Scope outer, Instant deadline);
  ~InnerScope();
  InnerScope(const InnerScope&) = delete;
  InnerScope& operator=(const InnerScope&) = delete;

  Scope scope() { return {outer_.clock, stop_}; }

 private:
  Scope outer_;
  StopSignal stop_;
  StopSignal::Handle told_;
  std::unique_ptr<Clock::Timer> timer_;
};

// While it lives, calls `abort` at most once: when `deadline` passes or the run is stopped. If
// either has already happened at the start, `abort` is not called: ask `over()` before you begin to
// wait.
//
// A peer that is waited for gets the whole time: if this computer held up the event loop meanwhile
// (Clock::loop_stall_since), that much is added, up to as long again. The run's own deadline is not
// put off.
//
// After the wait, what has arrived meanwhile counts first: look for it, and then ask `over()`.
//
//   Guard guard(scope, deadline, [&] { socket.cancel(); });
//   if (guard.over()) co_return guard.failure();
//   const auto [error, size] = co_await socket.async_receive(buffer, as_tuple(use_awaitable));
//   if (guard.over()) co_return guard.failure();
class Guard {
 public:
  Guard(Scope scope, Instant deadline, std::function<void()> abort);
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  bool over() const { return fired_ != Fired::no; }
  Failure failure() const;  // timed_out or stopped; only where over()

 private:
  enum class Fired { no, deadline, stop };
  void fire(Fired why);
  void time_is_up();

  Clock& clock_;
  StopSignal& stop_;
  Instant begin_, deadline_;
  Milliseconds added_{0};
  Fired fired_ = Fired::no;
  std::function<void()> abort_;
  std::optional<StopSignal::Handle> subscription_;
  std::unique_ptr<Clock::Timer> timer_;
};

// A scope for what must still be done when the run is over, such as giving back a TURN allocation:
// what waits in it is woken not by the stop of the run, but `allowed` after it. Make it before the
// wait begins; if it is made after the stop, the time counts from then.
//
//   CleanupScope cleanup(context.scope, timeouts::deallocate);
//   co_await measure(context.scope);             // ends when the run stops
//   co_await deallocate(cleanup.scope());        // may still take deallocate
class CleanupScope {
 public:
  CleanupScope(Scope run, milliseconds allowed);
  ~CleanupScope();
  CleanupScope(const CleanupScope&) = delete;
  CleanupScope& operator=(const CleanupScope&) = delete;

  Scope scope() { return {clock_, end_}; }

 private:
  void run_stopped();

  Clock& clock_;
  StopSignal& run_;
  StopSignal end_;
  milliseconds allowed_;
  std::optional<StopSignal::Handle> subscription_;
  std::unique_ptr<Clock::Timer> timer_;
};

// Waits until `when`. False where the run was stopped first.
asio::awaitable<bool> sleep_until(asio::any_io_executor executor, Scope scope, Instant when);

}  // namespace callready
