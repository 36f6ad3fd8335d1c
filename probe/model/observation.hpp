// What a probe saw: an outcome from the closed list, its timings and its evidence. It holds facts
// only; statuses and causes are derived from it elsewhere (probe/diagnosis).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "probe/model/ip.hpp"
#include "probe/model/words.hpp"

namespace callready {

using WallTime = std::chrono::system_clock::time_point;
using Milliseconds = std::chrono::duration<double, std::milli>;

using EvidenceValue = std::variant<std::string, double, std::int64_t, bool>;

// One fact: a reply, an ICMP error and its sender, a certificate, a header as it came back.
struct Evidence {
  std::string kind;  // stable and snake_case: "sip_reply", "icmp_error", "certificate"
  std::string text;  // one sentence for a person; no secrets
  std::map<std::string, EvidenceValue> facts;  // the same for a program
};

// Facts by name; empty, or nothing, where there is none of that type.
std::string text_fact(const Evidence& evidence, const std::string& name);
std::optional<double> number_fact(const Evidence& evidence, const std::string& name);
std::optional<bool> flag_fact(const Evidence& evidence, const std::string& name);

struct SocketAddress {
  IpAddress address;
  std::uint16_t port = 0;
  std::string to_string() const;  // "192.0.2.1:443", "[2001:db8::1]:443"
  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

struct Observation {
  Outcome outcome = Outcome::skipped;
  std::string detail;  // stable snake_case word for what exactly: "connection_refused", "401"
  std::optional<IpAddress> address;         // the address that was tried
  std::optional<SocketAddress> local;       // our own end
  std::optional<WallTime> sent_at;          // first packet
  std::optional<Milliseconds> round_trip;   // one round trip to the far end, as measured
  std::map<std::string, double> timing_ms;  // named parts: "dns", "connect", "handshake", "reply"
  int attempts = 0;                         // how often the request was sent
  std::vector<Evidence> evidence;
};

// True where the observation proves that the way to the service is open.
bool reached(Outcome outcome);

}  // namespace callready
