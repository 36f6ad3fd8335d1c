// Bits of surprise, in fixed point, so that results depend neither on a platform's `log2` nor on
// the order in which they are added up.
#pragma once

#include <algorithm>
#include <cstdint>

namespace callready::reach {

using Bits = std::int32_t;  // in 1/256 of a bit

inline constexpr Bits one_bit = 256;

constexpr Bits bits(double value) {
  return static_cast<Bits>(value * one_bit + (value < 0 ? -0.5 : 0.5));
}

// log2 of a positive, finite number, using products only, since libraries differ. All that remains
// is whether a machine rounds after each step (fused multiply-add): far below 1/256 bit.
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

// The cost of believing in something with that probability. Anything below 2^-64 (or NaN) costs 64
// bits; anything above 1 costs nothing.
constexpr Bits surprise(double probability) {
  constexpr double least = 1.0 / (1ULL << 32U) / (1ULL << 32U);
  return probability > least ? bits(-log2_of(std::min(probability, 1.0))) : 64 * one_bit;
}

}  // namespace callready::reach
