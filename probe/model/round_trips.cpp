#include "probe/model/round_trips.hpp"

#include <cmath>

namespace callready {

void RoundTrips::add(Milliseconds round_trip) {
  if (!smoothed_) {
    smoothed_ = round_trip;
    variation_ = round_trip / 2;
    return;
  }
  const Milliseconds off(std::abs((*smoothed_ - round_trip).count()));
  variation_ = 0.75 * variation_ + 0.25 * off;
  smoothed_ = 0.875 * *smoothed_ + 0.125 * round_trip;
}

std::optional<Milliseconds> RoundTrips::timeout() const {
  if (!smoothed_) return std::nullopt;
  return *smoothed_ + 4 * variation_;
}

}  // namespace callready
