// What a STAMP reflector answers, and to whom: clients that prove the key, and no packet twice.
// Pure: bytes and times in, bytes out; the socket is serve/stamp_server.hpp's.
#pragma once

#include <bitset>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string_view>

#include "probe/media/stamp.hpp"
#include "probe/model/observation.hpp"
#include "probe/util/token_bucket.hpp"

namespace callready::media {

// Nobody gets more. Rates are averages over a second.
struct ReflectorLimits {
  std::chrono::seconds session{90};  // a stream of a minute, and what goes before and after it
  std::chrono::seconds idle{30};     // RFC 7675: a client that stops asking is gone
  double packets_per_second = 2'000, bytes_per_second = 5e6 / 8;  // of a session
  double all_bytes_per_second = 100e6 / 8;
  // A stream and 100 calls take 6: ten sites behind one address may ask at once.
  std::size_t sessions = 200, sessions_of_address = 60;
  // A packet that is older or further ahead has no known time.
  std::chrono::seconds window{300};
  // Told once, in words, that sessions of clients with the key are no longer answered.
  std::function<void(std::string_view why)> full{};
};

// A datagram as it came.
struct Incoming {
  stamp::View bytes;
  SocketAddress from;
  WallTime arrived;  // by a monotonic clock
  std::optional<int> traffic_class, ttl;
};

struct Reflected {
  stamp::Bytes bytes;
  int traffic_class = 0;
};

// What came in a session, until ten minutes after its last packet: packets, each once; those that
// came from a different place than the first; those for which there was no room, or whose SSID
// somebody else has or had lately. Also packets of any session that this computer lost before
// reading them, while this one lasted.
struct SessionCount {
  std::uint32_t received = 0, elsewhere = 0, refused = 0, dropped = 0;
};

// A session is one SSID (RFC 8972 section 3) of one address and port: the first that used it.
// Nobody else can use it until its packets are too old to begin another one, and none of its
// sequence numbers is answered twice: an overheard packet is worth nothing. A client whose clock is
// further off than the window, or a packet from before a restart, begins a session only with an
// SSID that nobody has used since the start: there are 65,536 of these.
class Reflector {
 public:
  // `key`: not empty; the reflector has no open mode. `started`: as `now` below.
  Reflector(stamp::Bytes key, ReflectorLimits limits, WallTime started)
      : key_(std::move(key)), limits_(std::move(limits)), started_(started) {}

  // The reply, as long as the request; nothing where none is due. `now`: of sending. `wall`: the
  // time of day, where the clock of `now` does not follow it.
  std::optional<Reflected> answer(const Incoming& incoming, WallTime now) {
    return answer(incoming, now, now);
  }
  std::optional<Reflected> answer(const Incoming& incoming, WallTime now, WallTime wall);
  std::size_t sessions() const { return sessions_.size(); }
  SessionCount count(std::uint16_t ssid) const;
  // This many packets came and were lost in the socket.
  void note_dropped(std::uint32_t packets);
  // Frees its place for others; it is no longer answered.
  void leave(std::uint16_t ssid) { sessions_.erase(ssid); }

 private:
  struct Session {
    SocketAddress peer;
    WallTime begun, last;
    TokenBucket<WallTime> packets, bytes;
    std::uint32_t received = 0, reflected = 0;
    std::uint32_t newest = 0;  // the largest sequence number so far
    std::bitset<1024> seen;    // it and those before it, by the number modulo 1024
  };
  Session* session_of(const Incoming& incoming, const stamp::SenderPacket& packet, WallTime now,
                      WallTime wall);
  bool may_begin(const stamp::SenderPacket& packet, WallTime wall);
  void forget(WallTime now);
  static bool is_new(Session& session, std::uint32_t sequence);

  stamp::Bytes key_;
  ReflectorLimits limits_;
  TokenBucket<WallTime> all_;
  std::map<std::uint16_t, Session> sessions_;
  WallTime started_;
  std::map<std::uint16_t, WallTime> last_;  // of each SSID whose packets may have been overheard
  std::bitset<65'536> used_;                // since the start
  struct Counted : SessionCount {
    WallTime last;
  };
  std::map<std::uint16_t, Counted> counts_;
  bool said_ = false;
  WallTime looked_{};
};

}  // namespace callready::media
