#include <algorithm>

#include "probe/net/stun.hpp"
#include "probe/serve/call_sessions.hpp"
#include "probe/util/text.hpp"
#include "probe/webrtc/long_hello.hpp"

namespace callready::serve {
namespace {

constexpr std::size_t longest_datagram = 1'500, most_addresses = 8;
constexpr std::uint32_t host_priority = 2'130'706'431;  // RFC 8445 section 5.1.2.1

}  // namespace

struct CallSessions::Session {
  Session(const webrtc::Identity& identity, const webrtc::Keys& peer)
      : dtls(identity, false, peer.fingerprint) {}

  std::string id, password;  // ours
  IpAddress client;
  Instant began{}, proved{};
  std::list<SocketAddress> addresses;  // that sent a proof, the latest last
  webrtc::Dtls dtls;
  SocketAddress dtls_peer;
  Own dtls_own;  // where it sends to
  std::optional<webrtc::Srtp> srtp;
  CallCounts counts;
  TokenBucket<Instant> packets, bytes;
};

CallSessions::CallSessions(CallLimits limits, std::vector<IpAddress> addresses, std::uint16_t port)
    : limits_(limits), addresses_(std::move(addresses)), port_(port) {}

CallSessions::~CallSessions() = default;

CallSessions::Opened CallSessions::open(std::string_view text, const IpAddress& client,
                                        const IpAddress& reached, Instant now) {
  const auto offer = webrtc::parse_sdp(text);
  if (!offer || offer->media.empty()) return {Refusal::malformed, {}, {}};
  const auto audio = webrtc::acceptable_audio(*offer);
  if (!audio) return {Refusal::unsupported, {}, {}};
  const auto of_client = std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& one) {
    return one.second->client == client;
  });
  if (sessions_.size() >= limits_.sessions ||
      static_cast<std::size_t>(of_client) >= limits_.sessions_of_address) {
    return {Refusal::crowded, {}, {}};
  }
  const auto keys = offer->keys_of(offer->media[*audio]);
  auto session = std::make_shared<Session>(identity_, keys);
  // Also a part of a URL.
  session->id = webrtc::random_word(24);
  std::erase_if(session->id, [](char c) { return c == '/' || c == '+'; });
  session->password = webrtc::random_word(24);
  session->client = client;
  session->began = session->proved = now;
  webrtc::LocalEnd local;
  local.keys = {session->id, session->password, identity_.fingerprint(), "passive"};
  local.ice_lite = true;
  local.session = static_cast<std::uint64_t>(now.time_since_epoch().count()) >> 1;
  auto addresses = addresses_;
  if (reached != IpAddress{}) add_once(addresses, reached);
  std::uint32_t number = 0;
  for (const auto& address : addresses) {
    local.candidates.push_back({webrtc::CandidateType::host,
                                {address, port_},
                                host_priority - 256 * number,
                                std::to_string(number + 1)});
    ++number;
  }
  Opened opened{Refusal::none, session->id, webrtc::print_answer(*offer, *audio, local)};
  sessions_.emplace(session->id, std::move(session));
  return opened;
}

std::optional<CallCounts> CallSessions::close(const std::string& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return std::nullopt;
  const auto session = found->second;
  leave(session);
  return session->counts;
}

void CallSessions::leave(const std::shared_ptr<Session>& session) {
  for (const auto& address : session->addresses) proved_.erase(address);
  sessions_.erase(session->id);
}

bool CallSessions::may_send(Session& session, std::size_t bytes, Instant now) {
  const auto size = static_cast<double>(bytes);
  return session.packets.take(1, limits_.packets_per_second, now) &&
         session.bytes.take(size, limits_.bytes_per_second, now) &&
         all_.take(size, limits_.all_bytes_per_second, now);
}

void CallSessions::take_check(std::span<const std::uint8_t> datagram, const SocketAddress& from,
                              Instant now, const Send& send, const Own& to) {
  const auto request = stun::parse(datagram);
  if (request.has_error() || !request->is(stun::Class::request, stun::Method::binding)) return;
  const auto user = request->username.value_or("");
  const auto found = sessions_.find(user.substr(0, user.find(':')));
  if (found == sessions_.end()) return;
  const auto session = found->second;
  const auto key = bytes_of(session->password);
  if (!request->has_integrity || !stun::integrity_matches(datagram, key)) return;
  ++session->counts.checks;
  session->proved = now;
  const auto known = proved_.find(from);
  if (known != proved_.end()) known->second->addresses.remove(from);
  session->addresses.push_back(from);
  proved_[from] = session;
  if (session->addresses.size() > most_addresses) {
    proved_.erase(session->addresses.front());
    session->addresses.pop_front();
  }
  stun::Builder builder(stun::Class::success, stun::Method::binding, request->id);
  builder.add_xor_address(stun::Attribute::xor_mapped_address, from);
  auto reply = builder.finish(key);
  if (reply.empty()) return;
  // A request without FINGERPRINT, which is the last attribute (RFC 8489 section 14.7), is answered
  // without it.
  const auto tail = datagram.last(8);
  const bool printed = (tail[0] << 8 | tail[1]) == static_cast<int>(stun::Attribute::fingerprint);
  if (printed) stun::add_fingerprint(reply);
  if (reply.size() <= datagram.size() && may_send(*session, reply.size(), now)) {
    send(reply, from, to);
  }
}

void CallSessions::send_flights(Session& session, Instant now, const Send& send) {
  for (const auto& flight : session.dtls.outgoing()) {
    if (!may_send(session, flight.size(), now)) continue;
    send(flight, session.dtls_peer, session.dtls_own);
  }
  if (session.srtp) return;
  if (const auto keys = session.dtls.keys()) session.srtp = webrtc::Srtp::make(*keys);
}

void CallSessions::take(std::span<const std::uint8_t> datagram, const SocketAddress& from,
                        Instant now, const Send& send, const Own& to) {
  if (datagram.empty() || datagram.size() > longest_datagram) return;
  const auto first = datagram[0];  // RFC 7983
  if (first <= 3) return take_check(datagram, from, now, send, to);
  const auto found = proved_.find(from);
  if (found == proved_.end()) return;
  auto& session = *found->second;
  if (now - session.proved > limits_.consent) return;
  if (first >= 20 && first <= 63) {
    // From an association other than the established one: it gets no answer.
    const auto part = session.srtp ? webrtc::part_of_client_hello(datagram) : std::nullopt;
    if (part) {
      ++(*part == 0 ? session.counts.first_parts : session.counts.later_parts);
      return;
    }
    ++session.counts.handshake;
    // From then on the handshake stays where it was proved.
    if (!session.dtls.has_cookie()) {
      session.dtls_peer = from;
      session.dtls_own = to;
    }
    session.dtls.take(datagram, from.to_string());
    return send_flights(session, now, send);
  }
  const bool rtcp = datagram.size() > 1 && datagram[1] >= 192 && datagram[1] <= 223;
  if (first < 128 || first > 191 || rtcp || !session.srtp) return;
  const auto rtp = session.srtp->unprotect(datagram);
  if (!rtp) return;
  ++session.counts.media;
  const auto back = session.srtp->protect(*rtp);
  if (back && back->size() <= datagram.size() && may_send(session, back->size(), now)) {
    send(*back, from, to);
  }
}

void CallSessions::tick(Instant now, const Send& send) {
  std::vector<std::shared_ptr<Session>> gone;
  for (const auto& [id, session] : sessions_) {
    if (now - session->began > limits_.session || now - session->proved > limits_.consent) {
      gone.push_back(session);
      continue;
    }
    session->dtls.tick();
    send_flights(*session, now, send);
  }
  for (const auto& session : gone) leave(session);
}

}  // namespace callready::serve
