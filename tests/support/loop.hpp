// An event loop for one test: runs a coroutine to its end, on the system's clock, with the pieces
// that checks want. A test that hangs is ended by the bound, not by patience.
#pragma once

#include <gtest/gtest.h>

#include "probe/net/resolver.hpp"
#include "probe/net/tls.hpp"

namespace callready::test {

class Loop {
 public:
  asio::io_context context;
  SystemClock clock{context.get_executor()};
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
      if (context.run_one_until(bound) == 0) break;
    }
    if (thrown) std::rethrow_exception(thrown);
    if (!result) throw std::runtime_error("the coroutine did not end");
    return std::move(*result);
  }
};

}  // namespace callready::test
