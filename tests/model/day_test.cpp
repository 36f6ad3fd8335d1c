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

TEST(Day, IsOfUtc) {
  using Time = std::chrono::system_clock::time_point;
  EXPECT_EQ(day_of(Time{}), "1970-01-01");
  EXPECT_EQ(day_of(Time{std::chrono::seconds(1'795'219'199)}), "2026-11-20");
}

}  // namespace
}  // namespace callready
