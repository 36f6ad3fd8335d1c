#include "probe/platform/route.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

TEST(Route, LeadsToThisComputerOverLoopback) {
  const auto way = platform::way_to(IpAddress::v4({127, 0, 0, 1}));
  ASSERT_TRUE(way);
  EXPECT_EQ(way->interface, "lo");
  EXPECT_FALSE(way->gateway);
  EXPECT_EQ(way->source, IpAddress::v4({127, 0, 0, 1}));
}

TEST(Route, SaysNothingOfWhatHasNone) {
  // 240/4 is reserved (RFC 1112 section 4); a default route may lead there all the same.
  const auto way = platform::way_to(IpAddress::v4({240, 0, 0, 1}));
  if (way) EXPECT_FALSE(way->interface.empty());
}

}  // namespace
}  // namespace callready
