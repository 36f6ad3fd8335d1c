// How long a loop was held up, from beats that came late.
#include "probe/net/loop_stalls.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/loop.hpp"

namespace callready {
namespace {

using std::chrono::milliseconds;

struct LatenessTest : testing::Test {
  const LoopStalls::Instant start{std::chrono::hours(1'000)};
  LoopStalls loop_stalls{start};
  LoopStalls::Instant at(int ms) const { return start + milliseconds(ms); }
};

TEST_F(LatenessTest, BeatsInTimeAreNone) {
  loop_stalls.beat(at(10));
  loop_stalls.beat(at(24));  // as late as timers are
  EXPECT_EQ(loop_stalls.due(), at(34));
  EXPECT_EQ(loop_stalls.between(start, at(34)), milliseconds(0));
}

TEST_F(LatenessTest, StallsAddUp) {
  loop_stalls.beat(at(110));
  loop_stalls.beat(at(120));
  loop_stalls.beat(at(330));
  EXPECT_EQ(loop_stalls.between(start, at(330)), milliseconds(300));
  EXPECT_EQ(loop_stalls.between(at(115), at(330)), milliseconds(200));
  EXPECT_EQ(loop_stalls.between(at(330), at(335)), milliseconds(0));
}

TEST_F(LatenessTest, OnlyThePartThatIsAskedForCounts) {
  loop_stalls.beat(at(110));
  EXPECT_EQ(loop_stalls.between(at(60), at(110)), milliseconds(50));
}

TEST_F(LatenessTest, WhatStillLastsCounts) {
  loop_stalls.beat(at(10));
  EXPECT_EQ(loop_stalls.between(start, at(25)), milliseconds(0));
  EXPECT_EQ(loop_stalls.between(start, at(220)), milliseconds(200));
  EXPECT_EQ(loop_stalls.between(at(200), at(220)), milliseconds(20));
}

// On a real loop: it is busy for a while, and the clock knows.
TEST(Clock, KnowsForHowLongTheLoopWasHeldUp) {
  test::Loop loop;
  const auto nothing = loop.clock.now();
  EXPECT_EQ(loop.clock.loop_stall_since(nothing).count(), 0) << "nobody watches yet";
  loop.system_clock.watch_stalls();
  const auto start = loop.clock.now();
  asio::post(loop.context, [] { std::this_thread::sleep_for(milliseconds(200)); });
  loop.run(sleep_until(loop.executor(), loop.scope, loop.soon(milliseconds(50))));
  EXPECT_GE(loop.clock.loop_stall_since(start), milliseconds(180));
  EXPECT_LE(loop.clock.loop_stall_since(start), elapsed(start, loop.clock.now()));
}

}  // namespace
}  // namespace callready
