// STUN, TURN, SIP and packet sizes over connections; QUIC, relays and long SIP over UDP.
#include <algorithm>

#include "tests/networks/observe.hpp"

namespace callready::networks {

std::pair<SocketAddress, SocketAddress> ModelledCheck::own_end() const {
  const auto local = observation.local.value_or(SocketAddress{net_.network().pc, 0});
  return {local, net_.mapped(local.port, {address_, target().port()})};
}

void ModelledCheck::show_mapped_address() {
  const auto [local, mapped] = own_end();
  show(EvidenceKind::mapped_address, {{Fact::address, mapped.address.to_string()},
                                      {Fact::port, mapped.port},
                                      {Fact::translated, mapped != local}});
}

// Fills in the observation, except for what the reply contains.
Heard ModelledCheck::ask_once(const Packet& request, std::size_t sends, double patience_ms) {
  observation.address = address_;
  observation.local = SocketAddress{net_.network().pc, request.from};
  const auto heard = net_.ask_udp(request, at_ms_, sends, patience_ms);
  observation.attempts = heard.attempts;
  ended_ms = first_reply_ms = at_ms_ + heard.took_ms;
  if (heard.kind != Heard::answer) {
    record(observation, heard.failure());
  } else if (heard.attempts == 1) {
    observation.round_trip = Milliseconds(heard.took_ms);
  }
  return heard;
}

// What `stun` and `turn` have in common.
bool ModelledCheck::answers_stun(Payload payload) {
  const bool udp = target().transport == Transport::udp;
  if (!udp && !open_stream()) return false;
  if (over_tls() && connection_.taken_by(BoxKind::intercept)) {
    // A box that opens TLS expects HTTP inside, and says so.
    fail(fault_ == DetailCode::unspecified ? DetailCode::not_stun : fault_);
    return false;
  }
  const auto heard =
      udp ? ask_once(packet(payload)) : request(over_tls() ? Payload::other : payload);
  if (heard.kind != Heard::answer) {
    if (!udp) fail(heard.broken_off(DetailCode::stun_timed_out));
    return false;
  }
  observation.timing_ms[Timing::reply] = heard.took_ms;
  if (fault_ != DetailCode::unspecified) fail(fault_);
  return fault_ == DetailCode::unspecified;
}

void ModelledCheck::stun() {
  if (!answers_stun(Payload::stun)) return;
  say(Outcome::answered, DetailCode::success);
  show(EvidenceKind::stun_reply, {{Fact::success, true}});
  show_mapped_address();
}

void ModelledCheck::turn() {
  if (!answers_stun(Payload::turn)) return;
  show(EvidenceKind::stun_reply, {{Fact::success, false}, {Fact::code, 401}});
  if (!net_.network().credentials) {
    show(EvidenceKind::turn_challenge, {{Fact::realm, "example"}, {Fact::nonce, true}});
    show(EvidenceKind::turn_refusal, {{Fact::code, 401}, {Fact::with_credentials, false}});
    return say(Outcome::answered, Detail::status(401));
  }
  show_mapped_address();
  show(EvidenceKind::relay, {{Fact::port, 50'000}, {Fact::lifetime_s, 600}});
  auto data = packet(Payload::rtp);
  data.proto = Proto::udp;
  data.port = static_cast<std::uint16_t>(49'152 + net_.new_port() % 16'000);
  bool outbound = false, inbound = false;
  for (int i = 0; i < 3; ++i) {
    outbound |= net_.send(data, ended_ms + 250 * i).kind == Fate::arrives;
    // From the relay: a NAT or firewall lets in replies from where we have sent to.
    inbound |= outbound && net_.comes_back(data);
  }
  const bool carried = outbound && inbound;
  show(EvidenceKind::relay_trip,
       {{Fact::relay_port, data.port}, {Fact::outbound, outbound}, {Fact::inbound, inbound}});
  ended_ms += carried ? 3 * net_.round_trip(address_) : 3000;
  if (!carried) show(EvidenceKind::relay_to_relay, {{Fact::carried, true}});
  say(Outcome::answered, DetailCode::relayed);
}

// Every host that is asked speaks QUIC there, and no box cares about its greeting.
void ModelledCheck::quic() {
  auto question = packet(Payload::other);
  question.bytes = 1'228;
  if (ask_once(question, 2, 750).kind != Heard::answer) return;
  say(Outcome::answered, DetailCode::quic_spoken);
  for (const auto* payload : {"version_negotiation", "initial"}) {
    show(EvidenceKind::quic,
         {{Fact::payload, payload}, {Fact::result, "replied"}, {Fact::port, 443}});
  }
}

// Over a connection.
void ModelledCheck::sip() {
  if (job_.parameter("srv") == "true") {
    show(EvidenceKind::sip_target, {{Fact::host, target().host}, {Fact::port, target().port()}});
  }
  if (!open_stream()) return;
  auto heard = Heard{Heard::answer, net_.round_trip(address_)};
  if (direct() && !connection_.taken_by(BoxKind::intercept)) {
    heard = request(over_tls() ? Payload::other : Payload::sip);
    if (net_.network().sip_ignores_strangers && heard.kind == Heard::answer) {
      heard = {Heard::nothing, reply_ms};
    }
  }
  ended_ms = connection_.at_ms + heard.took_ms;
  if (fault_ != DetailCode::unspecified) return fail(fault_);
  if (heard.kind != Heard::answer) return fail(heard.broken_off(DetailCode::sip_timed_out));
  observation.timing_ms[Timing::reply] = heard.took_ms;
  say(Outcome::answered, Detail::status(200));
  show(EvidenceKind::sip_reply,
       {{Fact::status, 200}, {Fact::reason, "OK"}, {Fact::final, true}, {Fact::body_bytes, 0}});
  const auto [local, mapped] = own_end();
  show(EvidenceKind::sip_via, {{Fact::rewritten, false},
                               {Fact::vias, 1},
                               {Fact::translated, mapped != local},
                               {Fact::received, mapped.address.to_string()}});
}

// Over a connection, which no box of these networks looks into.
void ModelledCheck::sip_alg() {
  sip();
  if (observation.outcome != Outcome::answered) return;
  constexpr int messages = 3;
  say(Outcome::answered, DetailCode::no_rewriting_seen);
  show(EvidenceKind::sip_alg, {{Fact::messages, messages}, {Fact::sdp_tested, false}});
  ended_ms += 1000 * (messages - 1);
}

// No box of these networks cares how long SIP is: a host that answers short messages answers this.
// Where full-size packets vanish, so do its first fragment and, over TCP, its first segment.
void ModelledCheck::sip_long() {
  const auto heard = ask_once(packet(Payload::sip));
  observation.evidence.clear();
  const auto* mtu = net_.find(BoxKind::mtu);
  const bool vanishes = mtu != nullptr && mtu->limit < 1500;
  const bool answered = heard.kind == Heard::answer && !vanishes;
  if (!answered) return say(Outcome::skipped, DetailCode::sizes_not_compared);
  say(Outcome::answered, Detail::status(200));
}

// Over a connection.
void ModelledCheck::path() {
  if (!open()) return;
  const bool at_once = job_.probe.purpose == Purpose::repeat;
  if (at_once) observation.attempts = 2;
  const bool broken = over_tls() && !open_tls();
  if (broken && observation.detail != DetailCode::tls_timed_out) return;
  if (!broken) {
    const auto heard = net_.exchange(connection_, packet(Payload::http), reply_ms);
    ended_ms = connection_.at_ms + heard.took_ms;
    if (heard.kind == Heard::answer && net_.find(BoxKind::mtu) == nullptr) {
      return say(Outcome::answered, DetailCode::full_size);
    }
    fail(DetailCode::http_timed_out);
  }
  ModelledCheck small_segments(net_, job_, at_once ? at_ms_ : ended_ms);
  const bool stands = small_segments.open();
  observation.attempts = 2;
  ended_ms = std::max(ended_ms, small_segments.ended_ms);
  if (!stands) return;
  auto hello = small_segments.packet(over_tls() ? Payload::tls : Payload::http);
  hello.name = target().host;
  const auto heard = net_.exchange(small_segments.connection_, hello,
                                   over_tls() ? tls_ms : reply_ms, over_tls() ? 3 : 1);
  ended_ms = std::max(ended_ms, small_segments.connection_.at_ms + heard.took_ms);
  if (heard.kind != Heard::answer) return;
  fail(DetailCode::black_hole);
  show(EvidenceKind::path_mtu, {{Fact::full, 1500}});
}

}  // namespace callready::networks
