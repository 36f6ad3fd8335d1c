#include "probe/model/observation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace callready {
namespace {

TEST(AsWritten, MomentsAreWholeMillisecondsAndTimesAThousandthOfOne) {
  using namespace std::chrono_literals;
  Observation seen;
  seen.sent_at = WallTime(123'456'789us);
  seen.round_trip = Milliseconds(41.234'567);
  seen.timing_ms = {{Timing::connect, 20.000'49}, {Timing::tls, -0.000'01}};
  const auto written = as_written(seen);
  EXPECT_EQ(*written.sent_at, WallTime(123'456ms));
  EXPECT_EQ(written.round_trip->count(), 41.235);
  EXPECT_EQ(written.timing_ms.at(Timing::connect), 20.0);
  EXPECT_FALSE(std::signbit(written.timing_ms.at(Timing::tls)));
  EXPECT_EQ(as_written(written).round_trip, written.round_trip) << "once is enough";
}

TEST(AsWritten, WhatHasNoThousandthsStays) {
  for (const double took : {1e15 + 1, std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(as_written(Milliseconds(took)).count(), took);
  }
}

}  // namespace
}  // namespace callready
