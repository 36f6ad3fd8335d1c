// A library call that may block (Kerberos asks its servers by itself), on a thread of its own: the
// one bridge between such threads and the event loop.
#pragma once

#include <mutex>
#include <system_error>
#include <thread>

#include "probe/net/guard.hpp"
#include "probe/platform/descriptor.hpp"

namespace callready {

// The result of `work`, or timed_out or stopped: then the thread goes on by itself to its end and
// what it returns is destroyed there. `work` must own all that it touches.
template <typename T>
asio::awaitable<Result<T>> in_thread(asio::any_io_executor executor, std::function<T()> work,
                                     Scope scope, Instant deadline) {
  struct State {
    std::mutex mutex;
    std::optional<T> value;
  };
  int read_end = -1, write_end = -1;
  if (!platform::open_pipe(read_end, write_end)) {
    co_return classify(error_code(errno, boost::system::system_category()));
  }
  asio::posix::stream_descriptor ended(executor, read_end);
  const auto state = std::make_shared<State>();
  // The end of the pipe is the signal: closing it harms nobody where the loop is gone.
  std::function<void()> body = [state, work = std::move(work), write_end] {
    auto value = work();
    {
      const std::lock_guard lock(state->mutex);
      state->value.emplace(std::move(value));
    }
    platform::close_descriptor(write_end);
  };
  try {
    std::thread(std::move(body)).detach();
  } catch (const std::system_error& error) {
    platform::close_descriptor(write_end);
    co_return classify(error_code(error.code().value(), boost::system::system_category()));
  }
  Guard guard(scope, deadline, [&ended] { ended.cancel(); });
  // Asio may wake us for what a descriptor had that was closed meanwhile, and whose place ours
  // took.
  while (!guard.over()) {
    co_await ended.async_wait(asio::posix::stream_descriptor::wait_read,
                              asio::as_tuple(asio::use_awaitable));
    const std::lock_guard lock(state->mutex);
    if (state->value) co_return std::move(*state->value);
  }
  co_return guard.failure();
}

}  // namespace callready
