#include "probe/ui/lifetime.hpp"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.hpp"

namespace callready::ui::lifetime_test {
namespace {

using std::chrono::seconds;

struct Fixture {
  test::ManualClock clock;
  int over = 0;
  Lifetime lifetime{clock, [this] { ++over; }};
};

TEST(UiLifetime, EndsAMinuteAfterTheLastPage) {
  Fixture f;
  f.lifetime.page_opened();
  f.lifetime.page_opened();
  f.clock.advance(std::chrono::hours(24));
  f.lifetime.page_closed();
  f.clock.advance(std::chrono::hours(24));
  EXPECT_EQ(f.over, 0) << "one is open";
  f.lifetime.page_closed();
  f.clock.advance(seconds(59));
  EXPECT_EQ(f.over, 0);
  f.clock.advance(seconds(1));
  EXPECT_EQ(f.over, 1);
}

TEST(UiLifetime, APageThatIsLoadedAnewKeepsIt) {
  Fixture f;
  f.lifetime.page_opened();
  f.lifetime.page_closed();
  f.clock.advance(seconds(59));
  f.lifetime.page_opened();
  f.clock.advance(std::chrono::hours(1));
  EXPECT_EQ(f.over, 0);
}

TEST(UiLifetime, EndsWhereNobodyOpensIt) {
  Fixture f;
  f.clock.advance(timeouts::before_first_page - seconds(1));
  EXPECT_EQ(f.over, 0);
  f.clock.advance(seconds(1));
  EXPECT_EQ(f.over, 1);
}

}  // namespace
}  // namespace callready::ui::lifetime_test
