// Coroutines that run beside the one that starts them, and are owned: whoever starts one waits for
// it, and what it throws is not lost.
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
  // Counts its coroutine out when that ends, and also when its frame is destroyed before: it does
  // not matter how the end comes.
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

  // Starts the coroutine that `make` returns; `make` is called at once. False where that goes
  // wrong: why is kept for ended(), as what a coroutine throws.
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

  // Once all have ended: the first exception of those that were thrown since it was last asked.
  // Each ends by itself; the stop of the run must reach it. Never throws; where there is no memory
  // left to wait with, it is the end of the program (std::terminate).
  asio::awaitable<std::exception_ptr> ended() const {
    const auto state = state_;
    int failed = 0;
    while (state->running > 0) {
      try {
        co_await state->wake.async_wait(asio::as_tuple(asio::use_awaitable));
      } catch (...) {
        // No memory to wait with; whoever left now would leave others behind that know its frame.
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
