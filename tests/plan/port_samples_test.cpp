#include "probe/plan/port_samples.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

using Ports = std::vector<std::uint16_t>;

TEST(PortSamples, OfOneRangeAreEvenlySpaced) {
  PortSamples samples(12);
  samples.add_range("a", {10000, 20000});
  EXPECT_EQ(samples.sample("a", {10000, 20000}), (Ports{10000, 12000, 14000, 16000, 18000, 20000}));
  EXPECT_TRUE(samples.within("a", {10000, 20000}).empty());
}

TEST(PortSamples, OfAnOuterRangeLieOutsideTheInnerOnes) {
  PortSamples samples(12);
  samples.add_range("a", {1, 65535});
  samples.add_range("a", {1025, 65535});
  samples.add_range("a", {10000, 20000});
  EXPECT_EQ(samples.within("a", {1, 65535}),
            (std::vector<PortRange>{{10000, 20000}, {1025, 65535}}));
  EXPECT_EQ(samples.sample("a", {10000, 20000}).size(), 6u);
  // 6 of 12 are left, of which the widest range needs 2.
  EXPECT_EQ(samples.sample("a", {1025, 65535}), (Ports{1025, 29195, 47365, 65535}));
  EXPECT_EQ(samples.sample("a", {1, 65535}), (Ports{1, 1024}));
}

TEST(PortSamples, LeaveRoomForSinglePorts) {
  PortSamples samples(12);
  samples.add_range("a", {10000, 20000});
  for (std::uint16_t port = 1; port <= 8; ++port) samples.add_port("a", Transport::tcp, port);
  samples.add_port("a", Transport::tls, 1);  // the same to who counts
  samples.add_port("b", Transport::tcp, 9);  // another host's
  EXPECT_EQ(samples.sample("a", {10000, 20000}).size(), 4u);
  for (std::uint16_t port = 9; port <= 20; ++port) samples.add_port("a", Transport::tcp, port);
  EXPECT_EQ(samples.sample("a", {10000, 20000}), (Ports{10000, 20000})) << "at least both ends";
}

TEST(PortSamples, NothingIsLeftOfARangeThatOthersCover) {
  PortSamples samples(12);
  samples.add_range("a", {1, 20});
  samples.add_range("a", {1, 10});
  samples.add_range("a", {11, 20});
  EXPECT_TRUE(samples.sample("a", {1, 20}).empty());
  EXPECT_EQ(samples.within("a", {1, 20}).size(), 2u);
}

TEST(PortSamples, OfTheWholeSpaceOfPorts) {
  PortSamples samples(12);
  samples.add_range("a", {1, 65535});
  const auto ports = samples.sample("a", {1, 65535});
  EXPECT_EQ(ports.front(), 1);
  EXPECT_EQ(ports.back(), 65535);
  EXPECT_EQ(samples.sample("unknown", {5, 5}), Ports{5});
}

// Each range within the next: what each takes depends on all within it, which is 2^n questions if
// they are asked anew each time.
TEST(PortSamples, OfManyNestedRangesAreTakenOnce) {
  PortSamples samples(12);
  constexpr int count = 1000;
  const auto nested = [](int i) {
    return PortRange{static_cast<std::uint16_t>(30000 - i), static_cast<std::uint16_t>(30000 + i)};
  };
  for (int i = 0; i < count; ++i) samples.add_range("a", nested(i));
  EXPECT_EQ(samples.sample("a", nested(0)), Ports{30000});
  for (int i = 1; i < count; ++i) {
    EXPECT_EQ(samples.sample("a", nested(i)), (Ports{nested(i).first, nested(i).last}));
  }
}

}  // namespace
}  // namespace callready
