#include "probe/util/text.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

using Parts = std::vector<std::string_view>;

TEST(Split, GivesWhatStandsBetweenTheSeparators) {
  EXPECT_EQ(split("a,b", ","), (Parts{"a", "b"}));
  EXPECT_EQ(split("a, b\tc", ", \t"), (Parts{"a", "", "b", "c"}));
  EXPECT_EQ(split("a;", ";"), (Parts{"a", ""}));
  EXPECT_EQ(split("a", ";"), (Parts{"a"}));
  EXPECT_EQ(split("", ";"), (Parts{""}));
}

TEST(WholeNumber, IsAllOfTheText) {
  EXPECT_EQ(whole_number<int>("5060"), 5060);
  EXPECT_EQ(whole_number<std::uint16_t>("65536"), std::nullopt);
  for (const auto* wrong : {"", " 1", "1 ", "1x", "+1", "0x1"}) {
    EXPECT_EQ(whole_number<int>(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace callready
