#include "probe/util/token_bucket.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

using Time = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

TEST(TokenBucket, LetsPassASecondsWorthAtOnceAndTheRateAfterThat) {
  TokenBucket<Time> bucket;
  const Time start;
  int passed = 0;
  for (int i = 0; i < 100; ++i) passed += bucket.take(1, 10, start) ? 1 : 0;
  EXPECT_EQ(passed, 10);
  for (int i = 1; i <= 100; ++i) {
    passed += bucket.take(1, 10, start + milliseconds(50 * i)) ? 1 : 0;
  }
  EXPECT_EQ(passed, 60) << "10, and 10 in each of five seconds";
  EXPECT_EQ(bucket.last_asked(), start + milliseconds(5'000));
}

TEST(TokenBucket, KeepsNoMoreThanASecondsWorth) {
  TokenBucket<Time> bucket;
  EXPECT_TRUE(bucket.has(1'000, 1'000, Time())) << "which takes nothing";
  EXPECT_TRUE(bucket.take(1'000, 1'000, Time()));
  EXPECT_FALSE(bucket.has(1, 1'000, Time()));
  EXPECT_FALSE(bucket.take(1'001, 1'000, Time() + milliseconds(60'000)));
  EXPECT_TRUE(bucket.take(1'000, 1'000, Time() + milliseconds(60'000)));
}

TEST(TokenBucket, IsNotEmptiedForeverByAClockThatGoesBack) {
  TokenBucket<Time> bucket;
  EXPECT_TRUE(bucket.take(10, 10, Time() + milliseconds(60'000)));
  EXPECT_TRUE(bucket.take(10, 10, Time() + milliseconds(1'000)));
}

}  // namespace
}  // namespace callready
