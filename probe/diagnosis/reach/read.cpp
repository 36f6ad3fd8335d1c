#include "probe/diagnosis/reach/read.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "probe/diagnosis/reach/reading.hpp"

namespace callready::reach {
namespace {

using enum CheckKind;

constexpr double slow_line_ms = 1000;

// What the proxy said; what is beyond it is its own affair.
void read_proxied(const Reading& reading, FlowEvents& events) {
  if (reached(reading.seen.outcome)) return sign(reading, events, Sign::proxy_works);
  if (reading.seen.detail == DetailCode::kept_here) return;
  const auto status = findings::number_of(reading.result, EvidenceKind::proxy_reply, Fact::status);
  sign(reading, events,
       !status          ? Sign::proxy_silent
       : *status == 407 ? Sign::proxy_login
       : *status == 403 ? Sign::proxy_denied
                        : Sign::proxy_error);
}

struct OfCheck {
  CheckKind check;
  CheckReader* read;
};
// Null: no events come from streams and calls, from what only ever goes through a proxy, or from
// checks of what is in packets rather than where they go.
constexpr std::array<OfCheck, 21> readers{{
    {dns, read_dns},         {hop, read_hop},          {http, read_exchange}, {ice, nullptr},
    {ipv6, read_ipv6},       {media, nullptr},         {nat, read_exchange},  {ntp, read_exchange},
    {pac, nullptr},          {path, read_exchange},    {proxy, nullptr},      {quic, read_quic},
    {sip, read_exchange},    {sip_alg, read_exchange}, {sip_long, nullptr},   {stun, read_stun},
    {tcp, read_exchange},    {tls, read_exchange},     {tls_hello, nullptr},  {turn, read_exchange},
    {udp_range, read_range},
}};
static_assert(in_their_places(readers, &OfCheck::check));

// A relay of ours hears what we send to it over UDP directly, and reports it over its own
// connection: each way separately. What one server says seven times counts once.
void read_relay_trips(const Report& report, const Line& line, FlowEvents& events) {
  std::set<std::pair<std::string, Seen>> known;
  for (const auto& result : report.probes) {
    const auto& [probe, seen] = result;
    if (!probe.target.route.direct()) continue;
    const auto* relay = findings::evidence_of(result, EvidenceKind::relay);
    for (const auto& trip : all_evidence(seen, EvidenceKind::relay_trip)) {
      const auto outbound = flag_fact(trip, Fact::outbound);
      const auto port = port_fact(trip, Fact::relay_port);
      if (relay == nullptr || !outbound || !port) continue;
      const bool back = flag_fact(trip, Fact::inbound).value_or(false);
      const auto word = !*outbound ? Seen::nothing : back ? Seen::reply : Seen::one_way;
      // The relay lets in only one address of ours, of its own family (RFC 8656 section 9).
      const auto address = text_fact(*relay, Fact::address);
      const auto its = IpAddress::parse(address);
      const auto ours = std::ranges::count_if(
          report.site.public_addresses,
          [&](const IpAddress& own) { return !its || own.is_v4() == its->is_v4(); });
      if (word == Seen::nothing && ours > 1) continue;
      if (!known.emplace(address, word).second) continue;
      FlowEvent event;
      event.probe = probe.id;
      event.flow = {true, address, address, *port, Cargo::rtp, {}};
      event.seen = word;
      event.sent = word == Seen::nothing ? 2 : 1;
      event.by_relay = true;
      if (seen.sent_at) event.at = Milliseconds(milliseconds(*seen.sent_at) - line.start);
      events.flows.push_back(std::move(event));
    }
  }
}

}  // namespace

std::vector<std::string> resolvers_of(const Site& site) {
  if (site.resolvers.empty()) return {"resolver"};
  std::vector<std::string> addresses;
  for (const auto& resolver : site.resolvers) addresses.push_back(findings::without_port(resolver));
  return addresses;
}

PacketFlow lookup_of(const Site& site, std::string name) {
  const auto resolver = resolvers_of(site).front();
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
    if (seen.outcome == Outcome::skipped) continue;
    const auto at = seen.sent_at ? milliseconds(*seen.sent_at) - line.start : 0.0;
    const Reading reading{result, probe, seen, line, report.site, Milliseconds(at)};
    if (!probe.target.route.direct()) {
      if (probe.check != media && probe.check != ice) read_proxied(reading, events);
      continue;
    }
    const auto read = readers[static_cast<std::size_t>(probe.check)].read;
    if (read == nullptr) continue;
    if (seen.outcome == Outcome::unresolved) {
      read_unresolved(reading, events);
      if (probe.check != dns) continue;
    }
    read(reading, events);
  }
  for (const auto& gateway : report.site.gateways)
    events.gateways.insert(gateway.address.to_string());
  for (const auto& way : report.site.ways) {
    if (way.gateway) events.gateways.insert(way.gateway->to_string());
  }
  read_lookups(report, events);
  read_relay_trips(report, line, events);
  events.slow_line = line.longest > slow_line_ms;
  return events;
}

}  // namespace callready::reach
