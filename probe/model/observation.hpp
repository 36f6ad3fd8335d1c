// What a probe saw: an outcome from the closed list, its timings and its evidence. It holds facts
// only; statuses and causes are derived from it elsewhere (probe/diagnosis).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "probe/model/detail.hpp"
#include "probe/model/evidence.hpp"
#include "probe/model/ip.hpp"
#include "probe/model/media.hpp"
#include "probe/model/words.hpp"
#include "probe/util/boxed.hpp"

namespace callready {

using WallTime = std::chrono::system_clock::time_point;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct SocketAddress {
  IpAddress address;
  std::uint16_t port = 0;
  std::string to_string() const;  // "192.0.2.1:443", "[2001:db8::1]:443"
  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

struct Observation {
  Outcome outcome = Outcome::skipped;
  Detail detail;                           // what exactly: "connection_refused", "401"
  std::optional<IpAddress> address;        // the address that was tried
  std::optional<SocketAddress> local;      // our own end
  std::optional<WallTime> sent_at;         // first packet
  std::optional<Milliseconds> round_trip;  // one round trip to the far end, as measured
  std::map<Timing, double> timing_ms;
  int attempts = 0;  // how often the request was sent
  std::vector<Evidence> evidence;
  Boxed<MediaStream> media;  // what the `media` check saw
};

// True where the observation proves that the way to the service is open.
bool reached(Outcome outcome);

// Rounded as in a written report: moments to a millisecond, durations to a thousandth of one, and
// none infinite. So reading a report again leads to the same conclusions; a stream's figures are
// rounded when they are written.
WallTime as_written(WallTime moment);
Milliseconds as_written(Milliseconds took);
Observation as_written(Observation seen);

}  // namespace callready
