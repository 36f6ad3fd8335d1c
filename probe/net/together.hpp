// Several pieces of work at once, all awaited: what operator&& of awaitables is for, without its
// cancellation.
#pragma once

#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "probe/net/asio.hpp"

namespace callready {

// Runs all of `work` on `executor` and returns the results in the order of the work, once every
// piece has ended. Does not end the work early: each piece keeps its own deadline. An exception (a
// bug) of one piece is thrown after all have ended.
template <typename T>
asio::awaitable<std::vector<T>> together(asio::any_io_executor executor,
                                         std::vector<asio::awaitable<T>> work) {
  struct State {
    explicit State(const asio::any_io_executor& on) : wake(on) {
      wake.expires_at(std::chrono::steady_clock::time_point::max());
    }
    asio::steady_timer wake;  // used as a condition
    std::vector<T> results;
    std::exception_ptr thrown;
    std::size_t pending = 0;
  };
  const auto state = std::make_shared<State>(executor);
  state->results.resize(work.size());
  state->pending = work.size();
  for (std::size_t i = 0; i < work.size(); ++i) {
    asio::co_spawn(executor, std::move(work[i]), [state, i](std::exception_ptr error, T result) {
      if (error && !state->thrown) state->thrown = error;
      if (!error) state->results[i] = std::move(result);
      if (--state->pending == 0) state->wake.cancel();
    });
  }
  while (state->pending > 0) {
    co_await state->wake.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (state->thrown) std::rethrow_exception(state->thrown);
  co_return std::move(state->results);
}

}  // namespace callready
