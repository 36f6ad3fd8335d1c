#include "probe/model/day.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

TEST(Day, IsWrittenInOneWay) {
  EXPECT_EQ(parse_day("2026-11-20"), std::chrono::sys_days(std::chrono::year(2026) / 11 / 20));
  for (const auto* other :
       {"", "2026-11-2", "2026-11-200", "2026/11/20", "2026.11.20", "2026-11 20", "20261-1-20",
        "2026-1x-20", "-026-11-20", "2026-02-29", "2026-13-01"}) {
    EXPECT_FALSE(parse_day(other)) << other;
  }
}

}  // namespace
}  // namespace callready
