#include "probe/diagnosis/reach/read.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace callready::reach {
namespace {

using enum CheckKind;

// What is usual on this line, in milliseconds.
struct Line {
  double start = 0;              // of the run, since the epoch
  std::optional<double> by_udp;  // a round trip over UDP: the lower quartile
  double by_tcp = 0;             // the median round trip over TCP; 0: none
  double longest = 0;            // of what an answer took at least
  int early = 0;                 // requests that are repeated before their answer can be there
};

double milliseconds(WallTime at) {
  return std::chrono::duration<double, std::milli>(at.time_since_epoch()).count();
}

double middle_of(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

bool is_udp(const Probe& probe) { return probe.target.transport == Transport::udp; }

// Requests over UDP are sent again after these times; on a slow line before an answer can be there:
// that is no loss.
constexpr std::array sent_again_ms{250.0, 750.0, 1500.0};
constexpr double slow_line_ms = 1000;

Line line_of(const Report& report) {
  Line line;
  line.start = milliseconds(report.started_at);
  std::vector<double> udp, tcp;
  double first_reply = 0;
  for (const auto& [probe, seen] : report.probes) {
    const auto trip = seen.round_trip ? seen.round_trip->count() : 0.0;
    if (!is_udp(probe)) {
      if (trip > 0) tcp.push_back(trip);
      continue;
    }
    if (trip > 0 && probe.check != dns) udp.push_back(trip);
    const auto reply = seen.timing_ms.find(Timing::reply);
    if (seen.outcome != Outcome::answered || reply == seen.timing_ms.end()) continue;
    if (reply->second > 0 && (first_reply <= 0 || reply->second < first_reply)) {
      first_reply = reply->second;
    }
  }
  line.by_tcp = middle_of(tcp);
  std::sort(udp.begin(), udp.end());
  // First packets may have waited for somebody to look up an address.
  if (!udp.empty()) line.by_udp = udp[udp.size() / 4];
  line.longest = std::max({line.by_tcp, udp.empty() ? 0.0 : udp.back(), first_reply});
  line.early =
      static_cast<int>(std::count_if(sent_again_ms.begin(), sent_again_ms.end(),
                                     [&](double after) { return after < line.longest * 1.1; }));
  return line;
}

// One probe on its way to events.
struct Reading {
  const ProbeResult& result;
  const Probe& probe = result.probe;
  const Observation& seen = result.observation;
  const Line& line;
  Milliseconds at{0};

  std::string with(const char* name) const {
    const auto found = probe.with.find(name);
    return found == probe.with.end() ? std::string() : found->second;
  }
};

template <typename Take>
void each(const Observation& seen, EvidenceKind kind, Take take) {
  for (const auto& evidence : seen.evidence) {
    if (evidence.kind == kind) take(evidence);
  }
}

Cargo cargo_of(const Probe& probe) {
  const auto& target = probe.target;
  if (target.transport == Transport::tls) return Cargo::tls;
  if (probe.check == path && !is_udp(probe)) return Cargo::tls;
  if (const auto given = probe.with.find("payload"); given != probe.with.end()) {
    if (const auto cargo = parse<Cargo>(given->second)) return *cargo;
  }
  switch (probe.check) {
    case turn:
      return Cargo::turn;
    case stun:
    case nat:
    case path:
      return Cargo::stun;
    case sip:
    case sip_alg:
      return Cargo::sip;
    case ntp:
      return Cargo::ntp;
    case dns:
      return Cargo::dns;
    case http:
      return Cargo::http;
    case udp_range:
      return Cargo::rtp;
    case hop:
      return is_udp(probe) ? Cargo::rtp : Cargo::none;
    default:
      return Cargo::none;
  }
}

PacketFlow flow_of(const Probe& probe, const Observation& seen, std::uint16_t port) {
  PacketFlow flow;
  flow.udp = is_udp(probe);
  flow.address = seen.address ? seen.address->to_string() : std::string();
  flow.host = probe.target.host.empty() ? flow.address : probe.target.host;
  flow.port = port;
  flow.cargo = cargo_of(probe);
  if (flow.cargo != Cargo::tls) return flow;
  const auto given = probe.with.find("server_name");
  flow.name = given == probe.with.end() ? flow.host : given->second;
  return flow;
}

FlowEvent event_of(const Reading& reading, Seen seen) {
  FlowEvent event;
  event.probe = reading.probe.id;
  event.flow = flow_of(reading.probe, reading.seen, reading.probe.target.port());
  event.seen = seen;
  event.at = reading.at;
  event.control = reading.probe.control;
  return event;
}

void sign(const Reading& reading, FlowEvents& events, Sign sign, std::string about = {}) {
  if (about.empty()) about = reading.probe.target.host;
  events.signs.push_back({reading.probe.id, sign, std::move(about), reading.probe.control});
}

// What the proxy said; what is beyond it is its own affair.
void read_proxied(const Reading& reading, FlowEvents& events) {
  if (reached(reading.seen.outcome)) return sign(reading, events, Sign::proxy_works);
  std::optional<double> status;
  each(reading.seen, EvidenceKind::proxy_reply, [&](const Evidence& reply) {
    if (!status) status = number_fact(reply, Fact::status);
  });
  sign(reading, events,
       !status          ? Sign::proxy_silent
       : *status == 407 ? Sign::proxy_login
       : *status == 403 ? Sign::proxy_denied
                        : Sign::proxy_error);
}

std::string asked_name(const Reading& reading) {
  const auto name = reading.with("name");
  return name.empty() ? reading.probe.target.host : name;
}

void read_unresolved(const Reading& reading, FlowEvents& events) {
  const bool elsewhere = reading.probe.check == dns && reading.probe.with.contains("server");
  if (reading.seen.detail == DetailCode::dns_failed) {
    sign(reading, events, Sign::name_fails, asked_name(reading));
  }
  if (reading.seen.detail == DetailCode::no_such_name && !reading.probe.with.contains("nobody")) {
    sign(reading, events, elsewhere ? Sign::public_denies : Sign::name_gone, asked_name(reading));
  }
}

constexpr int lookup_tries = 3;

Seen seen_by_dns(Outcome outcome) {
  switch (outcome) {
    case Outcome::answered:
    case Outcome::denied:
    case Outcome::unresolved:
    case Outcome::failed:
      return Seen::reply;
    case Outcome::silent:
      return Seen::nothing;
    default:
      return Seen::closed;
  }
}

void read_dns(const Reading& reading, FlowEvents& events) {
  const auto& outcome = reading.seen.outcome;
  auto event = event_of(reading, seen_by_dns(outcome));
  const bool elsewhere = reading.probe.with.contains("server");
  if (!elsewhere) event.flow.host = event.flow.address;
  event.flow.udp = true;
  event.flow.port = 53;
  event.flow.cargo = Cargo::dns;
  event.flow.name.clear();
  event.control = true;
  const bool heard = event.seen == Seen::reply && outcome != Outcome::failed;
  if (reading.probe.with.contains("nobody") && heard) {
    sign(reading, events, Sign::dns_redirected, event.flow.address);
  }
  // Nobody listens there: silence is what is expected, and says nothing.
  if (reading.probe.with.contains("nobody")) {
    if (!heard) sign(reading, events, Sign::dns_direct);
    return;
  }
  // How often what was answered had been sent is not known: `attempts` counts servers, too.
  if (event.seen == Seen::nothing) event.sent = lookup_tries;
  events.flows.push_back(event);
  const auto name = reading.with("name");
  if (elsewhere && !name.empty() && outcome == Outcome::answered) {
    sign(reading, events, Sign::public_knows, name);
  }
  each(reading.seen, EvidenceKind::dns_special_address,
       [&](const Evidence&) { sign(reading, events, Sign::dns_special, asked_name(reading)); });
}

std::optional<Seen> seen_on_the_way(const Detail& result) {
  switch (result.code()) {
    case DetailCode::left_site:
    case DetailCode::arrived:
      return Seen::expired;
    case DetailCode::dropped:
      return Seen::dropped;
    case DetailCode::prohibited:
      return Seen::prohibited;
    case DetailCode::refused_on_the_way:
      return Seen::refused_way;
    case DetailCode::answered_on_the_way:
      return Seen::taken;
    default:  // where the control was silent, too, nothing is known
      return std::nullopt;
  }
}

void read_hop(const Reading& reading, FlowEvents& events) {
  bool first = true;
  each(reading.seen, EvidenceKind::hop, [&](const Evidence& hop) {
    const auto seen = seen_on_the_way(detail_fact(hop, Fact::result));
    if (!std::exchange(first, false) || !seen) return;
    auto event = event_of(reading, *seen);
    event.ends_early = true;
    event.sent = std::max(1, reading.seen.attempts);
    event.who = text_fact(hop, Fact::by);
    events.flows.push_back(event);
  });
}

void read_range(const Reading& reading, FlowEvents& events) {
  each(reading.seen, EvidenceKind::udp_port, [&](const Evidence& sample) {
    const auto result = detail_fact(sample, Fact::result);
    const bool replied = result == DetailCode::replied;
    const auto seen = replied ? Seen::reply : seen_on_the_way(result);
    const auto port = number_fact(sample, Fact::port);
    if (!seen || !port) return;
    auto event = event_of(reading, *seen);
    event.flow.port = static_cast<std::uint16_t>(*port);
    event.ends_early = !replied;
    event.sent = replied ? 1 : 2;
    event.who = text_fact(sample, Fact::by);
    events.flows.push_back(event);
  });
}

void read_ipv6(const Reading& reading, FlowEvents& events) {
  constexpr std::array fine{DetailCode::connected, DetailCode::dns_failed, DetailCode::no_address,
                            DetailCode::no_route};
  each(reading.seen, EvidenceKind::family, [&](const Evidence& family) {
    const auto result = detail_fact(family, Fact::result);
    const bool broken = std::find(fine.begin(), fine.end(), result) == fine.end();
    if (text_fact(family, Fact::version) == "IPv6" && broken) {
      sign(reading, events, Sign::ipv6_broken);
    }
  });
}

// What was read off a reply.
void read_contents(const Reading& reading, FlowEvents& events) {
  const auto& [probe, seen] = reading.result;
  each(seen, EvidenceKind::nat_mapping, [&](const Evidence& mapping) {
    const auto value = detail_fact(mapping, Fact::value);
    if (value == DetailCode::address_dependent || value == DetailCode::destination_dependent ||
        value == DetailCode::address_and_port_dependent) {
      sign(reading, events, Sign::nat_symmetric);
    }
  });
  if (probe.check == sip_alg && seen.detail == DetailCode::rewritten) {
    sign(reading, events, Sign::sip_rewritten);
  }
  const bool hole = seen.detail == DetailCode::black_hole;
  each(seen, EvidenceKind::path_mtu, [&](const Evidence&) {
    if (hole) sign(reading, events, Sign::packets_too_big);
  });
  // Where another name was asked for on purpose, the certificate proves nothing.
  if (!probe.with.contains("server_name")) {
    each(seen, EvidenceKind::certificate_fault, [&](const Evidence& evidence) {
      const auto fault = detail_fact(evidence, Fact::fault);
      sign(reading, events,
           fault == DetailCode::expired      ? Sign::cert_expired
           : fault == DetailCode::wrong_name ? Sign::cert_wrong_name
                                             : Sign::cert_untrusted);
    });
  }
  each(seen, EvidenceKind::chain_root, [&](const Evidence& root) {
    if (flag_fact(root, Fact::expected) == false) sign(reading, events, Sign::root_unexpected);
  });
  constexpr double wrong_by_s = 60;
  each(seen, EvidenceKind::clock_offset, [&](const Evidence& clock) {
    const auto off_ms = number_fact(clock, Fact::offset_ms).value_or(0);
    if (std::abs(off_ms) > wrong_by_s * 1000) sign(reading, events, Sign::clock_off);
  });
  each(seen, EvidenceKind::http_reply, [&](const Evidence& reply) {
    const auto off_s = number_fact(reply, Fact::date_offset_s).value_or(0);
    if (std::abs(off_s) > wrong_by_s) sign(reading, events, Sign::clock_off);
  });
  if (seen.detail == DetailCode::unexpected_body) sign(reading, events, Sign::foreign_page);
  each(seen, EvidenceKind::turn_refusal, [&](const Evidence& refusal) {
    if (flag_fact(refusal, Fact::with_credentials) == true) sign(reading, events, Sign::turn_login);
  });
  const bool named = !probe.target.host.empty() && !IpAddress::parse(probe.target.host);
  if (named && seen.address && seen.address->is_special()) {
    sign(reading, events, Sign::dns_special);
  }
}

bool counts_packets(CheckKind check) {
  return check == stun || check == ntp || check == sip || check == turn || check == dns;
}

int times_sent(const Reading& reading) {
  const auto& [probe, seen] = reading.result;
  const bool udp = is_udp(probe);
  int sent =
      udp && counts_packets(probe.check) && seen.outcome != Outcome::refused ? seen.attempts : 1;
  each(seen, EvidenceKind::retransmitted, [&](const Evidence& again) {
    sent = std::max(sent, static_cast<int>(number_fact(again, Fact::attempts).value_or(1)));
  });
  if (udp && seen.outcome != Outcome::silent) sent = std::max(1, sent - reading.line.early);
  // A handshake that takes a second more than usual: its first SYN got lost (RFC 6298 section 2).
  const auto trip = seen.round_trip ? seen.round_trip->count() : 0.0;
  if (!udp && trip > 1000 + 1.2 * reading.line.by_tcp) sent = 2;
  return std::max(1, sent);
}

std::optional<bool> too_near(const Reading& reading) {
  constexpr double too_short_to_tell_ms = 8;
  const auto& [probe, seen] = reading.result;
  const auto& usual = reading.line.by_udp;
  const bool timed = !is_udp(probe) || probe.check == sip || probe.check == stun ||
                     probe.check == turn || probe.check == ntp;
  const auto connect = seen.timing_ms.find(Timing::connect);
  double took = seen.round_trip ? seen.round_trip->count() : 0;
  if (connect != seen.timing_ms.end() && connect->second > 0) took = connect->second;
  const bool at_home = seen.address && seen.address->is_special();
  if (!timed || at_home || took <= 0 || !usual || *usual < too_short_to_tell_ms) {
    return std::nullopt;
  }
  return took < *usual / 4;
}

std::optional<Seen> seen_over_udp(Outcome outcome) {
  switch (outcome) {
    case Outcome::answered:
    case Outcome::denied:
    case Outcome::failed:
      return Seen::reply;
    case Outcome::silent:
      return Seen::nothing;
    case Outcome::refused:
      return Seen::closed;
    case Outcome::rejected:
      return Seen::prohibited;
    default:
      return std::nullopt;
  }
}

bool refused_by_target(const Observation& seen) {
  bool own = false;
  each(seen, EvidenceKind::refuser,
       [&](const Evidence& refuser) { own |= text_fact(refuser, Fact::who) == "target"; });
  return own;
}

std::optional<Seen> seen_over_tcp(const Observation& seen) {
  switch (seen.detail.code()) {
    case DetailCode::tls_timed_out:
    case DetailCode::sip_timed_out:
    case DetailCode::stun_timed_out:
    case DetailCode::http_timed_out:
    case DetailCode::black_hole:
      return Seen::mute;
    case DetailCode::connection_reset:
    case DetailCode::closed_by_peer:
      return Seen::cut;
    case DetailCode::unexpected_body:
    case DetailCode::not_tls:
    case DetailCode::not_stun:
      return Seen::foreign;
    default:
      break;
  }
  switch (seen.outcome) {
    case Outcome::answered:
    case Outcome::denied:
    case Outcome::failed:
      return Seen::talk;
    case Outcome::connected:
      return Seen::open;
    case Outcome::refused:
      return refused_by_target(seen) ? Seen::refused_far : Seen::refused;
    case Outcome::rejected:
      return Seen::refused_way;
    case Outcome::silent:
      return Seen::nothing;
    default:
      return std::nullopt;
  }
}

bool has(const Observation& seen, EvidenceKind kind) {
  return std::any_of(seen.evidence.begin(), seen.evidence.end(),
                     [&](const Evidence& evidence) { return evidence.kind == kind; });
}

// A request the whole way, and its answer.
void read_exchange(const Reading& reading, FlowEvents& events) {
  const auto& [probe, seen] = reading.result;
  read_contents(reading, events);
  const bool udp = is_udp(probe);
  const auto word = udp ? seen_over_udp(seen.outcome) : seen_over_tcp(seen);
  if (!word) return;
  auto event = event_of(reading, *word);
  event.too_near = too_near(reading);
  event.sent = times_sent(reading);
  std::optional<std::string> sender;
  each(seen, EvidenceKind::icmp_error, [&](const Evidence& error) {
    if (!sender) sender = text_fact(error, Fact::sender);
  });
  event.who = sender.value_or("");
  if (event.seen == Seen::closed && !event.who.empty() && event.who != event.flow.address) {
    event.seen = Seen::refused_by;
  }
  if (event.seen == Seen::nothing && udp) event.sent = std::max(event.sent, 2);
  if (event.seen == Seen::nothing && !udp) {
    event.sent = has(seen, EvidenceKind::short_wait) ? 2 : 3;
  }
  const bool tls = probe.target.transport == Transport::tls;
  const bool died_inside = seen.detail == DetailCode::stun_timed_out ||
                           (seen.detail == DetailCode::sip_timed_out && tls);
  const bool answered_inside =
      tls && (probe.check == sip || probe.check == turn) &&
      (seen.outcome == Outcome::answered || seen.outcome == Outcome::denied);
  if (answered_inside) {
    auto inside = event;
    inside.flow.cargo = Cargo::inside;
    inside.sent = 1;
    inside.too_near.reset();
    events.flows.push_back(inside);
  }
  if (event.seen != Seen::mute || !died_inside) return events.flows.push_back(event);
  // TLS stood, and what it carried was not answered.
  event.seen = Seen::talk;
  event.sent = 1;
  events.flows.push_back(event);
  event.seen = Seen::mute;
  event.flow.cargo = Cargo::inside;
  event.too_near.reset();
  events.flows.push_back(event);
}

void read_stun(const Reading& reading, FlowEvents& events) {
  if (!reading.probe.with.contains("flows")) return read_exchange(reading, events);
  each(reading.seen, EvidenceKind::udp_sample, [&](const Evidence& counted) {
    auto event = event_of(reading, Seen::sample);
    event.answered = static_cast<int>(number_fact(counted, Fact::answered).value_or(0));
    event.sent = static_cast<int>(number_fact(counted, Fact::sent).value_or(0));
    event.control = true;
    if (event.answered > 0 && event.sent >= event.answered) events.flows.push_back(event);
  });
}

using Reader = void (*)(const Reading&, FlowEvents&);

Reader reader_of(CheckKind check) {
  switch (check) {
    case dns:
      return read_dns;
    case hop:
      return read_hop;
    case udp_range:
      return read_range;
    case ipv6:
      return read_ipv6;
    case stun:
      return read_stun;
    case http:
    case nat:
    case ntp:
    case path:
    case sip:
    case sip_alg:
    case tcp:
    case tls:
    case turn:
      return read_exchange;
    case ice:
    case media:  // streams and calls
    case pac:
    case proxy:  // only ever through one
      return nullptr;
  }
  return nullptr;
}

// Names that the site's resolver was asked for, once each: packets like others.
void read_lookups(const Report& report, FlowEvents& events) {
  std::map<std::string, FlowEvent> by_name;
  for (const auto& [probe, seen] : report.probes) {
    const auto& host = probe.target.host;
    const bool named = !host.empty() && !IpAddress::parse(host);
    if (!named || !probe.target.route.direct() || probe.check == dns) continue;
    FlowEvent event;
    event.probe = probe.id;
    event.flow = lookup_of(report.site, host);
    event.control = true;
    const bool died = seen.detail == DetailCode::dns_unreachable;
    if (seen.outcome == Outcome::unresolved && died) {
      event.seen = Seen::nothing;
      event.sent = lookup_tries;
      by_name[host] = event;
    } else if (seen.address && seen.timing_ms.contains(Timing::dns)) {
      event.seen = Seen::reply;
      by_name.try_emplace(host, event);
    }
  }
  for (auto& [name, event] : by_name) events.flows.push_back(std::move(event));
}

// A relay of ours hears what we send to it over UDP directly, and tells over the other way: there
// and back apart. What one server says seven times it has said once.
void read_relay_trips(const Report& report, const Line& line, FlowEvents& events) {
  std::set<std::pair<std::string, Seen>> known;
  const bool many_addresses = report.site.public_addresses.size() > 1;
  for (const auto& result : report.probes) {
    const auto& [probe, seen] = result;
    if (!probe.target.route.direct()) continue;
    const Evidence* relay = nullptr;
    each(seen, EvidenceKind::relay, [&](const Evidence& found) {
      if (relay == nullptr) relay = &found;
    });
    each(seen, EvidenceKind::relay_trip, [&](const Evidence& trip) {
      const auto outbound = flag_fact(trip, Fact::outbound);
      const auto port = number_fact(trip, Fact::relay_port);
      if (relay == nullptr || !outbound || !port) return;
      const bool back = flag_fact(trip, Fact::inbound).value_or(false);
      const auto word = !*outbound ? Seen::nothing : back ? Seen::reply : Seen::one_way;
      // The relay lets in one address of ours only.
      if (word == Seen::nothing && many_addresses) return;
      const auto address = text_fact(*relay, Fact::address);
      if (!known.emplace(address, word).second) return;
      FlowEvent event;
      event.probe = probe.id;
      event.flow = {true, address, address, static_cast<std::uint16_t>(*port), Cargo::rtp, {}};
      event.seen = word;
      event.sent = word == Seen::nothing ? 2 : 1;
      event.by_relay = true;
      if (seen.sent_at) event.at = Milliseconds(milliseconds(*seen.sent_at) - line.start);
      events.flows.push_back(std::move(event));
    });
  }
}

}  // namespace

std::vector<std::string> resolvers_of(const Site& site) {
  if (site.resolvers.empty()) return {lookup_of(site, {}).host};
  return site.resolvers;
}

PacketFlow lookup_of(const Site& site, std::string name) {
  const auto resolver = site.resolvers.empty() ? std::string("resolver") : site.resolvers.front();
  return {true, resolver, resolver, 53, Cargo::dns, std::move(name)};
}

std::vector<PacketFlow> flows_of(const Probe& probe, const Observation& seen) {
  std::vector<PacketFlow> flows;
  if (probe.check == udp_range) {
    for (const auto port : probe.target.sample) flows.push_back(flow_of(probe, seen, port));
    return flows;
  }
  flows.push_back(flow_of(probe, seen, probe.target.port()));
  if (probe.target.transport == Transport::tls && (probe.check == turn || probe.check == sip)) {
    flows.push_back(flows.front());
    flows.back().cargo = Cargo::inside;
  }
  return flows;
}

FlowEvents read_events(const Report& report) {
  FlowEvents events;
  const auto line = line_of(report);
  for (const auto& result : report.probes) {
    const auto& [probe, seen] = result;
    const auto reader = reader_of(probe.check);
    if (seen.outcome == Outcome::skipped) continue;
    const auto at = seen.sent_at ? milliseconds(*seen.sent_at) - line.start : 0.0;
    const Reading reading{result, probe, seen, line, Milliseconds(at)};
    if (!probe.target.route.direct()) {
      if (probe.check != media && probe.check != ice) read_proxied(reading, events);
      continue;
    }
    if (reader == nullptr) continue;
    if (seen.outcome == Outcome::unresolved) {
      read_unresolved(reading, events);
      if (probe.check != dns) continue;
    }
    reader(reading, events);
  }
  read_lookups(report, events);
  read_relay_trips(report, line, events);
  events.slow_line = line.longest > slow_line_ms;
  return events;
}

}  // namespace callready::reach
