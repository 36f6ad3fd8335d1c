#include "reports/words/terminal.hpp"

#include <gtest/gtest.h>

#include "reports/words/unicode.hpp"

namespace callready {
namespace {

TEST(Terminal, MakesTextHarmless) {
  EXPECT_EQ(harmless("plain, caf\xc3\xa9, \xe6\x97\xa5"), "plain, café, 日");
  EXPECT_EQ(harmless("\x1b[31mred\x07\x7f"), "\\x1b[31mred\\x07\\x7f");
  EXPECT_EQ(harmless("\xc2\x9b"
                     "31m"),
            "\\x9b31m");
  EXPECT_EQ(harmless("a\r\nb\tc\n\nd"), "a b c d");
  EXPECT_EQ(harmless("\xe2\x80\xaeright"), "\\u202eright");
  EXPECT_EQ(harmless("\xf3\xa0\x80\xa1"), "\\ue0021");  // a tag character
  EXPECT_EQ(harmless(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(Terminal, ShowsBytesThatAreNoUtf8) {
  EXPECT_EQ(harmless("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");           // overlong "/"
  EXPECT_EQ(harmless("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(harmless("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // past U+10FFFF
  EXPECT_EQ(harmless("\xe0\x9f\xbf"), "\\xe0\\x9f\\xbf");
  EXPECT_EQ(harmless("cut \xe6\x97"), "cut \\xe6\\x97");
}

TEST(Terminal, SpellsInAscii) {
  EXPECT_EQ(plain_ascii("Café – „Größe“ 5 µs … ✔ 日本"), "Cafe - \"Grosse\" 5 us ... ? ??");
  EXPECT_EQ(plain_ascii("e\xcc\x81"), "e");
}

TEST(Terminal, MeasuresColumns) {
  EXPECT_EQ(columns("abc"), 3);
  EXPECT_EQ(columns("é✔"), 2);
  EXPECT_EQ(columns("日本"), 4);
  EXPECT_EQ(columns("e\xcc\x81"), 1);
  EXPECT_EQ(columns("😀"), 2);
}

TEST(Terminal, WrapsAtSpaces) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(wrap("", 10), Lines{});
  EXPECT_EQ(wrap("  ", 10), Lines{});
  EXPECT_EQ(wrap(" one two  three ", 7), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap("one two", 6), (Lines{"one", "two"}));
  EXPECT_EQ(wrap("a abcdefghij b", 4), (Lines{"a", "abcd", "efgh", "ij b"}));
  EXPECT_EQ(wrap("日本語", 4), (Lines{"日本", "語"}));
  EXPECT_EQ(wrap("日本", 1), (Lines{"日", "本"}));  // cannot be narrower
  EXPECT_EQ(wrap("ab", 0), (Lines{"a", "b"}));
  EXPECT_EQ(wrap("one two three", 7, 5), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap("abcdefgh", 4, 2), (Lines{"abcd", "ef", "gh"}));
}

TEST(Terminal, WrapsALongWordInNoTime) {
  const auto lines = wrap(std::string(2'000'000, 'x'), 80);
  EXPECT_EQ(lines.size(), 25'000u);
}

TEST(Terminal, Shortens) {
  EXPECT_EQ(shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(shortened("abc defg", 7), "abc...");
}

}  // namespace
}  // namespace callready
