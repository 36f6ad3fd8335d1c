#include "probe/util/utf8.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, TakesWellFormedText) {
  for (const auto text : {""sv, "plain\tASCII\n\x7f"sv, "\xc2\x80 \xdf\xbf"sv,
                          "\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf"sv,
                          "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"sv}) {
    EXPECT_FALSE(find_invalid_utf8(text)) << text;
  }
}

TEST(Utf8, FindsTheFirstBadByte) {
  struct Case {
    std::string_view text;
    std::size_t at;
  };
  const Case cases[] = {
      {"ab\0c"sv, 2},           // NUL
      {"a\x80", 1},             // continuation without a lead
      {"\xc0\xaf", 0},          // overlong "/"
      {"\xc1\xbf", 0},          // overlong
      {"a\xc3", 1},             // cut short
      {"\xc3(", 0},             // no continuation
      {"\xe0\x9f\xbf", 0},      // overlong
      {"\xed\xa0\x80", 0},      // surrogate
      {"\xe2\x82", 0},          // cut short
      {"\xf0\x8f\xbf\xbf", 0},  // overlong
      {"\xf4\x90\x80\x80", 0},  // beyond U+10FFFF
      {"\xf5\x80\x80\x80", 0},  // no such lead
      {"ok \xff", 3},
  };
  for (const auto& [text, at] : cases) EXPECT_EQ(find_invalid_utf8(text), at) << text;
}

TEST(Utf8, CountsCharacters) {
  EXPECT_EQ(count_characters(""), 0u);
  EXPECT_EQ(count_characters("abc"), 3u);
  EXPECT_EQ(count_characters("\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\x9e"), 3u);
}

TEST(Utf8, FindsWhatCouldCommandATerminal) {
  EXPECT_FALSE(has_control_characters("text\twith\nlines, \xc2\xa0 and \xc3\xa9"));
  for (const auto text : {"\x1b[31m"sv, "\r"sv, "a\0b"sv, "\x7f"sv,
                          "\xc2\x9b"
                          "31m"sv,
                          "\a"sv}) {
    EXPECT_TRUE(has_control_characters(text)) << text;
  }
}

TEST(Utf8, PutsOnOneLineWhatCouldCommandATerminal) {
  EXPECT_EQ(on_one_line("plain, \xc3\xa9\t\xc2\xa0"), "plain, \xc3\xa9\t\xc2\xa0");
  EXPECT_EQ(on_one_line("two\nlines"), "two lines");
  EXPECT_EQ(on_one_line("\x1b[31mred"), " [31mred");
  EXPECT_EQ(on_one_line("\xc2\x9b"
                        "31m"),
            " 31m");
  EXPECT_EQ(on_one_line("cut \xc2"), "cut \xc2") << "not well-formed: left as it is";
}

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

TEST(Utf8, KnowsWhatDeceivesAReader) {
  EXPECT_TRUE(has_control_characters("user\u202etxt.exe")) << "right-to-left override";
  EXPECT_EQ(printable("a\u2066b"), "a?b");
  EXPECT_EQ(on_one_line("a\u2028b"), "a b") << "a line separator";
  EXPECT_FALSE(has_control_characters("\U0001F469\u200D\U0001F4BB")) << "a joined emoji";
}

TEST(Utf8, KnowsHowWideACharacterIs) {
  EXPECT_EQ(character_width('a'), 1);
  EXPECT_EQ(character_width(U'\u00e9'), 1);
  EXPECT_EQ(character_width(U'\u0301'), 0) << "combining";
  EXPECT_EQ(character_width(U'\u200d'), 0) << "joiner";
  EXPECT_EQ(character_width(U'\u6f22'), 2);
  EXPECT_EQ(character_width(U'\U0001F4DE'), 2);
}

}  // namespace
}  // namespace callready
