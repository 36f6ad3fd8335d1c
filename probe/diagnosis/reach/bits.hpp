// Bits of surprise, in fixed point: results do not hang on a platform's `log2`, nor on the order in
// which they are added up.
#pragma once

#include <algorithm>
#include <cstdint>

namespace callready::reach {

using Bits = std::int32_t;  // in 1/256 of a bit

inline constexpr Bits one_bit = 256;

constexpr Bits bits(double value) {
  return static_cast<Bits>(value * one_bit + (value < 0 ? -0.5 : 0.5));
}

// log2 of a positive, finite number, by products only: no library's, which differ. What is left
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

// What it costs to believe in something of that probability. What is less probable than 2^-64 (or
// no number) costs 64 bits; what is more so than 1, nothing.
constexpr Bits surprise(double probability) {
  constexpr double least = 1.0 / (1ULL << 32U) / (1ULL << 32U);
  return probability > least ? bits(-log2_of(std::min(probability, 1.0))) : 64 * one_bit;
}

}  // namespace callready::reach
