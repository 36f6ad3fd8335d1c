// A library call that may block (Kerberos contacts its servers by itself), on a thread of its own:
// the one bridge between such threads and the event loop.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "probe/net/guard.hpp"
#include "probe/net/watched.hpp"
#include "probe/platform/descriptor.hpp"

namespace callready {

// Threads that were left behind and still run. While there are any, the program must exit with
// std::_Exit, which does not tear down what they use.
inline std::atomic<int>& threads_left_behind() {
  static std::atomic<int> count{0};
  return count;
}

// What the thread leaves: a value, or what it threw.
template <typename T>
struct ThreadResult {
  std::mutex mutex;
  std::optional<T> value;
  std::exception_ptr thrown;
  bool ended = false, left_behind = false;
};

// The thread of one call: joined if it has ended, otherwise left behind.
template <typename T>
class Thread {
 public:
  Thread(std::shared_ptr<ThreadResult<T>> result, std::function<void()> body)
      : result_(std::move(result)), thread_(std::move(body)) {}
  ~Thread() {
    bool ended = false;
    {
      const std::lock_guard lock(result_->mutex);
      ended = result_->ended;
      result_->left_behind = !ended;
      if (!ended) ++threads_left_behind();
    }
    if (ended) {
      thread_.join();
    } else {
      thread_.detach();
    }
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

 private:
  std::shared_ptr<ThreadResult<T>> result_;
  std::thread thread_;
};

// The result of `work`, or timed_out or stopped: then the thread runs on to its end by itself, and
// what it returns is destroyed there. `work` must own all that it touches. What it throws is
// rethrown here.
template <typename T>
asio::awaitable<Result<T>> in_thread(asio::any_io_executor executor, std::function<T()> work,
                                     Scope scope, Instant deadline) {
  int read_end = -1, write_end = -1;
  if (!platform::open_pipe(read_end, write_end)) {
    co_return classify(error_code(errno, boost::system::system_category()));
  }
  platform::OwnedDescriptor reading(read_end), writing(write_end);
  Watched ended(executor, reading.get());
  reading.release();
  const auto result = std::make_shared<ThreadResult<T>>();
  // Closing the pipe is the signal: it does no harm if the loop is gone.
  std::function<void()> body = [result, work = std::move(work), write_end] {
    std::optional<T> value;
    std::exception_ptr thrown;
    try {
      value.emplace(work());
    } catch (...) {
      thrown = std::current_exception();
    }
    {
      const std::lock_guard lock(result->mutex);
      result->value = std::move(value);
      result->thrown = std::move(thrown);
      result->ended = true;
      if (result->left_behind) --threads_left_behind();
    }
    platform::close_descriptor(write_end);
  };
  std::optional<Thread<T>> thread;
  try {
    thread.emplace(result, std::move(body));
  } catch (const std::system_error& error) {
    co_return classify(error_code(error.code().value(), boost::system::system_category()));
  }
  writing.release();
  Guard guard(scope, deadline, [&ended] { ended.cancel(); });
  // Asio may wake us for an event of a descriptor that was closed meanwhile, and whose number ours
  // reused.
  while (!guard.over()) {
    co_await ended.async_wait(Watched::wait_read, asio::as_tuple(asio::use_awaitable));
    const std::lock_guard lock(result->mutex);
    if (result->thrown) std::rethrow_exception(result->thrown);
    if (result->value) co_return std::move(*result->value);
  }
  co_return guard.failure();
}

}  // namespace callready
