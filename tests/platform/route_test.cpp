#include "probe/platform/route.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

TEST(Route, LeadsToThisComputerOverLoopback) {
  const auto way = platform::way_to(IpAddress::v4({127, 0, 0, 1}));
  ASSERT_TRUE(way);
  EXPECT_EQ(way->interface_name, "lo");
  EXPECT_FALSE(way->gateway);
  EXPECT_EQ(way->source, IpAddress::v4({127, 0, 0, 1}));
}

TEST(Route, HasNoneToNowhere) {
  // The broadcast address of this link (RFC 919) is no host's: no unicast route leads there.
  EXPECT_FALSE(platform::way_to(IpAddress::v4({255, 255, 255, 255})));
}

TEST(Neighbour, IsNotKnownWhereNobodyAsked) {
  EXPECT_FALSE(platform::neighbour_answers("lo", IpAddress::v4({192, 0, 2, 77})));
  EXPECT_FALSE(platform::neighbour_answers("no-such-link", IpAddress::v4({192, 0, 2, 77})));
}

}  // namespace
}  // namespace callready
