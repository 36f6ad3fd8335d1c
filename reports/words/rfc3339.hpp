// Timestamps as reports write them: RFC 3339, UTC, milliseconds ("2026-11-20T08:39:29.125Z").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "probe/model/observation.hpp"

namespace callready {

// Rounds down to the millisecond.
std::string format_rfc3339(WallTime time);

// Reads RFC 3339, section 5.6, with any offset and any number of fractional digits (those after the
// ninth are dropped). Nothing for anything else, and for years before 1700 or after 2200.
std::optional<WallTime> parse_rfc3339(std::string_view text);

// Seconds since 1970-01-01 00:00 UTC, as Prometheus counts time.
inline double unix_seconds(WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace callready
