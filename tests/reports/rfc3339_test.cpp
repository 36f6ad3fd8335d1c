#include "reports/words/rfc3339.hpp"

#include <gtest/gtest.h>

namespace callready::rfc3339_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Rfc3339, WritesUtcWithMilliseconds) {
  EXPECT_EQ(format_rfc3339(WallTime()), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(WallTime(seconds(951827696)) + nanoseconds(1'999'999)),
            "2000-02-29T12:34:56.001Z");
  EXPECT_EQ(format_rfc3339(WallTime(milliseconds(-1))), "1969-12-31T23:59:59.999Z");
}

TEST(Rfc3339, ReadsWhatTheRfcAllows) {
  const auto time = WallTime(seconds(951827696));
  EXPECT_EQ(parse_rfc3339("2000-02-29T12:34:56Z"), time);
  EXPECT_EQ(parse_rfc3339("2000-02-29t12:34:56.5z"), time + milliseconds(500));
  EXPECT_EQ(parse_rfc3339("2000-02-29T14:04:56.000000001999+01:30"), time + nanoseconds(1));
  EXPECT_EQ(parse_rfc3339("2000-02-29T11:34:56-01:00"), time);
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), parse_rfc3339("2017-01-01T00:00:00Z"));
}

TEST(Rfc3339, RefusesAnythingElse) {
  for (const auto* text :
       {"", "2000-02-29", "2000-02-29T12:34:56", "2001-02-29T12:34:56Z", "2000-13-01T00:00:00Z",
        "2000-02-29T24:00:00Z", "2000-02-29T12:60:00Z", "2000-02-29T12:34:56.Z",
        "2000-02-29T12:34:56Zx", "2000-02-29 12:34:56Z", "2000-02-29T12:34:56+0100",
        "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "2000-2-29T12:34:56Z",
        "+000-02-29T12:34:56Z", "2000-02-29T12:34:56+1:00"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace callready::rfc3339_test
