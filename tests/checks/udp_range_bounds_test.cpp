#include <gtest/gtest.h>

#include "checks/udp_range_ports.hpp"

namespace callready::checks::udp_range {
namespace {

using Known = std::map<std::uint16_t, bool>;

// A firewall with a hole in a media range: halves until nothing is left to halve.
Known halve(Known known, int most, const std::function<bool(std::uint16_t)>& open) {
  for (int left = most; left > 0;) {
    const auto next = next_bounds(known, {});
    if (next.empty()) break;
    for (const auto port : next) {
      if (left-- > 0) known[port] = open(port);
    }
  }
  return known;
}

TEST(UdpRangeBounds, FindABlockWithinARange) {
  const auto open = [](std::uint16_t port) { return port < 20'000 || port > 35'999; };
  // Six ports, equally spaced over 10000 to 65535, as a plan samples them.
  Known sample;
  for (const int port : {10'000, 21'107, 32'214, 43'321, 54'428, 65'535}) {
    sample[static_cast<std::uint16_t>(port)] = open(static_cast<std::uint16_t>(port));
  }
  const auto coarse = blocks_of(sample);
  ASSERT_EQ(coarse.size(), 1u);
  EXPECT_EQ(coarse[0].open_before, 10'000);
  EXPECT_EQ(coarse[0].first, 21'107);
  EXPECT_EQ(coarse[0].last, 32'214);
  EXPECT_EQ(coarse[0].open_after, 43'321);

  const auto normal = blocks_of(halve(sample, 6, open));
  ASSERT_EQ(normal.size(), 1u);
  EXPECT_LT(normal[0].first - *normal[0].open_before, 11'107 / 8 + 2);
  EXPECT_LT(*normal[0].open_after - normal[0].last, 11'107 / 8 + 2);
  EXPECT_LE(*normal[0].open_before, 19'999);
  EXPECT_GE(normal[0].first, 20'000);

  const auto exact = blocks_of(halve(sample, 40, open));
  ASSERT_EQ(exact.size(), 1u);
  EXPECT_EQ(exact[0].open_before, 19'999);
  EXPECT_EQ(exact[0].first, 20'000);
  EXPECT_EQ(exact[0].last, 35'999);
  EXPECT_EQ(exact[0].open_after, 36'000);
}

TEST(UdpRangeBounds, AreNotTriedWhereAPortBetweenThemWasSilent) {
  const Known known{{100, true}, {200, false}, {300, true}};
  EXPECT_EQ(next_bounds(known, {}), (std::vector<std::uint16_t>{150, 250}));
  EXPECT_EQ(next_bounds(known, {150}), (std::vector<std::uint16_t>{250}));
  EXPECT_TRUE(next_bounds({{100, true}, {101, false}}, {}).empty());
  EXPECT_TRUE(next_bounds({{100, false}, {200, false}}, {}).empty());
}

TEST(UdpRangeBounds, BlocksReachToTheEndsOfWhatWasSampled) {
  const auto blocks = blocks_of({{10, false}, {20, true}, {30, false}, {40, false}});
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_FALSE(blocks[0].open_before);
  EXPECT_EQ(blocks[0].open_after, 20);
  EXPECT_EQ(blocks[1].open_before, 20);
  EXPECT_EQ(blocks[1].first, 30);
  EXPECT_EQ(blocks[1].last, 40);
  EXPECT_FALSE(blocks[1].open_after);
  EXPECT_TRUE(blocks_of({}).empty());
}

TEST(UdpRangeBounds, AGapReachesToTheRangesEnds) {
  const PortRange whole{1, 65'535};
  EXPECT_EQ(longest_gap({}, whole), 65'535u);
  EXPECT_EQ(longest_gap({{1, true}, {65'535, true}}, whole), 65'533u);
  EXPECT_EQ(longest_gap({{101, true}, {201, true}}, {1, 301}), 100u);
  EXPECT_EQ(longest_gap({{65'535, true}}, whole), 65'534u);
  EXPECT_EQ(longest_gap({{150, false}}, {100, 199}), 100u) << "only open ports count";
}

TEST(UdpRangeBounds, MiddlesMakeASampleTwiceAsDense) {
  EXPECT_EQ(midpoints({10, 20, 31}), (std::vector<std::uint16_t>{15, 25}));
  EXPECT_TRUE(midpoints({10, 11}).empty());
  EXPECT_TRUE(midpoints({10}).empty());
}

}  // namespace
}  // namespace callready::checks::udp_range
