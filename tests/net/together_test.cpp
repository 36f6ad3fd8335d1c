#include "probe/net/together.hpp"

#include "tests/support/loop.hpp"

namespace callready {
namespace {

asio::awaitable<int> after(test::Loop& loop, milliseconds wait, int value) {
  co_await sleep_until(loop.executor(), loop.scope, loop.clock.now() + wait);
  co_return value;
}

asio::awaitable<int> broken() {
  throw std::runtime_error("a bug");
  co_return 0;
}

TEST(Together, KeepsTheOrderWhoeverEndsFirst) {
  test::Loop loop;
  std::vector<asio::awaitable<int>> work;
  work.push_back(after(loop, milliseconds(30), 1));
  work.push_back(after(loop, milliseconds(0), 2));
  work.push_back(after(loop, milliseconds(15), 3));
  const auto results = loop.run(together(loop.executor(), std::move(work)));
  EXPECT_EQ(results, (std::vector<int>{1, 2, 3}));
}

TEST(Together, OfNothingEnds) {
  test::Loop loop;
  EXPECT_TRUE(loop.run(together(loop.executor(), std::vector<asio::awaitable<int>>())).empty());
}

asio::awaitable<void> note(std::vector<int>& seen, int number, bool fails) {
  seen.push_back(number);
  if (fails) throw std::runtime_error("a bug");
  co_return;
}

asio::awaitable<bool> ended_well(asio::awaitable<void> work) {
  try {
    co_await std::move(work);
    co_return true;
  } catch (const std::runtime_error&) {
    co_return false;
  }
}

TEST(InTurn, CleansUpWhateverHappens) {
  test::Loop loop;
  for (const bool fails : {false, true}) {
    std::vector<int> seen;
    auto both = in_turn(note(seen, 1, fails), note(seen, 2, false));
    EXPECT_EQ(loop.run(ended_well(std::move(both))), !fails);
    EXPECT_EQ(seen, (std::vector<int>{1, 2}));
  }
}

TEST(Together, ThrowsAfterAllHaveEnded) {
  test::Loop loop;
  std::vector<asio::awaitable<int>> work;
  work.push_back(broken());
  work.push_back(after(loop, milliseconds(5), 2));
  EXPECT_THROW(loop.run(together(loop.executor(), std::move(work))), std::runtime_error);
}

}  // namespace
}  // namespace callready
