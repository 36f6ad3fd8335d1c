#include "probe/net/in_thread.hpp"

#include <atomic>

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
  struct Gate {
    std::mutex mutex;
    std::atomic<bool> ended = false;
  };
  const auto gate = std::make_shared<Gate>();
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

}  // namespace
}  // namespace callready
