#include "probe/net/printable.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

TEST(Printable, KeepsText) {
  EXPECT_EQ(printable("plain text, 42 %"), "plain text, 42 %");
  EXPECT_EQ(printable("Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x93\x9e"),
            "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x93\x9e");
}

TEST(Printable, ReplacesControls) {
  EXPECT_EQ(printable("a\r\nb\x1b[2J\x7f"), "a??b?[2J?");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(printable("\xc2\x9b"), "?") << "C1 control sequence introducer";
}

TEST(Printable, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(printable("\xff\xfe"), "??");
  EXPECT_EQ(printable("\xc0\xaf"), "??") << "overlong";
  EXPECT_EQ(printable("\xe0\x80\xaf"), "???") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "???") << "surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????") << "beyond U+10FFFF";
  EXPECT_EQ(printable("\xe2\x82"), "??") << "cut";
  EXPECT_EQ(printable("\xc3"
                      "a"),
            "?a");
}

TEST(Printable, CutsAtACharacter) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdefg", 6), "abcdef...");
  EXPECT_EQ(printable("abcde\xc3\xbc", 6), "abcde...");
}

}  // namespace
}  // namespace callready
