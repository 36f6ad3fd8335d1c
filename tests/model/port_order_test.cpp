#include "probe/model/port_order.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

using Ports = std::vector<std::uint16_t>;

TEST(FarthestFirst, TakesTheEndsOfARangeAndThenItsMiddle) {
  EXPECT_EQ(farthest_first({10'000, 20'000, 30'000, 40'000, 50'000, 60'000}, {}),
            (Ports{10'000, 60'000, 30'000, 20'000, 40'000, 50'000}));
}

TEST(FarthestFirst, BeginsFarFromWhatIsKnown) {
  EXPECT_EQ(farthest_first({10'000, 20'000, 30'000}, {30'001}), (Ports{10'000, 20'000, 30'000}));
  EXPECT_EQ(farthest_first({10'000, 20'000, 30'000}, {9'999}), (Ports{30'000, 20'000, 10'000}));
}

TEST(FarthestFirst, LosesNoPort) {
  EXPECT_EQ(farthest_first({}, {1}), Ports{});
  EXPECT_EQ(farthest_first({7}, {7}), Ports{7});
  EXPECT_EQ(farthest_first({0, 65'535}, {}), (Ports{0, 65'535}));
}

}  // namespace
}  // namespace callready
