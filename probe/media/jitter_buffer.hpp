// How long an adaptive jitter buffer would hold a stream's packets, and what it would have to
// conceal: modelled on NetEQ, the buffer of WebRTC and so of browsers and most soft phones (its
// delay_manager.cc, decision_logic.cc and packet_arrival_history.cc). Pure.
#pragma once

#include <cstdint>
#include <span>

namespace callready::media {

struct Arrival;

struct Playout {
  double concealed_ms = 0;  // of what was sent: lost, or not there in time
  double held_ms = 0;  // how much later than the fastest packet's way sound came out, on average
};

// For `count` packets, as if each had been sent `interval_ms` after the one before it: only how
// long they took counts, and they may be in any order.
Playout play(std::span<const Arrival> arrivals, int count, double interval_ms);

}  // namespace callready::media
