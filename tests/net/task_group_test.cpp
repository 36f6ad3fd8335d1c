#include "probe/net/task_group.hpp"

#include <gtest/gtest.h>

#include "probe/net/guard.hpp"
#include "tests/support/loop.hpp"

namespace callready {
namespace {

asio::awaitable<void> note(std::vector<int>& seen, int number) {
  seen.push_back(number);
  co_return;
}

asio::awaitable<void> fail() {
  throw std::runtime_error("a bug");
  co_return;
}

TEST(TaskGroup, WaitsForAllAndKeepsWhatWasThrown) {
  test::Loop loop;
  std::vector<int> seen;
  TaskGroup group(loop.executor());
  EXPECT_TRUE(group.start([&] { return fail(); }));
  EXPECT_TRUE(group.start([&] { return note(seen, 1); }));
  EXPECT_EQ(group.running(), 2u);
  EXPECT_TRUE(loop.run(group.ended()));
  EXPECT_EQ(seen, std::vector<int>{1});
  EXPECT_EQ(group.running(), 0u);
  EXPECT_FALSE(loop.run(group.ended())) << "it is told once";
}

TEST(TaskGroup, KeepsWhyOneCouldNotBeStarted) {
  test::Loop loop;
  TaskGroup group(loop.executor());
  const auto refuse = []() -> asio::awaitable<void> { throw std::bad_alloc(); };
  EXPECT_FALSE(group.start(refuse));
  EXPECT_EQ(group.running(), 0u);
  EXPECT_TRUE(loop.run(group.ended()));
}

}  // namespace
}  // namespace callready
