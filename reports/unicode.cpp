#include "reports/unicode.hpp"

#include <algorithm>
#include <iterator>

namespace callready {
namespace {

struct Span {
  char32_t first, last;
};

template <std::size_t N>
constexpr bool in(const Span (&table)[N], char32_t c) {
  return std::any_of(std::begin(table), std::end(table),
                     [c](const Span& span) { return span.first <= c && c <= span.last; });
}

// Unicode's general categories Mn and Me for the scripts in use, and Cf without visible form.
constexpr Span zero_width[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489},   {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x0900, 0x0902}, {0x093C, 0x093C},   {0x0941, 0x0948}, {0x094D, 0x094D}, {0x0E31, 0x0E31},
    {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E},   {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200D},
    {0x2060, 0x2064}, {0x20D0, 0x20FF},   {0x302A, 0x302D}, {0x3099, 0x309A}, {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F}, {0xE0000, 0xE01EF},
};

// East Asian Width W and F (UAX #11), and emoji with emoji presentation.
constexpr Span wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x25FD, 0x25FE},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26A1, 0x26A1},   {0x26BD, 0x26BE},
    {0x2705, 0x2705},   {0x270A, 0x270B},   {0x2728, 0x2728},   {0x274C, 0x274C},
    {0x2753, 0x2755},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

constexpr Span invisible_controls[] = {
    {0x0000, 0x001F}, {0x007F, 0x009F}, {0x061C, 0x061C}, {0x200E, 0x200F}, {0x2028, 0x202E},
    {0x2066, 0x2069}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0000, 0xE007F},
};

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

CodePoint decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t value = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3Fu);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < least[length] || value > 0x10FFFF || surrogate) return {};
  return {value, length};
}

bool is_control(char32_t c) { return in(invisible_controls, c); }

int character_width(char32_t c) {
  if (c < 0x0300) return 1;
  if (in(zero_width, c)) return 0;
  return in(wide, c) ? 2 : 1;
}

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
