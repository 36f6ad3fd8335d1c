#include "probe/engine/progress.hpp"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.hpp"

namespace callready {
namespace {

TEST(ProgressLine, ShowsHowFarARunIs) {
  const Milliseconds limit(20'000);
  const auto bar = [](std::size_t full, std::size_t empty) {
    return '[' + std::string(full, '#') + std::string(empty, '.') + ']';
  };
  EXPECT_EQ(progress_line(0, 38, Milliseconds(0), limit, 80),
            bar(0, 36) + " 0 of 38 endpoints, 0.0 s of at most 20 s");
  EXPECT_EQ(progress_line(19, 38, Milliseconds(1250), limit, 80),
            bar(17, 18) + " 19 of 38 endpoints, 1.2 s of at most 20 s");
  EXPECT_EQ(progress_line(38, 38, Milliseconds(2000), limit, 120),
            bar(40, 0) + " 38 of 38 endpoints, 2.0 s of at most 20 s");
  // Where there is no room for all, first the limit goes, then the bar.
  EXPECT_EQ(progress_line(19, 38, Milliseconds(1250), limit, 40),
            bar(5, 6) + " 19 of 38 endpoints, 1.2 s");
  EXPECT_EQ(progress_line(19, 38, Milliseconds(1250), limit, 30), "19 of 38 endpoints, 1.2 s");
}

TEST(ProgressLine, SaysWhatIsWaitedForWhereThereIsRoom) {
  const Milliseconds limit(20'000), passed(1250);
  EXPECT_EQ(progress_line(19, 38, passed, limit, 90, "SIP servers"),
            "[##########..........] 19 of 38 endpoints, 1.2 s of at most 20 s, waiting for SIP servers");
  EXPECT_EQ(progress_line(19, 38, passed, limit, 60, "SIP servers"),
            "[#######........] 19 of 38 endpoints, 1.2 s of at most 20 s");
}

TEST(ProgressLine, NeverFillsTheTerminal) {
  for (int width = 1; width <= 200; ++width) {
    for (const std::size_t total : {0u, 7u, 100'000u}) {
      const auto line = progress_line(total / 2, total, Milliseconds(12'345'600),
                                      Milliseconds(2e7), width, "full-size packets");
      EXPECT_LT(line.size(), static_cast<std::size_t>(width)) << width;
      EXPECT_EQ(line.find('\n'), std::string::npos);
    }
  }
  EXPECT_EQ(progress_line(3, 7, Milliseconds(1), Milliseconds(2), 0), "");
}

TEST(ProgressLine, MoreDoneThanPlannedIsFull) {
  const auto line = progress_line(9, 7, Milliseconds(1), Milliseconds(2), 60);
  EXPECT_EQ(line.substr(0, line.find(']')).find('.'), std::string::npos) << line;
}

TEST(Progress, DrawsSeldomAndCleansUp) {
  test::ManualClock clock;
  testing::internal::CaptureStderr();
  {
    Progress progress(clock, true, 60, milliseconds(20'000));
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

TEST(Progress, TheTimeGoesOnWhereNoEndpointEnds) {
  test::ManualClock clock;
  testing::internal::CaptureStderr();
  {
    Progress progress(clock, true, 80, milliseconds(20'000));
    progress.update(1, 3);
    clock.advance(milliseconds(1000));
  }
  EXPECT_NE(testing::internal::GetCapturedStderr().find("1 of 3 endpoints, 1.0 s"),
            std::string::npos);
  EXPECT_EQ(clock.waiting(), 0u);
}

TEST(Progress, IsSilentWhereNobodyLooks) {
  test::ManualClock clock;
  testing::internal::CaptureStderr();
  {
    Progress progress(clock, false, 60, milliseconds(20'000));
    clock.advance(milliseconds(1000));
    progress.update(2, 3);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace callready
