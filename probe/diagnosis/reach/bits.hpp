// Bits of surprise, in fixed point: results do not hang on a platform's `log2`, nor on the order in
// which they are added up.
#pragma once

#include <cstdint>

namespace callready::reach {

using Bits = std::int32_t;  // in 1/256 of a bit

inline constexpr Bits one_bit = 256;

constexpr Bits bits(double value) {
  return static_cast<Bits>(value * one_bit + (value < 0 ? -0.5 : 0.5));
}

// log2 of a positive number, by products only: these are the same on every machine (IEEE 754).
constexpr double log2_of(double value) {
  double result = 0;
  for (; value >= 2; value /= 2) result += 1;
  for (; value < 1; value *= 2) result -= 1;
  for (double digit = 0.5; digit > 1e-6; digit /= 2) {
    value *= value;
    if (value < 2) continue;
    value /= 2;
    result += digit;
  }
  return result;
}

// What it costs to believe in something of that probability.
constexpr Bits surprise(double probability) { return bits(-log2_of(probability)); }

}  // namespace callready::reach
