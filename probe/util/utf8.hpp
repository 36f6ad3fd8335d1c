// Text that came from elsewhere (a file, the network), made safe to show: UTF-8 (RFC 3629), by
// utf8proc.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace callready {

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;  // length in UTF-8; 0 if no well-formed character begins here
};

// The first character of `text` (not empty): no overlong forms, no surrogates.
CodePoint decode_utf8(std::string_view text);

// The offset of the first byte that is not well-formed, or of a NUL.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

// Characters (code points) in well-formed text.
std::size_t count_characters(std::string_view text);

// Whether it could control a terminal or deceive a reader: C0, DEL, C1, and characters that change
// direction or break lines without being seen.
bool is_control(char32_t c);

// True if well-formed text holds such a character other than tab and line feed.
bool has_control_characters(std::string_view text);

// A space in place of every such character other than tab.
std::string on_one_line(std::string_view text);

// Such characters and bytes that are not UTF-8 become '?'; what is longer than `limit` bytes is cut
// at a character and ends in "...".
std::string printable(std::string_view text, std::size_t limit = 200);

// Columns in a terminal: 0 for combining and zero-width characters, 2 for wide ones, otherwise 1.
int character_width(char32_t c);

}  // namespace callready
