#include "probe/diagnosis/reach/reading.hpp"

#include <algorithm>
#include <utility>

namespace callready::reach {
namespace {

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

}  // namespace

void read_hop(const Reading& reading, FlowEvents& events) {
  bool first = true;
  each(reading.seen, EvidenceKind::hop, [&](const Evidence& hop) {
    const auto seen = seen_on_the_way(detail_fact(hop, Fact::result));
    if (!std::exchange(first, false) || !seen) return;
    auto event = event_of(reading, *seen);
    event.ends_early = true;
    event.router = text_fact(hop, Fact::by);
    if (seen == Seen::prohibited && is_beside(event.flow, event.router)) event.seen = Seen::expired;
    event.climbed = !reading.probe.with.contains("control");
    event.sent = std::max(1, reading.seen.attempts);
    events.flows.push_back(event);
  });
}

void read_range(const Reading& reading, FlowEvents& events) {
  each(reading.seen, EvidenceKind::udp_port, [&](const Evidence& sample) {
    const auto result = detail_fact(sample, Fact::result);
    const bool replied = result == DetailCode::replied;
    const auto seen = replied ? Seen::reply : seen_on_the_way(result);
    const auto port = port_fact(sample, Fact::port);
    if (!seen || !port) return;
    auto event = event_of(reading, *seen);
    event.flow.port = *port;
    event.ends_early = !replied;
    event.router = text_fact(sample, Fact::by);
    if (seen == Seen::prohibited && is_beside(event.flow, event.router)) event.seen = Seen::expired;
    event.sent = replied ? 1 : 2;
    events.flows.push_back(event);
  });
}

}  // namespace callready::reach
