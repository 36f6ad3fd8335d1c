// One of several paths out of the site is dead: lines or links that flows are spread over.
#include "probe/diagnosis/reach/boxes.hpp"

namespace callready::reach {
namespace {

// Fewer may be mere chance.
constexpr int fewest_lost = 4, fewest_passed = 4;

}  // namespace

std::map<Request, Fared> how_flows_fared(const Sight& sight, Protocol protocol) {
  std::map<Request, Fared> flows;
  for (const auto& [packet, event] : sight.seen_packets()) {
    const auto seen = event.seen;
    const bool counts = !event.resent && packet.cargo != Cargo::inside && !packet.ends_at_device &&
                        matches(protocol, packet.udp) && !holds(sight.resolvers, packet.host);
    if (!counts || seen == Seen::sample) continue;
    // Over TCP, no device has seen the payload by then.
    const auto cargo = packet.udp ? packet.cargo : Cargo::none;
    auto& fared = flows[{packet.udp, packet.host, packet.port, cargo, packet.ends_early}];
    fared.passed += is_good(seen);
    fared.lost += seen == Seen::nothing || seen == Seen::dropped;
  }
  return flows;
}

void propose_dead_paths(const Clues& clues, Boxes& boxes) {
  // Of what was counted: what a limit dropped comes through when it is sent again.
  const bool lost_again = std::ranges::any_of(clues.sight.events.flows, [](const auto& event) {
    return event.resent && event.seen == Seen::nothing;
  });
  for (const auto protocol : {Protocol::any, Protocol::udp, Protocol::tcp}) {
    Fared all;
    // A request passed once and was lost once: no rule about ports or hosts does that.
    bool any_both = false;
    for (const auto& [request, fared] : how_flows_fared(clues.sight, protocol)) {
      all.passed += fared.passed;
      all.lost += fared.lost;
      any_both |= fared.passed > 0 && fared.lost > 0;
    }
    for (const auto& [packet, event] : clues.sight.seen_packets()) {
      const bool each = event.seen == Seen::sample && !event.one_flow && lost_again;
      if (!each || !matches(protocol, packet.udp)) continue;
      all.passed += event.answered;
      all.lost += event.sent - event.answered;
      any_both |= event.answered > 0 && event.answered < event.sent;
    }
    if (!any_both || all.lost < fewest_lost || all.passed < fewest_passed) continue;
    Box box{.kind = Kind::path, .code = FindingCode::network_dead_path, .fate = Fate::half};
    box.protocol = protocol;
    box.prior = prior::dead_path + (protocol == Protocol::any ? 0 : prior::one_protocol);
    box.spared_hosts = clues.sight.resolvers;  // they are near
    boxes.push_back(box);
  }
}

}  // namespace callready::reach
