// Coroutines that run in parallel with the one that starts them, and are owned: whoever starts one
// waits for it, and what it throws is not lost.
#pragma once

#include <exception>
#include <memory>
#include <utility>

#include "probe/net/asio.hpp"

namespace callready {

// A handle: copies are the same group.
class TaskGroup {
  struct State {
    explicit State(const asio::any_io_executor& executor) : wake(executor) {
      wake.expires_at(std::chrono::steady_clock::time_point::max());
    }
    void keep(std::exception_ptr error) noexcept {
      if (!thrown) thrown = std::move(error);
    }
    asio::steady_timer wake;  // used as a condition: cancelled when the last has ended
    std::size_t running = 0;
    std::exception_ptr thrown;
  };
  // Counts its coroutine out when that ends, and also if its frame is destroyed before that.
  class Ticket {
   public:
    explicit Ticket(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {
      ++state_->running;
    }
    Ticket(Ticket&&) noexcept = default;
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (!state_ || --state_->running > 0) return;
      try {
        state_->wake.cancel();
      } catch (...) {
        state_->keep(std::current_exception());
      }
    }
    void operator()(std::exception_ptr error) noexcept {
      if (error) state_->keep(std::move(error));
    }

   private:
    std::shared_ptr<State> state_;
  };

 public:
  explicit TaskGroup(const asio::any_io_executor& executor)
      : executor_(executor), state_(std::make_shared<State>(executor)) {}

  // Starts the coroutine that `make` returns; `make` is called at once. False if that fails: the
  // reason is kept for ended(), like an exception of a coroutine.
  template <typename Make>
  bool start(Make make) noexcept {
    try {
      asio::co_spawn(executor_, make(), Ticket(state_));
      return true;
    } catch (...) {
      state_->keep(std::current_exception());
      return false;
    }
  }

  std::size_t running() const { return state_->running; }

  // Waits until all have ended. Returns the first exception that was thrown since the last call.
  // Each ends by itself; the stop of the run must reach it. Never throws; if there is no memory
  // left to wait with, it ends the program (std::terminate).
  asio::awaitable<std::exception_ptr> ended() const {
    const auto state = state_;
    int failed = 0;
    while (state->running > 0) {
      try {
        co_await state->wake.async_wait(asio::as_tuple(asio::use_awaitable));
      } catch (...) {
        // No memory to wait with; a caller that went on now would leave coroutines behind that
        // refer to its frame.
        state->keep(std::current_exception());
        if (++failed == most_failures) std::terminate();
      }
    }
    co_return std::exchange(state->thrown, nullptr);
  }

  // The same, and that exception is thrown here.
  asio::awaitable<void> join() const {
    const auto thrown = co_await ended();
    if (thrown) std::rethrow_exception(thrown);
  }

 private:
  static constexpr int most_failures = 1'000;
  asio::any_io_executor executor_;
  std::shared_ptr<State> state_;
};

}  // namespace callready
