// Silences in a stream to a reflector: when, how long, and which way the packets were lost. Pure.
#pragma once

#include "probe/media/stream_figures.hpp"

namespace callready::media {

// Packets in a row that were not answered and that make a silence to the end: half a second of a
// call's.
inline constexpr std::uint32_t silent_end = 25;

// What the far end says that it got of a session (serve's counts): packets, each once, and how many
// came from elsewhere than the first.
struct FarEndCount {
  int received = 0, elsewhere = 0;
};

// The packets after the last that was answered: `last` is the number of the last that was sent.
// True where they are too many to have been lost one by one.
bool ends_in_silence(const Asked& asked, std::uint32_t last, std::span<const Reply> replies);

// What became of the packets after the last reply, once the far end has said how many it got: they
// are lost on the way out, but for the first of them that it did get, whose replies were lost.
void tell_the_end(const Asked& asked, std::uint32_t last, std::span<const Reply> replies,
                  const FarEndCount& count, Directions& directions);

// The silence at the end, else the longest of a second or more; nothing where there is none.
// `counted`: what the far end said.
std::optional<MediaOutage> outage_of(const Asked& asked, std::uint32_t last,
                                     std::span<const Reply> replies, double interval_ms,
                                     const std::optional<FarEndCount>& counted);

}  // namespace callready::media
