#include "probe/util/utf8.hpp"

#include <algorithm>
#include <iterator>

#include <utf8proc.h>

namespace callready {
namespace {

struct Span {
  char32_t first, last;
};

// Direction marks, line and paragraph separators, and other characters that cannot be seen.
constexpr Span invisible[] = {
    {0x061C, 0x061C}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069},
    {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0000, 0xE007F},
};

utf8proc_int32_t as_signed(char32_t c) { return static_cast<utf8proc_int32_t>(c); }

}  // namespace

CodePoint decode_utf8(std::string_view text) {
  utf8proc_int32_t value = 0;
  const auto bytes = utf8proc_iterate(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
      static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size(), 4)), &value);
  if (bytes <= 0) return {};
  return {static_cast<char32_t>(value), static_cast<std::size_t>(bytes)};
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto [value, bytes] = decode_utf8(text.substr(at));
    if (bytes == 0 || value == 0) return at;
    at += bytes;
  }
  return std::nullopt;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0u) != 0x80u;
  }));
}

bool is_control(char32_t c) {
  if (utf8proc_category(as_signed(c)) == UTF8PROC_CATEGORY_CC) return true;
  return std::any_of(std::begin(invisible), std::end(invisible),
                     [c](const Span& span) { return span.first <= c && c <= span.last; });
}

bool has_control_characters(std::string_view text) {
  while (!text.empty()) {
    const auto [value, bytes] = decode_utf8(text);
    if (bytes > 0 && value != '\t' && value != '\n' && is_control(value)) return true;
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return false;
}

std::string on_one_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const auto [value, bytes] = decode_utf8(text);
    const auto character = text.substr(0, std::max<std::size_t>(bytes, 1));
    const bool shown = bytes == 0 || value == '\t' || !is_control(value);
    line += shown ? character : " ";
    text.remove_prefix(character.size());
  }
  return line;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string result;
  while (!text.empty()) {
    const auto [value, bytes] = decode_utf8(text);
    const auto character = text.substr(0, std::max<std::size_t>(bytes, 1));
    const auto shown = bytes > 0 && !is_control(value) ? character : std::string_view("?");
    if (result.size() + shown.size() > limit) return result + "...";
    result += shown;
    text.remove_prefix(character.size());
  }
  return result;
}

int character_width(char32_t c) {
  if (c < 0x0300) return 1;
  return std::max(0, utf8proc_charwidth(as_signed(c)));
}

}  // namespace callready
