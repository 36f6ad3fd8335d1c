// Silences in a stream to a reflector: when, how long, and which way the packets were lost. Pure.
#pragma once

#include "probe/media/stream_figures.hpp"

namespace callready::media {

// How many unanswered packets in a row, up to the end, count as a silence: half a second of a call.
inline constexpr std::uint32_t silent_end = 25;
// True of so many packets in a row without an answer if they are too many to have been lost one by
// one, and were sent over a longer time than the slowest answer took: their answers do not merely
// wait in a queue.
inline bool is_silence(std::uint32_t packets, double interval_ms, double slowest_ms) {
  return packets >= silent_end && packets * interval_ms > slowest_ms;
}

// What the far end says it received in a session (serve's counts): packets, each once, and how many
// came from a different place than the first.
struct FarEndCount {
  int received = 0, elsewhere = 0;
};

// True if the packets after the last answered one are such a silence. `last` is the number of the
// last one sent.
bool ends_in_silence(const Asked& asked, std::uint32_t last, std::span<const Reply> replies,
                     double interval_ms);

// Decides what became of the packets after the last reply, once the far end has said how many it
// got: that many of the first ones arrived and their replies were lost, the others were lost on the
// way out.
void tell_the_end(const Asked& asked, std::uint32_t last, std::span<const Reply> replies,
                  const FarEndCount& count, Directions& directions);

// The silence at the end, unless the stream came back from a longer one; otherwise the longest of a
// second or more; nothing if there is none.
// `counted`: what the far end said.
std::optional<MediaOutage> outage_of(const Asked& asked, std::uint32_t last,
                                     std::span<const Reply> replies, double interval_ms,
                                     const std::optional<FarEndCount>& counted);

}  // namespace callready::media
