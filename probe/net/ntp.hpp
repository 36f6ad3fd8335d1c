// SNTP packets (RFC 5905 sections 6, 7.3, 14) and what they say of the local clock. No sockets.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "probe/net/failure.hpp"

namespace callready::ntp {

// Seconds since 1900 in 32 bits, modulo 2^32, and their fractions in 32 bits (section 6).
using Timestamp = std::uint64_t;

Timestamp to_timestamp(WallTime time);

struct Packet {
  int leap = 0;  // 3: not synchronised
  int version = 4;
  int mode = 0;     // 4: server
  int stratum = 0;  // 1 to 15; 0: a kiss-o'-death, or not synchronised
  double root_delay_ms = 0, root_dispersion_ms = 0;
  std::array<std::uint8_t, 4> reference_id{};
  Timestamp originate = 0, receive = 0, transmit = 0;
};

// A client's request, version 4. `nonce` takes the place of the time of sending: the server only
// repeats it, and a random number does not reveal our clock and cannot be guessed by others.
std::array<std::uint8_t, 48> encode_request(std::uint64_t nonce);

// `malformed` where the message is shorter than 48 bytes. What follows (extension fields, a MAC)
// is not looked at.
Result<Packet> parse_packet(std::span<const std::uint8_t> bytes);

// The kiss code of a packet of stratum 0 ("DENY", "RATE"), or a stratum-1 server's source ("GPS");
// made printable.
std::string reference_text(const Packet& packet);

// True for a kiss-o'-death, with which a server refuses. One whose clock is not set yet has stratum
// 0, too, with "INIT", "STEP" (section 7.4, figure 13) or no code at all.
bool is_kiss(const Packet& packet);

// Why a reply does not give the time, or empty: "malformed" (not a server's reply, or without its
// time) or "not_synchronised".
Detail reply_fault(const Packet& packet);

struct Sample {
  Milliseconds offset{0};  // server minus local: positive where the local clock is slow
  Milliseconds delay{0};   // there and back, without the server's own time
};

// Section 8: from the local times of sending and of arrival. Right as long as the clocks differ by
// less than 68 years, also across the end of the era in 2036.
Sample measure(const Packet& reply, WallTime sent, WallTime arrived);

// The offset from the way back alone, for when it is not known which request was answered: too
// small by as much as that way took.
Milliseconds measure_back(const Packet& reply, WallTime arrived);

}  // namespace callready::ntp
