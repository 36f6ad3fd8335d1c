// Packets of a media range whose far end has the key: RTP to whoever looks at them on the way (RFC
// 3550), signed at their end. Pure: bytes and times in, bytes out.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "probe/model/ip.hpp"
#include "probe/model/observation.hpp"
#include "probe/util/token_bucket.hpp"

namespace callready::media {

inline constexpr std::size_t echo_bytes = 172;  // 20 ms of G.711

// As a G.711 phone sends it: random sequence number, time and source, silence. Where there is a
// key, its first sound is when it was sent (seconds since 1970, four bytes), and its last 16 bytes
// are an HMAC-SHA-256 of the rest, cut. No two are the same.
// `source`: the RTP source (SSRC) of all packets that are counted together; by chance where absent.
std::vector<std::uint8_t> echo_request(std::span<const std::uint8_t> key,
                                       std::optional<std::uint32_t> source = std::nullopt,
                                       WallTime sent = std::chrono::system_clock::now());

// True where `reply` is what somebody with the key answers that request.
bool echo_matches(std::span<const std::uint8_t> request, std::span<const std::uint8_t> reply,
                  std::span<const std::uint8_t> key);

// Nobody gets more. Rates are averages over a second.
struct EchoLimits {
  double packets_per_second = 200;  // of one address
  double all_packets_per_second = 5'000;
  std::size_t addresses = 1'000;    // at a time
  std::chrono::seconds forget{60};  // an address that asks no more
  // No packet is answered twice, so those are kept that could be: of the last minutes, and of
  // clients whose clock is so far off that their packets are of no known time, for ever.
  std::chrono::seconds window{
      300};  // a packet that is older, or so much ahead, is of no known time
  std::size_t packets = 1'000'000, undated_packets = 200'000;
  double undated_per_second = 50, all_undated_per_second = 500;  // of one address, of all
  std::size_t counts = 100'000;  // of ports of sources, then of the latest ones only
  // Told in words, once for each reason, that packets of clients with the key are no longer
  // answered.
  std::function<void(std::string_view why)> full{};
};

// Answers who proves the key, each packet once: what somebody has overheard is worth nothing. After
// a restart, what was sent before it is of no known time. The reply is as long as the request, and
// signed otherwise: nothing that only sends back makes it.
class EchoKeeper {
 public:
  // `key`: not empty. `started`: by the clock on the wall, as `wall` below.
  EchoKeeper(std::vector<std::uint8_t> key, EchoLimits limits, WallTime started)
      : key_(std::move(key)), limits_(std::move(limits)), started_(started) {}

  // Empty where no reply is due. `port`: of ours, to which it came. `now`: by a clock that nobody
  // sets.
  std::vector<std::uint8_t> answer(std::span<const std::uint8_t> request, const SocketAddress& from,
                                   std::uint16_t port, std::chrono::steady_clock::time_point now,
                                   WallTime wall);
  // Packets of that source by the port to which they came, answered or not, and how many were not
  // answered for its limits; nothing where some of it may have been forgotten.
  using Ports = std::map<std::uint16_t, int>;
  struct Count {
    Ports ports;
    int refused = 0;
    bool whole = true;
  };
  std::optional<Count> count(std::uint32_t source) const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  using Names = std::unordered_set<std::uint64_t>;  // of packets: the first bytes of their HMACs
  struct Rates {
    TokenBucket<Time> dated, undated;
    Time last_asked() const { return std::max(dated.last_asked(), undated.last_asked()); }
  };
  bool allowed(const IpAddress& from, bool dated, Time now);
  Names* names_of(std::span<const std::uint8_t> request, WallTime wall);
  Count& note(std::span<const std::uint8_t> request, std::uint16_t port, Time now);
  bool has_room(const Names& names);
  void say(bool& said, std::string_view why);

  std::vector<std::uint8_t> key_;
  EchoLimits limits_;
  WallTime started_;
  std::map<std::int64_t, Names> seen_;  // by when they were sent, in windows since 1970
  Names undated_;
  std::map<IpAddress, Rates> addresses_;
  Rates all_;
  std::map<std::uint32_t, Count> came_;  // by source
  std::size_t counts_ = 0;
  std::optional<Time> forgot_;  // when
  bool said_full_ = false, said_undated_ = false;
};

}  // namespace callready::media
