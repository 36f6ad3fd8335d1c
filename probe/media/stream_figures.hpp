// From the packets of a stream to its figures. Pure: numbers in, numbers out. Times are in
// milliseconds of each end's own clock; their difference is unknown.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "probe/model/media.hpp"

namespace callready::media {

// Clopper and Pearson, each bound with 95 % confidence. Without packets: 0 to 100 %.
Share share_of(int count, int all);

// The same if they came in this many bursts: as if fewer packets had been sent, according to the
// design effect of runs of that length (2 m - 1 for geometric ones of mean m). The upper bound
// takes the longest mean that the bursts allow with 80 % confidence. It does not cover what no
// burst has shown yet.
Share share_of(int count, int all, int bursts);

// What became of one packet in one direction, in the order of sending.
enum class Fate : std::uint8_t { arrived, lost, unknown };

// A packet that came, in the order of arrival. `sequence` counts from 0 without gaps. If the time
// of sending is not well known, it is not `timed`: it came, but counts in no delay and no jitter.
struct Arrival {
  std::uint32_t sequence = 0;
  double sent_ms = 0, arrived_ms = 0;
  bool timed = true;
};

struct Trace {
  std::vector<Fate> fates;        // by sequence; what is unknown counts neither way
  std::vector<Arrival> arrivals;  // without duplicates
  std::optional<int> duplicates;
};

// One reply of a reflector that counts, in the order in which they came (RFC 8762 section 4.3).
struct Reply {
  std::uint32_t sequence = 0;                                 // the sender's
  std::uint32_t counter = 0;                                  // the reflector's own
  double sent = 0, received = 0, reflected = 0, arrived = 0;  // T1 to T4; T2 and T3 are its clock's
  std::optional<std::uint32_t> received_count;  // of Direct Measurement: duplicates as well
};

// What was asked: packets with the sequence numbers from `first` on, `count` of them, and before
// and after them others that are not measured. `skipped` was never sent: a reflector that counts
// falls back by one there, one that only repeats our numbers does not.
struct Asked {
  std::uint32_t first = 0;
  int count = 0;
  std::uint32_t skipped = 1;
  // Whether it is one of those that are measured.
  bool holds(std::uint32_t sequence) const {
    return sequence >= first && sequence - first < static_cast<std::uint32_t>(count);
  }
};

struct Directions {
  bool counted = false;  // false: a stateless reflector; only `lost_both_ways` holds
  Trace up, down;
  int lost_both_ways = 0;  // packets without any reply
};
Directions tell_apart(const Asked& asked, std::span<const Reply> replies);

// How much slower one clock is than the other: the slope that the lower edges of both directions'
// delays have in common, with opposite signs. 0 if that is more than any clock is off, since it
// must be a queue.
double clock_skew(std::span<const Arrival> up, std::span<const Arrival> down);

struct FigureOptions {
  double interval_ms = 20, jitter_buffer_ms = 40;
  double skew = 0;                            // of the receiver's clock against the sender's
  std::optional<double> least_round_trip_ms;  // without it no delay is given
  bool opus = false;                          // otherwise G.711
};
// The mean jitter of successive packets that took this long (RFC 3550 section 6.4.1).
std::optional<double> jitter_of(const std::vector<double>& took_ms);

// What a jitter buffer adds: how long it holds packets, and how many of them came too late for it.
struct Buffering {
  double held_ms = 0;
  int late = 0;
};

// Of a direction that has a delay. Its range holds what the bounds of the loss and of the delay
// leave open.
CallScore score_of(const MediaDirection& direction, const Buffering& buffer,
                   const FigureOptions& options);
MediaDirection figures_of(const Trace& trace, const FigureOptions& options);

// The value below which `share` (0 to 1) of them are; 0 of none.
double percentile(std::vector<double> values, double share);

}  // namespace callready::media
