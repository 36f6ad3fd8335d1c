// STAMP packets (RFC 8762, RFC 8972), both modes and the TLVs that we use. Bytes in, bytes out.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace callready::media::stamp {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

// NTP's 64 bits: seconds since 1900 modulo 2^32, and their fractions.
using Timestamp = std::uint64_t;
Timestamp to_timestamp(std::chrono::system_clock::time_point time);
// From `from` to `to`, right as long as they are less than 68 years apart.
std::chrono::nanoseconds between(Timestamp from, Timestamp to);

// RFC 8762 section 4.2.1: the multiplier must not be 0. Not synchronised, scale 8, multiplier 1:
// 2^-24 s.
inline constexpr std::uint16_t unsynchronised = 0x0801;

// Without it packets are unauthenticated.
using Key = View;

inline constexpr std::size_t open_bytes = 44, authenticated_bytes = 112;
inline constexpr std::size_t largest = 1472;  // of a packet; a longer one is not ours

// Class of Service (RFC 8972 section 4.4, with erratum 8199): `wanted` is asked for the reply,
// `arrived` is what the reflector saw. `refused`: it replies with what it saw instead.
struct ClassOfService {
  std::uint8_t wanted = 0, arrived = 0, ecn = 0;
  bool refused = false;
};

// Direct Measurement (RFC 8972 section 4.5): packets that went and came.
struct DirectMeasurement {
  std::uint32_t sent = 0;                     // by the sender
  std::uint32_t received = 0, reflected = 0;  // by the reflector
};

struct Tlvs {
  std::optional<ClassOfService> class_of_service;
  std::optional<DirectMeasurement> direct_measurement;
};

struct SenderPacket {
  std::uint32_t sequence = 0;
  Timestamp sent = 0;  // T1
  std::uint16_t error = unsynchronised, ssid = 0;
  Tlvs tlvs;
};

struct ReflectorPacket {
  std::uint32_t sequence = 0;
  Timestamp sent = 0, received = 0;  // T3, T2
  std::uint16_t error = unsynchronised, ssid = 0;
  std::uint32_t sender_sequence = 0;
  Timestamp sender_sent = 0;  // T1
  std::uint16_t sender_error = 0;
  std::uint8_t sender_ttl = 0;  // 0: it does not say
  Tlvs tlvs;
};

// The smallest size of a sender's packet with these TLVs.
std::size_t size_of(const Tlvs& tlvs, bool authenticated);

// `size` is that of the whole packet, filled up by an Extra Padding TLV (RFC 8972 section 4.1); if
// it is too small for that, or for the other TLVs, the packet is as small as it can be.
Bytes encode(const SenderPacket& packet, std::size_t size, Key key);

// Nothing if it is not such a packet: too short or too long, an error estimate of zero (RFC 8762
// section 4.2.1), a wrong HMAC, TLVs that overrun or whose own HMAC is wrong, and where the packet
// is authenticated TLVs without one.
std::optional<SenderPacket> parse_sender(View bytes, Key key);

// The reply to `request`, a packet that parse_sender took: as long as that, with its TLVs copied as
// in RFC 8972 section 4, and those of `packet` filled in.
Bytes encode_reply(const ReflectorPacket& packet, View request, Key key);

// The same for a reply. In open mode one of 38 bytes is taken too: TWAMP Light without the TTL.
std::optional<ReflectorPacket> parse_reply(View bytes, Key key);

}  // namespace callready::media::stamp
