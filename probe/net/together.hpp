// Several pieces of work at once, all awaited, like operator&& of awaitables but without its
// cancellation; and two in turn.
#pragma once

#include <exception>
#include <utility>
#include <vector>

#include "probe/net/task_group.hpp"

namespace callready {

// Runs all of `work` on `executor` and returns the results in the order of the work, once every
// piece has ended. Does not end the work early: each piece keeps its own deadline. An exception (a
// bug) of one piece is thrown after all have ended.
template <typename T>
asio::awaitable<std::vector<T>> together(asio::any_io_executor executor,
                                         std::vector<asio::awaitable<T>> work) {
  struct Piece {
    static asio::awaitable<void> run(asio::awaitable<T> piece, std::vector<T>& results,
                                     std::size_t index) {
      results[index] = co_await std::move(piece);
    }
  };
  std::vector<T> results(work.size());
  TaskGroup pieces(executor);
  for (std::size_t i = 0; i < work.size(); ++i) {
    pieces.start([&] { return Piece::run(std::move(work[i]), results, i); });
  }
  co_await pieces.join();
  co_return std::move(results);
}

// `work`, then `cleanup`, which waits for what `work` or its caller has started: also where `work`
// throws, and that is thrown afterwards.
inline asio::awaitable<void> in_turn(asio::awaitable<void> work, asio::awaitable<void> cleanup) {
  std::exception_ptr thrown;
  try {
    co_await std::move(work);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await std::move(cleanup);
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace callready
