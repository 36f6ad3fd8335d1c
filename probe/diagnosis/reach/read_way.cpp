#include "probe/diagnosis/reach/reading.hpp"

#include <algorithm>

namespace callready::reach {
namespace {

std::optional<Seen> seen_on_the_way(const Detail& result) {
  using enum DetailCode;
  static constexpr std::pair<DetailCode, Seen> table[] = {{left_site, Seen::expired},
                                                          {arrived, Seen::expired},
                                                          {replied, Seen::reply},
                                                          {dropped, Seen::dropped},
                                                          {prohibited, Seen::prohibited},
                                                          {refused_on_the_way, Seen::refused_way},
                                                          {answered_on_the_way, Seen::taken}};
  for (const auto& [word, seen] : table) {
    if (result == word) return seen;
  }
  return std::nullopt;  // where the control was silent, too, nothing is known
}

// In the host's name, in a fraction of the time that its own answers take.
bool refused_too_soon(const Reading& reading) {
  constexpr double fraction = 3, least_ms = 20;
  const auto own = reading.line.shortest.find(reading.probe.target.host);
  const auto& took = reading.seen.round_trip;
  if (own == reading.line.shortest.end() || !took) return false;
  for (const auto& sample : all_evidence(reading.seen, EvidenceKind::udp_port)) {
    if (detail_fact(sample, Fact::result) == DetailCode::left_site) return false;  // farther
  }
  return own->second > fraction * took->count() && own->second - took->count() > least_ms;
}

// A refusal by a device beside the target shows that the packet left the site; one that names no
// device was sent in the target's name. `whole_way`: the packet may have reached the target, whose
// own firewall may refuse it.
void tell_who_refused(FlowEvent& event, bool whole_way) {
  if (event.seen != Seen::prohibited) return;
  const auto& who = event.router;
  const bool itself = !who.empty() && who == event.flow.address;
  if (findings::is_beside(who, event.flow.address)) {
    event.seen = Seen::expired;
  } else if (itself && whole_way) {
    event.seen = Seen::closed;
    event.ends_early = false;
  } else if (event.flow.udp && (itself || who.empty())) {
    event.seen = Seen::forged;
  }
}

// Nothing if nothing is known. `whole_way`: its TTL would take it as far as the target.
std::optional<FlowEvent> read_packet(const Reading& reading, const Evidence& evidence,
                                     bool whole_way) {
  const auto seen = seen_on_the_way(detail_fact(evidence, Fact::result));
  if (!seen) return std::nullopt;
  auto event = event_of(reading, *seen);
  event.ends_early = true;
  event.router = text_fact(evidence, Fact::by);
  if (findings::is_this_computer(reading.site, event.router)) return std::nullopt;
  tell_who_refused(event, whole_way);
  // Of a packet that is to end on the way: what it was sent with; otherwise that router's.
  const auto ttl = whole_fact(evidence, Fact::ttl, 1, 255).value_or(0);
  const bool expired = seen == Seen::expired;
  if (expired || !whole_way) event.ttl = ttl;
  if (expired || whole_way) event.router_ttl = ttl;
  return event;
}

}  // namespace

void read_hop(const Reading& reading, FlowEvents& events) {
  const auto* hop = findings::evidence_of(reading.result, EvidenceKind::hop);
  if (hop == nullptr || findings::is_inside(reading.result)) return;
  auto event = read_packet(reading, *hop, false);
  if (!event) return;
  event->climbed = !reading.probe.with.contains("control");
  event->sent = std::max(1, reading.seen.attempts);
  events.flows.push_back(*event);
}

void read_range(const Reading& reading, FlowEvents& events) {
  if (findings::is_inside(reading.result)) return;
  const bool near = refused_too_soon(reading);
  for (const auto& sample : all_evidence(reading.seen, EvidenceKind::udp_port)) {
    const auto port = port_fact(sample, Fact::port);
    auto event = read_packet(reading, sample, true);
    if (!event || !port) continue;
    event->flow.port = *port;
    // That a relay or an echo server heard it is not an answer from the port itself.
    const bool told =
        sample.facts.contains(Fact::outbound) || sample.facts.contains(Fact::responder);
    const auto result = detail_fact(sample, Fact::result);
    const bool replied = result == DetailCode::replied;
    const bool refused = result == DetailCode::arrived && !told;
    if (replied || refused) event->ends_early = false;
    if (refused) event->seen = near ? Seen::closed : Seen::arrived;
    if (refused && near) event->too_near = true;
    event->sent = replied ? 1 : 2;
    events.flows.push_back(*event);
  }
}

}  // namespace callready::reach
