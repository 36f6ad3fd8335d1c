// How long an answer may take on this network: RFC 6298 section 2 over the round trips of all that
// answered, near and far. The more these vary, the longer.
#pragma once

#include <optional>

#include "probe/model/observation.hpp"

namespace callready {

class RoundTrips {
 public:
  void add(Milliseconds round_trip);
  // SRTT + 4 RTTVAR, without the clock's granularity; nothing where nobody has answered.
  std::optional<Milliseconds> timeout() const;

 private:
  std::optional<Milliseconds> smoothed_;
  Milliseconds variation_{0};
};

}  // namespace callready
