// WebRTC calls that are looped back to the caller (RTP loopback, RFC 6849): ICE-lite (RFC 8445
// section 2.5), DTLS-SRTP (RFC 5764), SRTP. Datagrams and a clock in, datagrams out: no sockets.
//
// Nothing is sent to anybody who has not proved by ICE's password to be there: the answer to such a
// proof is no longer than the proof, DTLS's cookie is no longer than the message that asks for it,
// and each packet of media comes back once and no longer. Consent (RFC 7675): a client that has not
// proved it for 30 s is dropped.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>

#include "probe/net/clock.hpp"
#include "probe/net/service_timeouts.hpp"
#include "probe/util/token_bucket.hpp"
#include "probe/webrtc/dtls.hpp"
#include "probe/webrtc/sdp.hpp"

namespace callready::serve {

struct CallLimits {
  std::size_t sessions = 200, sessions_of_address = 20;
  std::chrono::milliseconds session = timeouts::served_call, consent = timeouts::served_consent;
  // Of a session, and of all; both may save up for a second.
  double packets_per_second = 2'000, bytes_per_second = 625'000, all_bytes_per_second = 12'500'000;
};

// What arrived in a session, as far as it was proved whose it is.
struct CallCounts {
  int checks = 0, handshake = 0, media = 0;
  // ClientHellos in fragments that came after the handshake: their first fragments and their later
  // ones. Nobody answers these.
  int first_parts = 0, later_parts = 0;
};

class CallSessions {
 public:
  using Bytes = webrtc::Bytes;
  // An address of ours; nothing: the socket has but one.
  using Own = std::optional<IpAddress>;
  using Send = std::function<void(std::span<const std::uint8_t> bytes, const SocketAddress& to,
                                  const Own& from)>;

  // `addresses`: those at which `port` is reached.
  CallSessions(CallLimits limits, std::vector<IpAddress> addresses, std::uint16_t port);
  ~CallSessions();

  enum class Refusal { none, malformed, unsupported, crowded };
  struct Opened {
    Refusal refusal = Refusal::none;
    std::string id, answer;
  };
  // `reached`: the address by which the client came; a candidate, too.
  Opened open(std::string_view offer, const IpAddress& client, const IpAddress& reached,
              Instant now);
  // Nothing: there is no such session.
  std::optional<CallCounts> close(const std::string& id);

  // `to`: where it came to, so that the answer leaves from there.
  void take(std::span<const std::uint8_t> datagram, const SocketAddress& from, Instant now,
            const Send& send, const Own& to = std::nullopt);
  // Repeats what was lost, and drops clients that have gone: call it some twenty times a second.
  void tick(Instant now, const Send& send);

  std::size_t size() const { return sessions_.size(); }

 private:
  struct Session;
  void take_check(std::span<const std::uint8_t> datagram, const SocketAddress& from, Instant now,
                  const Send& send, const Own& to);
  void send_flights(Session& session, Instant now, const Send& send);
  bool may_send(Session& session, std::size_t bytes, Instant now);
  void leave(const std::shared_ptr<Session>& session);

  CallLimits limits_;
  std::vector<IpAddress> addresses_;
  std::uint16_t port_;
  webrtc::Identity identity_;
  std::map<std::string, std::shared_ptr<Session>> sessions_;  // by our part of ICE's username
  std::map<SocketAddress, std::shared_ptr<Session>> proved_;  // by the address that sent a proof
  TokenBucket<Instant> all_;
};

}  // namespace callready::serve
