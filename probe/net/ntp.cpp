#include "probe/net/ntp.hpp"

#include <algorithm>

#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"

namespace callready::ntp {
namespace {

constexpr std::size_t packet_size = 48;
constexpr std::int64_t unix_epoch = 2'208'988'800;  // in seconds since 1900

std::uint64_t number(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const auto byte : bytes) value = value << 8 | byte;
  return value;
}

// NTP short format: 16 bits of seconds, 16 of fractions.
double short_ms(std::span<const std::uint8_t> bytes) {
  return static_cast<double>(number(bytes)) / 65.536;
}

// The difference of two timestamps, whatever their eras: less than 68 years either way.
Milliseconds difference(Timestamp later, Timestamp earlier) {
  const auto ticks = static_cast<std::int64_t>(later - earlier);
  return Milliseconds(static_cast<double>(ticks) / 4'294'967.296);
}

}  // namespace

Timestamp to_timestamp(WallTime time) {
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  const auto since = std::chrono::floor<nanoseconds>(time.time_since_epoch());
  const auto whole = std::chrono::floor<seconds>(since);
  const auto rest = static_cast<std::uint64_t>((since - whole).count());
  const auto era_seconds = static_cast<std::uint64_t>(whole.count() + unix_epoch) & 0xffff'ffff;
  return era_seconds << 32 | ((rest << 32) / 1'000'000'000);
}

std::array<std::uint8_t, 48> encode_request(std::uint64_t nonce) {
  std::array<std::uint8_t, 48> bytes{};
  bytes[0] = 4 << 3 | 3;  // no leap warning, version 4, client
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[40 + i] = static_cast<std::uint8_t>(nonce >> (56 - 8 * i) & 0xff);
  }
  return bytes;
}

Result<Packet> parse_packet(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < packet_size) {
    return malformed("an NTP message of " + std::to_string(bytes.size()) + " bytes");
  }
  Packet packet;
  packet.leap = bytes[0] >> 6;
  packet.version = bytes[0] >> 3 & 7;
  packet.mode = bytes[0] & 7;
  packet.stratum = bytes[1];
  packet.root_delay_ms = short_ms(bytes.subspan(4, 4));
  packet.root_dispersion_ms = short_ms(bytes.subspan(8, 4));
  std::copy_n(bytes.begin() + 12, 4, packet.reference_id.begin());
  packet.originate = number(bytes.subspan(24, 8));
  packet.receive = number(bytes.subspan(32, 8));
  packet.transmit = number(bytes.subspan(40, 8));
  return packet;
}

std::string reference_text(const Packet& packet) {
  std::string text;
  for (const auto byte : packet.reference_id) {
    if (byte == 0) break;
    text += static_cast<char>(byte);
  }
  return printable(text);
}

bool is_kiss(const Packet& packet) {
  if (packet.mode != 4 || packet.stratum != 0) return false;
  const auto code = upper_case(reference_text(packet));
  const bool letters =
      std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return !code.empty() && letters && code != "INIT" && code != "STEP";
}

Detail reply_fault(const Packet& packet) {
  if (packet.mode != 4 || packet.version < 1 || packet.version > 4) return DetailCode::malformed;
  if (packet.stratum == 0 || packet.stratum > 15 || packet.leap == 3) {
    return DetailCode::not_synchronised;
  }
  if (packet.transmit == 0 || packet.receive == 0) return DetailCode::malformed;
  return {};
}

Sample measure(const Packet& reply, WallTime sent, WallTime arrived) {
  const auto there = difference(reply.receive, to_timestamp(sent));
  const auto back = measure_back(reply, arrived);
  Sample sample;
  sample.offset = (there + back) / 2;
  sample.delay = there - back;
  return sample;
}

Milliseconds measure_back(const Packet& reply, WallTime arrived) {
  return difference(reply.transmit, to_timestamp(arrived));
}

}  // namespace callready::ntp
