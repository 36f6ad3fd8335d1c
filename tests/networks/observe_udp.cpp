// STUN, TURN, SIP and packet sizes over connections; QUIC, relays and long SIP over UDP.
#include <algorithm>

#include "tests/networks/observe.hpp"

namespace callready::networks {

void Observer::mapped_address(Observation& observation, const Job& job) const {
  const auto local = observation.local.value_or(SocketAddress{traffic_.network().pc, 0});
  const auto [address, port] = traffic_.mapped(local.port, job.address, job.probe.target.port());
  add(observation, "mapped_address",
      {{"address", address.to_string()},
       {"port", port},
       {"translated", address != local.address || port != local.port}});
}

// A request over UDP, and what the observation says of it but the reply's own content.
Observer::Heard Observer::ask_once(const Job& job, const Packet& request, Seen& seen,
                                   std::size_t sends, double patience_ms) {
  auto& observation = seen.observation;
  observation.address = job.address;
  observation.local = SocketAddress{traffic_.network().pc, request.from};
  const auto heard = ask_udp(request, job.at_ms, sends, patience_ms);
  observation.attempts = heard.attempts;
  seen.ended_ms = seen.first_reply_ms = job.at_ms + heard.took_ms;
  if (heard.kind != Heard::answer) {
    record(observation, heard);
  } else if (heard.attempts == 1) {
    observation.round_trip = Milliseconds(heard.took_ms);
  }
  return heard;
}

// What `stun` and `turn` have in common: dialled, asked, and not answered.
Seen Observer::over_stun(Job& job, Payload payload, bool& answered) {
  Seen seen;
  auto& observation = seen.observation;
  answered = false;
  if (job.probe.target.transport == Transport::udp) {
    const auto heard = ask_once(job, packet(job, payload), seen);
    answered = heard.kind == Heard::answer;
    if (answered) observation.timing_ms[Timing::reply] = heard.took_ms;
    return seen;
  }
  Connection connection;
  if (!open_stream(job, connection, seen)) return seen;
  const bool tls = job.probe.target.transport == Transport::tls;
  const auto& fault = connection.fault;
  if (tls && connection.taken_by(BoxKind::intercept)) {
    // Who opens TLS expects HTTP inside, and says so.
    return failed(std::move(seen), fault.empty() ? "not_stun" : fault);
  }
  const auto heard = request(job, connection, tls ? Payload::other : payload, seen);
  if (heard.kind != Heard::answer) {
    return failed(std::move(seen), heard.broken_off("stun_timed_out"));
  }
  observation.timing_ms[Timing::reply] = heard.took_ms;
  if (!fault.empty()) return failed(std::move(seen), fault);
  answered = true;
  return seen;
}

Seen Observer::stun(Job job) {
  bool answered = false;
  auto seen = over_stun(job, Payload::stun, answered);
  if (!answered) return seen;
  auto& observation = seen.observation;
  say(observation, Outcome::answered, "success");
  add(observation, "stun_reply", {{"success", true}});
  mapped_address(observation, job);
  return seen;
}

Seen Observer::turn(Job job) {
  bool answered = false;
  auto seen = over_stun(job, Payload::turn, answered);
  if (!answered) return seen;
  auto& observation = seen.observation;
  add(observation, "stun_reply", {{"success", false}, {"code", 401}});
  if (!traffic_.network().credentials) {
    say(observation, Outcome::answered, "401");
    add(observation, "turn_challenge", {{"realm", "example"}, {"nonce", true}});
    add(observation, "turn_refusal", {{"code", 401}, {"with_credentials", false}});
    return seen;
  }
  mapped_address(observation, job);
  add(observation, "relay", {{"port", 50'000}, {"lifetime_s", 600}});
  auto data = packet(job, Payload::rtp);
  data.proto = Proto::udp;
  data.port = static_cast<std::uint16_t>(49'152 + traffic_.new_port() % 16'000);
  bool outbound = false, inbound = false;
  for (int i = 0; i < 3; ++i) {
    outbound |= traffic_.send(data, seen.ended_ms + 250 * i).kind == Fate::arrives;
    // From the relay: a NAT or firewall lets in what we have sent to.
    inbound |= outbound && traffic_.comes_back(data);
  }
  add(observation, "relay_trip",
      {{"relay_port", data.port}, {"outbound", outbound}, {"inbound", inbound}});
  seen.ended_ms += outbound && inbound ? 3 * traffic_.round_trip(job.address) : 3000;
  say(observation, Outcome::answered, "relayed");
  if (!outbound || !inbound) add(observation, "relay_to_relay", {{"carried", true}});
  return seen;
}

// Whoever is asked speaks QUIC there, and nobody on the way minds its greeting.
Seen Observer::quic(Job job) {
  Seen seen;
  auto& observation = seen.observation;
  auto question = packet(job, Payload::other);
  question.bytes = 1'228;
  if (ask_once(job, question, seen, 2, 750).kind != Heard::answer) return seen;
  say(observation, Outcome::answered, "quic_spoken");
  for (const auto* payload : {"version_negotiation", "initial"}) {
    add(observation, "quic", {{"payload", payload}, {"result", "replied"}, {"port", 443}});
  }
  return seen;
}

// Over a connection.
Seen Observer::sip(Job job) {
  Seen seen;
  auto& observation = seen.observation;
  if (job.with("srv") == "true") {
    add(observation, "sip_target",
        {{"host", job.probe.target.host}, {"port", job.probe.target.port()}});
  }
  Connection connection;
  if (!open_stream(job, connection, seen)) return seen;
  const bool tls = job.probe.target.transport == Transport::tls;
  auto heard = Heard{Heard::answer, traffic_.round_trip(job.address)};
  if (!connection.proxied && !connection.taken_by(BoxKind::intercept)) {
    heard = request(job, connection, tls ? Payload::other : Payload::sip, seen);
    if (traffic_.network().sip_ignores_strangers && heard.kind == Heard::answer) {
      heard = {Heard::nothing, 2500};
    }
  }
  seen.ended_ms = connection.at_ms + heard.took_ms;
  if (!connection.fault.empty()) return failed(std::move(seen), connection.fault);
  if (heard.kind != Heard::answer) {
    return failed(std::move(seen), heard.broken_off("sip_timed_out"));
  }
  observation.timing_ms[Timing::reply] = heard.took_ms;
  say(observation, Outcome::answered, "200");
  add(observation, "sip_reply",
      {{"status", 200}, {"reason", "OK"}, {"final", true}, {"body_bytes", 0}});
  const auto local = *observation.local;
  const auto [address, port] = traffic_.mapped(local.port, job.address, job.probe.target.port());
  add(observation, "sip_via",
      {{"rewritten", false},
       {"vias", 1},
       {"translated", address != local.address || port != local.port},
       {"received", address.to_string()}});
  return seen;
}

// Over a connection, which no box of these networks looks into.
Seen Observer::sip_alg(Job job) {
  auto seen = sip(job);
  if (seen.observation.outcome != Outcome::answered) return seen;
  constexpr long messages = 3;
  say(seen.observation, Outcome::answered, "no_rewriting_seen");
  add(seen.observation, "sip_alg", {{"messages", messages}, {"sdp_tested", false}});
  seen.ended_ms += 1000 * (messages - 1);
  return seen;
}

// No box of these networks minds how long SIP is: who answers a short message answers this one.
// Where full-size packets vanish, so do its first fragment and, over TCP, its first segment.
Seen Observer::sip_long(Job job) {
  Seen seen;
  const auto heard = ask_once(job, packet(job, Payload::sip), seen);
  seen.observation.evidence.clear();
  const auto* mtu = traffic_.find(BoxKind::mtu);
  const bool vanishes = mtu != nullptr && mtu->limit < 1500;
  const bool answered = heard.kind == Heard::answer && !vanishes;
  say(seen.observation, answered ? Outcome::answered : Outcome::skipped,
      answered ? "200" : "sizes_not_compared");
  return seen;
}

// Over a connection.
Seen Observer::path(Job job) {
  Seen seen;
  const auto* hole = traffic_.find(BoxKind::mtu);
  auto connection = open(job, seen);
  if (!connection.stands) return seen;
  auto& reply = seen.observation;
  const bool tls = job.probe.target.transport == Transport::tls;
  const bool at_once = job.probe.purpose == Purpose::repeat;
  if (at_once) reply.attempts = 2;
  const bool broken = tls && !open_tls(job, connection, seen);
  if (broken && reply.detail != detail_of("tls_timed_out")) return seen;
  Heard heard;
  if (!broken) {
    heard = exchange(connection, packet(job, Payload::http), 2500);
    seen.ended_ms = connection.at_ms + heard.took_ms;
  }
  if (heard.kind == Heard::answer && hole == nullptr) {
    say(reply, Outcome::answered, "full_size");
    return seen;
  }
  if (!broken) say(reply, Outcome::failed, "http_timed_out");
  // Once more with small segments.
  Seen again;
  Job small = job;
  if (!at_once) small.at_ms = seen.ended_ms;
  auto second = open(small, again);
  reply.attempts = 2;
  seen.ended_ms = std::max(seen.ended_ms, again.ended_ms);
  if (!second.stands) return seen;
  auto hello = packet(job, tls ? Payload::tls : Payload::http);
  hello.name = job.probe.target.host;
  heard = exchange(second, hello, tls ? 3000 : 2500, tls ? 3 : 1);
  seen.ended_ms = std::max(seen.ended_ms, second.at_ms + heard.took_ms);
  if (heard.kind != Heard::answer) return seen;
  say(reply, Outcome::failed, "black_hole");
  add(reply, "path_mtu", {{"full", 1500}});
  return seen;
}

}  // namespace callready::networks
