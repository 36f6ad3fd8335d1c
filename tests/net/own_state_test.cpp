// How this computer fares beside what is measured.
#include "probe/net/own_state.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

TEST(OwnState, IsBusyForTheTimeThatIsNotIdle) {
  OwnState before, after;
  EXPECT_FALSE(busy_percent(before, after)) << "the system does not say";
  before.time = platform::ProcessorTime{100, 1'000};
  after.time = platform::ProcessorTime{150, 1'200};
  EXPECT_DOUBLE_EQ(busy_percent(before, after).value_or(0), 25);
  EXPECT_FALSE(busy_percent(after, after)) << "no time has passed";
}

TEST(OwnState, LoopbackHasNoWifi) {
  EXPECT_FALSE(own_state(IpAddress::v4({127, 0, 0, 1}), "").wifi);
}

}  // namespace
}  // namespace callready
