#include "probe/net/one_shot.hpp"

#include <gtest/gtest.h>

#include "tests/support/loop.hpp"

namespace callready {
namespace {

using test::Loop;
using test::Time;

TEST(OneShot, GivesAValueThatWasThereBefore) {
  Loop loop;
  const OneShot<int> shot(loop.executor());
  EXPECT_FALSE(shot.delivered());
  shot.deliver(1);
  shot.deliver(2);
  EXPECT_TRUE(shot.delivered());
  const auto result = loop.run(shot.wait(loop.scope, loop.soon()));
  ASSERT_FALSE(result.has_error());
  EXPECT_EQ(*result, 1) << "the first counts";
}

TEST(OneShot, WakesWhoWaits) {
  Loop loop(Time::by_hand);
  const OneShot<std::string> shot(loop.executor());
  const auto timer =
      loop.clock.call_at(loop.clock.now() + milliseconds(10), [shot] { shot.deliver("here"); });
  const auto start = loop.clock.now();
  const auto result = loop.run(shot.wait(loop.scope, loop.soon()));
  ASSERT_FALSE(result.has_error());
  EXPECT_EQ(*result, "here");
  EXPECT_EQ(loop.clock.now() - start, milliseconds(10));
}

TEST(OneShot, EndsAtTheDeadlineAndAtAStop) {
  Loop loop(Time::by_hand);
  const OneShot<int> shot(loop.executor());
  auto result = loop.run(shot.wait(loop.scope, loop.clock.now() + milliseconds(5)));
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().kind, FailureKind::timed_out);
  const auto timer =
      loop.clock.call_at(loop.clock.now() + milliseconds(5), [&] { loop.stop.stop(); });
  result = loop.run(shot.wait(loop.scope, loop.soon()));
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().kind, FailureKind::stopped);
}

TEST(OneShot, AValueThatComesTooLateHurtsNobody) {
  Loop loop(Time::by_hand);
  std::optional<OneShot<int>> shot(loop.executor());
  const auto callback = [copy = *shot] { copy.deliver(1); };
  const auto result = loop.run(shot->wait(loop.scope, loop.clock.now() + milliseconds(5)));
  EXPECT_TRUE(result.has_error());
  shot.reset();
  callback();
}

TEST(SleepUntil, SaysWhetherItSleptToTheEnd) {
  Loop loop(Time::by_hand);
  const auto end = loop.clock.now() + milliseconds(100);
  EXPECT_TRUE(loop.run(sleep_until(loop.executor(), loop.scope, end)));
  EXPECT_EQ(loop.clock.now(), end);
  EXPECT_TRUE(loop.run(sleep_until(loop.executor(), loop.scope, end))) << "it is past";
  loop.stop.stop();
  EXPECT_FALSE(loop.run(sleep_until(loop.executor(), loop.scope, loop.soon())));
}

}  // namespace
}  // namespace callready
