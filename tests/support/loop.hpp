// An event loop for one test: runs a coroutine to its end, on the system's clock, with the pieces
// that checks need. A test that hangs is ended by the bound, not by patience.
#pragma once

#include <gtest/gtest.h>

#include "probe/net/resolver.hpp"
#include "probe/net/tls.hpp"
#include "tests/support/manual_clock.hpp"

namespace callready::test {

// By hand: time stands still while anything happens, and jumps to the next timer when nothing does.
// For tests that wait long for silence; the peers must be in this process or on loopback.
enum class Time { real, by_hand };

class Loop {
  std::unique_ptr<ManualClock> manual_;

 public:
  explicit Loop(Time time = Time::real)
      : manual_(time == Time::by_hand ? std::make_unique<ManualClock>() : nullptr) {}

  asio::io_context context;
  SystemClock system_clock{context.get_executor()};
  Clock& clock{manual_ ? static_cast<Clock&>(*manual_) : system_clock};
  StopSignal stop;
  Scope scope{clock, stop};

  asio::any_io_executor executor() { return context.get_executor(); }
  Instant soon(milliseconds in = milliseconds(10'000)) const { return clock.now() + in; }

  // Runs until the coroutine has ended; servers spawned on the same loop go on meanwhile.
  template <typename T>
  T run(asio::awaitable<T> work) {
    std::optional<T> result;
    std::exception_ptr thrown;
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr error, T value) {
      thrown = error;
      if (!error) result.emplace(std::move(value));
    });
    const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    context.restart();
    while (!result && !thrown && std::chrono::steady_clock::now() < bound) {
      if (context.run_one_until(manual_ ? until_idle() : bound) != 0) continue;
      // Those 30 ms may have passed while another process had the processor.
      if (manual_ && context.poll_one() != 0) continue;
      if (!manual_ || !manual_->advance_to_next()) break;
      context.restart();
    }
    if (thrown) std::rethrow_exception(thrown);
    if (!result) throw std::runtime_error("the coroutine did not end");
    return std::move(*result);
  }

 private:
  // Longer than loopback needs, even with another process on this processor.
  static std::chrono::steady_clock::time_point until_idle() {
    return std::chrono::steady_clock::now() + milliseconds(30);
  }
};

}  // namespace callready::test
