// Numbers in packets: the most significant byte first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace callready {

template <typename Number>
Number number_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value = static_cast<Number>(value << 8 | bytes[at + i]);
  }
  return value;
}

template <typename Number>
void put_number(std::span<std::uint8_t> bytes, std::size_t at, Number value) {
  for (std::size_t i = sizeof(Number); i-- > 0; value = static_cast<Number>(value >> 8)) {
    bytes[at + i] = static_cast<std::uint8_t>(value & 0xFF);
  }
}

}  // namespace callready
