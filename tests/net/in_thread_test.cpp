#include "probe/net/in_thread.hpp"

#include <unistd.h>

#include <atomic>
#include <future>

#include "tests/support/loop.hpp"

namespace callready {
namespace {

TEST(InThread, GivesTheResult) {
  test::Loop loop;
  const auto here = std::this_thread::get_id();
  const std::function<bool()> work = [here] { return std::this_thread::get_id() != here; };
  const auto result = loop.run(in_thread(loop.executor(), work, loop.scope, loop.soon()));
  ASSERT_FALSE(result.has_error());
  EXPECT_TRUE(*result) << "on another thread";
}

TEST(InThread, IsLeftBehindWhereItBlocks) {
  test::Loop loop;
  struct Semaphore {
    std::mutex mutex;
    std::atomic<bool> ended = false;
  };
  const auto gate = std::make_shared<Semaphore>();
  gate->mutex.lock();
  const std::function<int()> work = [gate] {
    const std::lock_guard lock(gate->mutex);
    gate->ended = true;
    return 1;
  };
  auto result = loop.run(in_thread(loop.executor(), work, loop.scope, loop.soon(milliseconds(50))));
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().kind, FailureKind::timed_out);
  loop.stop.stop();
  result = loop.run(in_thread(loop.executor(), work, loop.scope, loop.soon()));
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().kind, FailureKind::stopped);
  gate->mutex.unlock();
  while (!gate->ended) std::this_thread::yield();
}

// A pipe with something in it.
asio::posix::stream_descriptor readable(const asio::any_io_executor& executor, int& write_end) {
  int read_end = -1;
  EXPECT_TRUE(platform::open_pipe(read_end, write_end));
  EXPECT_EQ(write(write_end, "x", 1), 1);
  return asio::posix::stream_descriptor(executor, read_end);
}

TEST(InThread, IsNotEndedByWhatADescriptorHadThatWasClosed) {
  test::Loop loop;
  int write_ends[2] = {-1, -1};
  std::vector<asio::posix::stream_descriptor> pipes;
  for (auto& write_end : write_ends) pipes.push_back(readable(loop.executor(), write_end));
  std::promise<int> given;
  const auto promised = given.get_future().share();
  const std::function<int()> work = [promised] { return promised.get(); };
  std::optional<Result<int>> result;
  // Both are ready at once: the first one's handler closes the other, whose place the thread's pipe
  // takes before the other's event is looked at.
  bool begun = false;
  for (std::size_t i = 0; i < 2; ++i) {
    pipes[i].async_wait(asio::posix::stream_descriptor::wait_read, [&, i](error_code error) {
      if (error || std::exchange(begun, true)) return;
      pipes[1 - i].close();
      asio::co_spawn(loop.executor(), in_thread(loop.executor(), work, loop.scope, loop.soon()),
                     [&](std::exception_ptr, Result<int> ended) { result = std::move(ended); });
    });
  }
  const bool slept =
      loop.run(sleep_until(loop.executor(), loop.scope, loop.clock.now() + milliseconds(20)));
  EXPECT_TRUE(slept);
  EXPECT_TRUE(begun);
  EXPECT_FALSE(result) << "nothing has come of it yet";
  given.set_value(7);
  for (int tries = 0; !result && tries < 1'000; ++tries) {
    loop.run(sleep_until(loop.executor(), loop.scope, loop.clock.now() + milliseconds(5)));
  }
  ASSERT_TRUE(result);
  ASSERT_FALSE(result->has_error());
  EXPECT_EQ(**result, 7);
  for (const auto write_end : write_ends) platform::close_descriptor(write_end);
}

}  // namespace
}  // namespace callready
