// The little of Unicode that a terminal needs: decoding, and how wide a character is.
#pragma once

#include <cstddef>
#include <string_view>

namespace callready {

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;  // length in UTF-8; 0 where the first byte does not start a character
};

// The first character of `text` (not empty), after RFC 3629: no overlong forms, no surrogates.
CodePoint decode_utf8(std::string_view text);

// C0, DEL, C1, and the characters that change direction or break lines without being seen.
bool is_control(char32_t c);

// 0 for combining and zero-width characters, 2 for East Asian wide ones and emoji, else 1.
int character_width(char32_t c);

// The nearest ASCII spelling, or "?".
std::string_view ascii_spelling(char32_t c);

}  // namespace callready
