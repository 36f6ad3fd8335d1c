// Packets of a media range whose far end has the key: RTP to whoever looks at them on the way (RFC
// 3550), signed at their end. Pure: bytes and times in, bytes out.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_set>
#include <vector>

#include "probe/model/ip.hpp"
#include "probe/model/observation.hpp"
#include "probe/util/token_bucket.hpp"

namespace callready::media {

inline constexpr std::size_t echo_bytes = 172;  // 20 ms of G.711

// As a G.711 phone sends it: random sequence number, time and source, silence; its last 16 bytes
// are an HMAC-SHA-256 of the rest, cut, where there is a key. No two are the same.
std::vector<std::uint8_t> echo_request(std::span<const std::uint8_t> key);

// True where `reply` is what somebody with the key answers that request.
bool echo_matches(std::span<const std::uint8_t> request, std::span<const std::uint8_t> reply,
                  std::span<const std::uint8_t> key);

// Nobody gets more. Rates are averages over a second.
struct EchoLimits {
  double packets_per_second = 200;  // of one address
  double all_packets_per_second = 5'000;
  std::size_t addresses = 1'000;    // at a time
  std::chrono::seconds forget{60};  // an address that asks no more
  std::size_t packets = 1'000'000;  // of one key: no packet is answered twice, so all are kept
};

// Answers who proves the key, each packet once: what somebody has overheard is worth nothing. The
// reply is as long as the request, and signed otherwise: nothing that only sends back makes it.
class EchoKeeper {
 public:
  // `key`: not empty.
  EchoKeeper(std::vector<std::uint8_t> key, const EchoLimits& limits)
      : key_(std::move(key)), limits_(limits) {}

  // Empty where no reply is due. `now`: by a clock that nobody sets.
  std::vector<std::uint8_t> answer(std::span<const std::uint8_t> request, const SocketAddress& from,
                                   std::chrono::steady_clock::time_point now);

 private:
  using Time = std::chrono::steady_clock::time_point;
  bool allowed(const IpAddress& from, Time now);

  std::vector<std::uint8_t> key_;
  EchoLimits limits_;
  std::unordered_set<std::uint64_t> seen_;  // by the first bytes of their HMACs
  std::map<IpAddress, TokenBucket<Time>> addresses_;
  TokenBucket<Time> all_;
};

}  // namespace callready::media
