// Packets for media ports whose far end has the key: RTP to any device on the way (RFC 3550),
// signed at their end. Pure: bytes and times in, bytes out.
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

// As a G.711 phone sends it: random sequence number, time and source, silence. If there is a key,
// the payload begins with the time of sending (seconds since 1970, four bytes), and ends with a
// truncated HMAC-SHA-256 of the rest (16 bytes). No two are the same. `source`: the RTP source
// (SSRC) of all packets that are counted together; random if absent.
std::vector<std::uint8_t> echo_request(std::span<const std::uint8_t> key,
                                       std::optional<std::uint32_t> source = std::nullopt,
                                       WallTime sent = std::chrono::system_clock::now());

// True if `reply` is the answer to that request from somebody with the key.
bool echo_matches(std::span<const std::uint8_t> request, std::span<const std::uint8_t> reply,
                  std::span<const std::uint8_t> key);

// Nobody gets more. Rates are averages over a second.
struct EchoLimits {
  double packets_per_second = 200;  // of one address
  double all_packets_per_second = 5'000;
  std::size_t addresses = 1'000;    // at a time
  std::chrono::seconds forget{60};  // an address that no longer asks
  // No packet is answered twice, so those that could be are remembered: for some minutes, or for
  // ever if the client's clock is so far off that their time is not known.
  std::chrono::seconds window{300};  // a packet that is older or further ahead has no known time
  std::size_t packets = 1'000'000, undated_packets = 200'000;
  double undated_per_second = 50, all_undated_per_second = 500;  // of one address, of all
  std::size_t counts = 100'000;  // of ports of sources; then only the latest are kept
  // Told in words, once for each reason, that packets of clients with the key are no longer
  // answered.
  std::function<void(std::string_view why)> full{};
};

// Answers clients that prove the key, each packet once: an overheard packet is worth nothing. After
// a restart, packets that were sent before it have no known time. The reply is as long as the
// request and signed differently, so that nothing that just reflects packets can make it.
class EchoKeeper {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `key`: not empty. `started`: in wall-clock time, like `wall` below.
  EchoKeeper(std::vector<std::uint8_t> key, EchoLimits limits, WallTime started)
      : key_(std::move(key)), limits_(std::move(limits)), started_(started) {}

  // Empty where no reply is due. `port`: ours, to which it came. `now`: by a monotonic clock.
  std::vector<std::uint8_t> answer(std::span<const std::uint8_t> request, const SocketAddress& from,
                                   std::uint16_t port, Time now, WallTime wall);
  // The packets of that source by the port to which they came, answered or not, and how many were
  // not answered because of limits; nothing if some of this may have been forgotten.
  using Ports = std::map<std::uint16_t, int>;
  struct Count {
    Ports ports;
    int refused = 0;
    bool whole = true;
  };
  std::optional<Count> count(std::uint32_t source, Time now) const;

 private:
  using Names = std::unordered_set<std::uint64_t>;  // of packets: the first bytes of their HMACs
  struct Rates {
    TokenBucket<Time> dated, undated;
    Time last_asked() const { return std::max(dated.last_asked(), undated.last_asked()); }
  };
  bool allowed(const IpAddress& from, bool dated, Time now);
  Names* names_of(std::span<const std::uint8_t> request, WallTime wall);
  Count& note(std::span<const std::uint8_t> request, std::uint16_t port, Time now);
  bool has_room(const Names& names);
  bool forgot_lately(Time now) const;
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
