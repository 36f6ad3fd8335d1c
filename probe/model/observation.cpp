#include "probe/model/observation.hpp"

#include <cmath>

namespace callready {

std::string SocketAddress::to_string() const { return authority(address.to_string(), port); }

bool reached(Outcome outcome) {
  return outcome == Outcome::answered || outcome == Outcome::connected ||
         outcome == Outcome::passed;
}

WallTime as_written(WallTime moment) {
  return std::chrono::floor<std::chrono::milliseconds>(moment);
}

Milliseconds as_written(Milliseconds took) {
  if (std::abs(took.count()) >= 1e12) return took;  // 30 years: a double has no more digits
  return Milliseconds(std::round(took.count() * 1000) / 1000 + 0.0);  // + 0.0: never "-0.0"
}

Observation as_written(Observation seen) {
  if (seen.sent_at) seen.sent_at = as_written(*seen.sent_at);
  if (seen.round_trip && !std::isfinite(seen.round_trip->count())) seen.round_trip.reset();
  if (seen.round_trip) seen.round_trip = as_written(*seen.round_trip);
  std::erase_if(seen.timing_ms, [](const auto& part) { return !std::isfinite(part.second); });
  for (auto& [name, milliseconds] : seen.timing_ms) {
    milliseconds = as_written(Milliseconds(milliseconds)).count();
  }
  for (auto& evidence : seen.evidence) {
    for (auto& [name, value] : evidence.facts) {
      auto* number = std::get_if<double>(&value);
      if (number != nullptr && to_string(name).ends_with("_ms"))
        *number = as_written(Milliseconds(*number)).count();
    }
  }
  return seen;
}

}  // namespace callready
