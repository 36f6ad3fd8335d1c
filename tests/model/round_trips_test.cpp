#include "probe/model/round_trips.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

TEST(RoundTrips, OfNobodyAreNotKnown) { EXPECT_FALSE(RoundTrips().timeout()); }

// RFC 6298 section 2.2 and 2.3, with its alpha of 1/8 and beta of 1/4.
TEST(RoundTrips, AreSmoothedAsTcpSmoothsThem) {
  RoundTrips trips;
  trips.add(Milliseconds(40));
  EXPECT_DOUBLE_EQ(trips.timeout()->count(), 40 + 4 * 20.0);
  trips.add(Milliseconds(80));
  EXPECT_DOUBLE_EQ(trips.timeout()->count(), 45 + 4 * 25.0);
}

TEST(RoundTrips, WhatIsAlikeIsTrustedAndWhatVariesIsNot) {
  RoundTrips alike, varying;
  for (int i = 0; i < 20; ++i) {
    alike.add(Milliseconds(40));
    varying.add(Milliseconds(i % 2 == 0 ? 10 : 300));
  }
  EXPECT_LT(*alike.timeout(), Milliseconds(50));
  EXPECT_GT(*varying.timeout(), Milliseconds(500));
}

}  // namespace
}  // namespace callready
