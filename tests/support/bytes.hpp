// Byte vectors written as hexadecimal text, and back.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace callready::test {

// "0001 0058 2112a442": blanks are for the reader.
inline std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  int digits = 0, value = 0;
  for (const char letter : text) {
    if (letter == ' ' || letter == '\n') continue;
    const auto digit = std::string_view("0123456789abcdef").find(letter);
    if (digit == std::string_view::npos) throw std::invalid_argument("not a hexadecimal digit");
    value = value * 16 + static_cast<int>(digit);
    if (++digits % 2 == 0) {
      bytes.push_back(static_cast<std::uint8_t>(value));
      value = 0;
    }
  }
  if (digits % 2 != 0) throw std::invalid_argument("half a byte");
  return bytes;
}

inline std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const auto byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

inline std::vector<std::uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

}  // namespace callready::test
