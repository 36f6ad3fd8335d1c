// What all call-like streams share: to a reflector, many at once, or between two relays.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "checks/check.hpp"
#include "probe/media/stamp.hpp"
#include "probe/media/stream_figures.hpp"
#include "probe/model/media.hpp"
#include "probe/net/first_hop.hpp"

namespace callready::checks {

inline constexpr int expedited = 46;            // RFC 3246
inline constexpr std::uint32_t never_sent = 1;  // a STAMP sequence number, see media.cpp
// Codecs put 20 ms into one packet by default (RFC 3551 section 4.2): the rate that follows.
inline constexpr int packets_per_second = 50;
inline constexpr std::chrono::duration<int, std::ratio<1, packets_per_second>> call_interval{1};

struct StreamWish {
  bool opus = false;
  std::size_t bytes = 172;  // of UDP payload
  int packets = 0;
  double jitter_buffer_ms = 40;
  media::stamp::Bytes key;
};

// A packet whose sending time may be off by more than this is left out of delay and jitter.
inline constexpr double most_off_ms = 2;

double in_ms(std::chrono::nanoseconds time);

// What the reply to a packet that was sent at `sent` says. Our times are since the stream began,
// the far end's since `far_start`.
media::Reply reply_of(const media::stamp::ReflectorPacket& packet, double sent, double arrived,
                      media::stamp::Timestamp far_start);

// The stream without its figures, from how late each packet left and by how much its sending time
// may be off.
MediaStream described(const StreamWish& wish, const std::vector<double>& late_ms,
                      const std::vector<double>& clock_error_ms);

// How to compute the figures of such a stream.
media::FigureOptions options_of(const StreamWish& wish);

// Sets the median and least round trip; `trips` is in milliseconds, and may be empty.
void set_round_trips(MediaStream& stream, const std::vector<double>& trips);

// Says how many packets of a stream this computer did not send, and why.
void add_kept(Observation& observation, int kept, const Failure& why);

// What was seen of the first router on the way, as figures.
FirstHop figures_of(const FirstHopSeen& seen);

// The code point that most packets had.
class CodePoints {
 public:
  void add(int code_point) { ++counts_[code_point]; }
  std::optional<int> usual() const;

 private:
  std::map<int, int> counts_;
};

}  // namespace callready::checks
