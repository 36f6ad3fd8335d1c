#include "probe/cli/progress.hpp"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.hpp"

namespace callready {
namespace {

TEST(ProgressLine, ShowsHowFarARunIs) {
  const std::string none(32, '.'), half = std::string(15, '#') + std::string(16, '.');
  const std::string full(31, '#');
  EXPECT_EQ(progress_line(0, 38, 0, 60), "[" + none + "] 0 of 38 endpoints, 0.0 s");
  EXPECT_EQ(progress_line(19, 38, 1.25, 60), "[" + half + "] 19 of 38 endpoints, 1.2 s");
  EXPECT_EQ(progress_line(38, 38, 2, 60), "[" + full + "] 38 of 38 endpoints, 2.0 s");
}

TEST(ProgressLine, NeverFillsTheTerminal) {
  for (int width = 1; width <= 200; ++width) {
    for (const std::size_t total : {0u, 7u, 100'000u}) {
      const auto line = progress_line(total / 2, total, 12'345.6, width);
      EXPECT_LT(line.size(), static_cast<std::size_t>(width)) << width;
      EXPECT_EQ(line.find('\n'), std::string::npos);
    }
  }
  EXPECT_EQ(progress_line(3, 7, 1, 0), "");
}

TEST(ProgressLine, MoreDoneThanPlannedIsFull) {
  const auto line = progress_line(9, 7, 1, 60);
  EXPECT_EQ(line.substr(0, line.find(']')).find('.'), std::string::npos) << line;
}

TEST(Progress, DrawsSeldomAndCleansUp) {
  test::ManualClock clock;
  testing::internal::CaptureStderr();
  {
    Progress progress(clock, true, 60);
    progress.update(1, 3);  // too early to be worth a line
    clock.advance(milliseconds(100));
    progress.update(2, 3);
    progress.update(3, 3);
  }
  const auto drawn = testing::internal::GetCapturedStderr();
  EXPECT_EQ(drawn.find("1 of 3"), std::string::npos);
  EXPECT_NE(drawn.find("2 of 3"), std::string::npos);
  EXPECT_EQ(drawn.find("3 of 3"), std::string::npos) << "not twice within 80 ms";
  EXPECT_TRUE(drawn.ends_with("\r\033[K"));
}

TEST(Progress, IsSilentWhereNobodyLooks) {
  test::ManualClock clock;
  testing::internal::CaptureStderr();
  {
    Progress progress(clock, false, 60);
    clock.advance(milliseconds(100));
    progress.update(2, 3);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace callready
