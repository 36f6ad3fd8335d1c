#include "probe/net/guard.hpp"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.hpp"

namespace callready {
namespace {

using test::ManualClock;

struct GuardTest : testing::Test {
  ManualClock clock;
  StopSignal stop;
  Scope scope{clock, stop};
  int aborted = 0;
  std::function<void()> abort = [this] { ++aborted; };
};

TEST_F(GuardTest, AbortsOnceAtTheDeadline) {
  Guard guard(scope, clock.now() + milliseconds(100), abort);
  clock.advance(milliseconds(99));
  EXPECT_FALSE(guard.over());
  clock.advance(milliseconds(1));
  EXPECT_TRUE(guard.over());
  EXPECT_EQ(guard.failure().kind, FailureKind::timed_out);
  stop.stop();
  EXPECT_EQ(aborted, 1);
}

TEST_F(GuardTest, AbortsWhenTheRunStops) {
  Guard first(scope, clock.now() + milliseconds(100), abort);
  Guard second(scope, clock.now() + milliseconds(100), abort);
  stop.stop();
  EXPECT_EQ(aborted, 2);
  EXPECT_EQ(first.failure().kind, FailureKind::stopped);
}

TEST_F(GuardTest, DoesNotAbortWhatEnded) {
  { Guard guard(scope, clock.now() + milliseconds(100), abort); }
  clock.advance(milliseconds(200));
  stop.stop();
  EXPECT_EQ(aborted, 0);
  EXPECT_EQ(clock.waiting(), 0u);
}

TEST_F(GuardTest, IsOverAtOnceWithoutAbortWhereTooLate) {
  Guard past(scope, clock.now(), abort);
  EXPECT_TRUE(past.over());
  stop.stop();
  Guard after(scope, clock.now() + milliseconds(1), abort);
  EXPECT_EQ(after.failure().kind, FailureKind::stopped);
  EXPECT_EQ(aborted, 0);
}

TEST_F(GuardTest, WhoIsWaitedForHasTheTimeThatWeWereLate) {
  Guard guard(scope, clock.now() + milliseconds(1'000), abort);
  clock.advance(milliseconds(100));
  clock.be_late(milliseconds(600));
  clock.advance(milliseconds(899));
  EXPECT_FALSE(guard.over());
  clock.advance(milliseconds(1));
  EXPECT_EQ(guard.failure().kind, FailureKind::timed_out);
  EXPECT_EQ(aborted, 1);
}

TEST_F(GuardTest, WhatIsLateForAllOfItIsAddedOnce) {
  Guard guard(scope, clock.now() + milliseconds(1'000), abort);
  clock.be_late(milliseconds(1'500));
  clock.advance(milliseconds(0));
  EXPECT_FALSE(guard.over()) << "what came meanwhile has not been looked at yet";
  clock.be_late(milliseconds(499));
  clock.advance(milliseconds(0));
  EXPECT_FALSE(guard.over());
  clock.advance(milliseconds(1));
  EXPECT_EQ(guard.failure().kind, FailureKind::timed_out);
}

TEST_F(GuardTest, ASecondStallIsAddedAsWell) {
  Guard guard(scope, clock.now() + milliseconds(1'000), abort);
  clock.be_late(milliseconds(200));
  clock.advance(milliseconds(900));
  clock.be_late(milliseconds(200));
  clock.advance(milliseconds(99));
  EXPECT_FALSE(guard.over());
  clock.advance(milliseconds(1));
  EXPECT_EQ(guard.failure().kind, FailureKind::timed_out);
}

TEST_F(GuardTest, AStallBeforeItIsNotItsOwn) {
  clock.be_late(milliseconds(600));
  Guard guard(scope, clock.now() + milliseconds(1'000), abort);
  clock.advance(milliseconds(1'000));
  EXPECT_TRUE(guard.over());
}

TEST_F(GuardTest, TheEndOfTheRunIsNotPutOff) {
  Guard guard(scope, clock.now() + milliseconds(1'000), abort);
  clock.be_late(milliseconds(1'000));
  clock.advance(milliseconds(10));
  stop.stop();
  EXPECT_EQ(guard.failure().kind, FailureKind::stopped);
}

TEST_F(GuardTest, ACallbackMayEndOtherGuards) {
  std::optional<Guard> second;
  Guard first(scope, clock.now() + milliseconds(100), [&] { second.reset(); });
  second.emplace(scope, clock.now() + milliseconds(100), abort);
  stop.stop();
  EXPECT_EQ(aborted, 0);
}

TEST_F(GuardTest, ACleanupScopeOutlivesTheStopByWhatIsAllowed) {
  CleanupScope cleanup(scope, milliseconds(50));
  Guard guard(cleanup.scope(), clock.now() + milliseconds(1'000), abort);
  stop.stop();
  Guard later(cleanup.scope(), clock.now() + milliseconds(1'000), abort);
  clock.advance(milliseconds(49));
  EXPECT_FALSE(guard.over());
  EXPECT_FALSE(later.over());
  clock.advance(milliseconds(1));
  EXPECT_EQ(guard.failure().kind, FailureKind::stopped);
  EXPECT_EQ(later.failure().kind, FailureKind::stopped);
  EXPECT_EQ(aborted, 2);
}

TEST_F(GuardTest, AnInnerScopeEndsAtItsDeadlineAndLeavesTheOuterOneAlone) {
  InnerScope inner(scope, clock.now() + milliseconds(50));
  Guard within(inner.scope(), clock.now() + milliseconds(1'000), abort);
  Guard outside(scope, clock.now() + milliseconds(1'000), abort);
  clock.advance(milliseconds(49));
  EXPECT_FALSE(within.over());
  clock.advance(milliseconds(1));
  EXPECT_EQ(within.failure().kind, FailureKind::stopped);
  EXPECT_FALSE(outside.over());
}

TEST_F(GuardTest, AnInnerScopeEndsWithTheOuterOne) {
  InnerScope inner(scope);
  Guard within(inner.scope(), clock.now() + milliseconds(1'000), abort);
  stop.stop();
  EXPECT_EQ(within.failure().kind, FailureKind::stopped);
  EXPECT_TRUE(InnerScope(scope).scope().stop.stopped()) << "one made later, too";
}

TEST_F(GuardTest, AnInnerScopeThatIsGoneIsNotCalled) {
  { InnerScope inner(scope, clock.now() + milliseconds(50)); }
  EXPECT_EQ(clock.waiting(), 0u);
  stop.stop();
}

TEST_F(GuardTest, ACleanupScopeMadeAfterTheStopStillHasItsTime) {
  stop.stop();
  CleanupScope cleanup(scope, milliseconds(50));
  Guard guard(cleanup.scope(), clock.now() + milliseconds(1'000), abort);
  EXPECT_FALSE(guard.over());
  clock.advance(milliseconds(50));
  EXPECT_TRUE(guard.over());
}

TEST_F(GuardTest, ACleanupScopeWithoutAStopKeepsDeadlines) {
  {
    CleanupScope cleanup(scope, milliseconds(50));
    Guard guard(cleanup.scope(), clock.now() + milliseconds(1'000), abort);
    clock.advance(milliseconds(1'000));
    EXPECT_EQ(guard.failure().kind, FailureKind::timed_out);
  }
  stop.stop();
  EXPECT_EQ(clock.waiting(), 0u) << "what is gone is not called";
}

}  // namespace
}  // namespace callready
