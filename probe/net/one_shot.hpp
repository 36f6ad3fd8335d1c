// A value that arrives once, from a callback of c-ares, curl or GLib, to a coroutine that waits.
// The callback holds a copy, so that a coroutine which gave up leaves nothing dangling.
#pragma once

#include <memory>

#include "probe/net/guard.hpp"

namespace callready {

template <typename T>
class OneShot {
  struct State {
    explicit State(const asio::any_io_executor& executor) : wake(executor) {
      wake.expires_at(std::chrono::steady_clock::time_point::max());
    }
    asio::steady_timer wake;  // used as a condition: cancelled when the value is there
    std::optional<T> value;
  };

 public:
  explicit OneShot(const asio::any_io_executor& executor)
      : state_(std::make_shared<State>(executor)) {}

  // The first value counts; later ones are dropped.
  void deliver(T value) const {
    if (state_->value) return;
    state_->value.emplace(std::move(value));
    state_->wake.cancel();
  }

  bool delivered() const { return state_->value.has_value(); }

  // The value, or timed_out or stopped.
  asio::awaitable<Result<T>> wait(Scope scope, Instant deadline) const {
    const auto state = state_;
    Guard guard(scope, deadline, [state] { state->wake.cancel(); });
    while (!state->value && !guard.over()) {
      co_await state->wake.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (!state->value) co_return guard.failure();
    co_return std::move(*state->value);
  }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace callready
