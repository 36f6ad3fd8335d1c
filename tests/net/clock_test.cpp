#include "probe/net/clock.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace callready {
namespace {

using Timer = std::unique_ptr<Clock::Timer>;

struct Clocked : testing::Test {
  asio::io_context loop;
  SystemClock clock{loop.get_executor()};
  Instant now = clock.now();
  std::vector<int> called;

  Timer note(int number, milliseconds in) {
    return clock.call_at(now + in, [this, number] { called.push_back(number); });
  }
};

TEST_F(Clocked, CallsInTheOrderOfTheirTimes) {
  const auto third = note(3, milliseconds(30));
  const auto first = note(1, milliseconds(-5));
  const auto second = note(2, milliseconds(2));
  const auto same = note(4, milliseconds(30));
  EXPECT_TRUE(called.empty()) << "by way of the event loop only";
  loop.run();
  EXPECT_EQ(called, (std::vector<int>{1, 2, 3, 4}));
  EXPECT_GE(clock.now(), now + milliseconds(30));
}

TEST_F(Clocked, ATimerThatDiesIsNotCalledNorWaitedFor) {
  auto first = note(1, milliseconds(1));
  const auto second = note(2, milliseconds(2));
  first.reset();
  loop.run();
  EXPECT_EQ(called, std::vector<int>{2});
  auto hour = note(3, std::chrono::hours(1));
  hour.reset();
  loop.restart();
  loop.run();  // else it would take an hour
  EXPECT_EQ(called, std::vector<int>{2});
}

TEST_F(Clocked, ACallMayEndAnyTimerAndBeginOthers) {
  std::vector<Timer> timers(4);
  timers[0] = clock.call_at(now, [&] {
    called.push_back(0);
    timers[1].reset();
    timers[0].reset();  // itself
    timers[3] = note(3, milliseconds(0));
  });
  timers[1] = note(1, milliseconds(0));
  timers[2] = note(2, milliseconds(0));
  loop.run();
  EXPECT_EQ(called, (std::vector<int>{0, 2, 3}));
}

TEST_F(Clocked, AnEarlierOneIsNotLateForALaterOne) {
  const auto later = note(2, std::chrono::hours(1));
  const auto earlier = note(1, milliseconds(1));
  while (called.empty()) loop.run_one();
  EXPECT_EQ(called, std::vector<int>{1});
}

TEST(SystemClock, TimersThatAreLeftDoNotOutliveTheirLoop) {
  asio::io_context loop;
  SystemClock clock(loop.get_executor());
  bool called = false;
  const auto timer = clock.call_at(clock.now(), [&] { called = true; });
  loop.stop();
  loop.run();
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace callready
