#include "probe/diagnosis/reach/reading.hpp"

#include <algorithm>
#include <array>

namespace callready::reach {
namespace {

using enum CheckKind;

// Over UDP: each request is sent again until it is answered.
bool is_request(CheckKind check) {
  return check == stun || check == ntp || check == sip || check == turn;
}

int times_sent(const Reading& reading) {
  const auto& [probe, seen] = reading.result;
  const bool udp = findings::is_udp(reading.result);
  int sent = udp && is_request(probe.check) && seen.outcome != Outcome::refused ? seen.attempts : 1;
  for (const auto& again : all_evidence(seen, EvidenceKind::retransmitted))
    sent = std::max(sent, whole_fact(again, Fact::attempts, 1, most_sampled).value_or(1));
  if (udp && seen.outcome != Outcome::silent) sent = std::max(1, sent - reading.line.early);
  // A handshake that takes a second more than usual: its first SYN got lost (RFC 6298 section 2).
  const auto trip = seen.round_trip.value_or(Milliseconds(0)).count();
  if (!udp && trip > 1000 + 1.2 * reading.line.by_tcp) sent = 2;
  return std::max(1, sent);
}

std::optional<bool> too_near(const Reading& reading) {
  constexpr double too_short_to_tell_ms = 8;
  const auto& [probe, seen] = reading.result;
  const auto& usual = reading.line.usual;
  const bool timed = !findings::is_udp(reading.result) || is_request(probe.check);
  const auto connect = found_in(seen.timing_ms, Timing::connect);
  const auto took = connect > 0 ? connect : seen.round_trip.value_or(Milliseconds(0)).count();
  const bool at_home = seen.address && seen.address->is_special();
  if (!timed || at_home || took <= 0 || !usual || *usual < too_short_to_tell_ms) {
    return std::nullopt;
  }
  return took < *usual / 4;
}

std::string icmp_sender(const ProbeResult& result) {
  return findings::text_of(result, EvidenceKind::icmp_error, Fact::sender);
}

// This computer's own system rejected it: a neighbor is silent.
bool is_own_word(const Reading& reading) {
  return reading.seen.outcome == Outcome::rejected &&
         findings::is_this_computer(reading.site, icmp_sender(reading.result));
}

std::optional<Seen> seen_over_tcp(const Reading& reading) {
  using enum DetailCode;
  constexpr std::array mute{tls_timed_out, sip_timed_out, stun_timed_out, http_timed_out,
                            black_hole};
  constexpr std::array cut{connection_reset, closed_by_peer, tls_access_denied};
  constexpr std::array foreign{unexpected_body, not_tls, not_stun};
  const auto& seen = reading.seen;
  if (contains(mute, seen.detail)) return Seen::mute;
  if (contains(cut, seen.detail)) return Seen::cut;
  if (contains(foreign, seen.detail)) return Seen::foreign;
  if (seen.outcome == Outcome::connected) return Seen::open;
  return seen_by_outcome(reading, false);
}

}  // namespace

std::optional<Seen> seen_by_outcome(const Reading& reading, bool udp) {
  switch (reading.seen.outcome) {
    case Outcome::answered:
    case Outcome::denied:
    case Outcome::failed:
      return udp ? Seen::reply : Seen::talk;
    case Outcome::silent:
      return Seen::nothing;
    case Outcome::refused:
      if (udp) return Seen::closed;
      return findings::who_refused(reading.result) == findings::Refuser::beyond ? Seen::refused_far
                                                                                : Seen::refused;
    case Outcome::rejected:
      if (is_own_word(reading)) return Seen::nothing;
      return udp ? Seen::prohibited : Seen::refused_way;
    default:
      return std::nullopt;
  }
}

// A request the whole way, and its answer.
void read_exchange(const Reading& reading, FlowEvents& events) {
  const auto& [probe, seen] = reading.result;
  read_contents(reading, events);
  // It never went out.
  if (seen.detail == DetailCode::kept_here || findings::is_inside(reading.result)) return;
  const bool udp = findings::is_udp(reading.result);
  const auto word = udp ? seen_by_outcome(reading, true) : seen_over_tcp(reading);
  if (!word) return;
  auto event = event_of(reading, *word);
  event.too_near = too_near(reading);
  event.sent = times_sent(reading);
  const auto who = is_own_word(reading) ? std::string() : icmp_sender(reading.result);
  const bool another = !who.empty() && who != event.flow.address;
  if (event.seen == Seen::closed && another) event.seen = Seen::refused_by;
  if (another && event.seen == Seen::prohibited) event.router = who;
  // It got there, and was refused.
  const bool refused = event.seen == Seen::closed || event.seen == Seen::refused_by;
  const auto refuser = findings::who_refused(reading.result);
  if (refused && refuser == findings::Refuser::beyond) event.seen = Seen::arrived;
  const bool itself = !who.empty() && !another && event.seen == Seen::prohibited;
  const bool beside = event.seen != Seen::arrived && findings::is_beside(who, event.flow.address);
  if (itself || beside) event.seen = udp ? Seen::closed : Seen::refused_far;
  if (udp && !another && refuser == findings::Refuser::on_the_way) event.seen = Seen::forged;
  if (event.seen == Seen::nothing && udp) event.sent = std::max(event.sent, 2);
  if (event.seen == Seen::nothing && !udp) {
    event.sent = findings::evidence_of(reading.result, EvidenceKind::short_wait) ? 2 : 3;
  }
  const bool tls = probe.target.transport == Transport::tls;
  const bool died_inside = tls && (seen.detail == DetailCode::stun_timed_out ||
                                   seen.detail == DetailCode::sip_timed_out);
  const bool answered_inside =
      tls && (probe.check == sip || probe.check == turn) &&
      (seen.outcome == Outcome::answered || seen.outcome == Outcome::denied);
  auto inside = event;
  inside.flow.cargo = Cargo::inside;
  inside.sent = 1;
  inside.too_near.reset();
  if (answered_inside) events.flows.push_back(inside);
  // TLS was established, and what it carried was not answered.
  const bool died = died_inside && event.seen == Seen::mute;
  if (died) {
    event.seen = Seen::talk;
    event.took = time_of_answer(reading, Seen::talk);
    event.sent = 1;
  }
  events.flows.push_back(event);
  if (died) events.flows.push_back(inside);
}

// Silence says nothing: most web servers do not speak it.
void read_quic(const Reading& reading, FlowEvents& events) {
  if (reading.seen.outcome != Outcome::silent) read_exchange(reading, events);
}

void read_stun(const Reading& reading, FlowEvents& events) {
  if (!reading.probe.with.contains("flows")) return read_exchange(reading, events);
  const auto* counted = findings::evidence_of(reading.result, EvidenceKind::udp_sample);
  if (counted == nullptr) return;
  auto event = event_of(reading, Seen::sample);
  event.answered = whole_fact(*counted, Fact::answered, 1, most_sampled).value_or(0);
  event.sent = whole_fact(*counted, Fact::sent, 1, most_sampled).value_or(0);
  event.one_flow = reading.probe.with.at("flows") == "one";
  event.control = true;
  if (event.answered > 0 && event.sent >= event.answered) events.flows.push_back(event);
  auto once_more = event_of(reading, Seen::reply);
  once_more.resent = once_more.control = true;
  const auto after = whole_fact(*counted, Fact::again_after_ms, 0, most_after_ms).value_or(0);
  once_more.at += Milliseconds(after);
  const auto answered = whole_fact(*counted, Fact::again_answered, 0, most_sampled).value_or(0);
  const auto sent = whole_fact(*counted, Fact::again, 0, most_sampled).value_or(0);
  const auto times = whole_fact(*counted, Fact::attempts, 1, most_sampled).value_or(1);
  for (int i = 0; i < sent; ++i) {
    if (i == answered) {
      // Of these the last time counts: all others began before.
      once_more.seen = Seen::nothing;
      once_more.sent = times;
      once_more.at += (times - 1) * sent * resent_every;
    }
    events.flows.push_back(once_more);
    once_more.at += resent_every;
  }
}

}  // namespace callready::reach
