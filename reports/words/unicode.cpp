#include "reports/words/unicode.hpp"

#include <iterator>

#include "probe/util/utf8.hpp"

namespace callready {
namespace {

// U+00A0 to U+00FF.
constexpr std::string_view latin1[] = {
    " ", "!", "c",   "GBP", "?",        "JPY", "|",   "section ", "\"", "(c)", "a",  "<<",
    "-", "-", "(r)", "-",   " degrees", "+/-", "2",   "3",        "'",  "u",   "P",  ".",
    ",", "1", "o",   ">>",  "1/4",      "1/2", "3/4", "?",        "A",  "A",   "A",  "A",
    "A", "A", "AE",  "C",   "E",        "E",   "E",   "E",        "I",  "I",   "I",  "I",
    "D", "N", "O",   "O",   "O",        "O",   "O",   "x",        "O",  "U",   "U",  "U",
    "U", "Y", "Th",  "ss",  "a",        "a",   "a",   "a",        "a",  "a",   "ae", "c",
    "e", "e", "e",   "e",   "i",        "i",   "i",   "i",        "d",  "n",   "o",  "o",
    "o", "o", "o",   "/",   "o",        "u",   "u",   "u",        "u",  "y",   "th", "y",
};
static_assert(std::size(latin1) == 0x60);

struct Spelling {
  char32_t character;
  std::string_view text;
};

constexpr Spelling spellings_beyond[] = {
    {0x0152, "OE"}, {0x0153, "oe"}, {0x0160, "S"},  {0x0161, "s"},   {0x0178, "Y"},
    {0x017D, "Z"},  {0x017E, "z"},  {0x2010, "-"},  {0x2011, "-"},   {0x2012, "-"},
    {0x2013, "-"},  {0x2014, "-"},  {0x2018, "'"},  {0x2019, "'"},   {0x201A, ","},
    {0x201C, "\""}, {0x201D, "\""}, {0x201E, "\""}, {0x2022, "*"},   {0x2026, "..."},
    {0x202F, " "},  {0x2039, "<"},  {0x203A, ">"},  {0x20AC, "EUR"}, {0x2122, "(tm)"},
    {0x2190, "<-"}, {0x2192, "->"}, {0x2212, "-"},  {0x2264, "<="},  {0x2265, ">="},
};

}  // namespace

std::string_view ascii_spelling(char32_t c) {
  static constexpr std::string_view ascii =
      " !\"#$%&'()*+,-./"
      "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz"
      "{|}~";
  if (c >= 0x20 && c < 0x7F) return ascii.substr(c - 0x20, 1);
  if (c >= 0xA0 && c <= 0xFF) return latin1[c - 0xA0];
  for (const auto& [character, text] : spellings_beyond) {
    if (character == c) return text;
  }
  return character_width(c) == 0 ? "" : "?";
}

}  // namespace callready
