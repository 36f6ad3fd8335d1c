#include "probe/diagnosis/reach/world.hpp"

namespace callready::reach {

namespace {

template <typename Fits>
Met fate_by(const World& world, const Boxes& boxes, const Packet& packet, Fits fits) {
  Meeting meeting;
  for (const auto number : world.boxes) {
    const auto& box = boxes[number];
    const auto fate = fate_of(box, packet);
    if (fate == Fate::pass) continue;
    meeting.add({fate, place_of(box, fate), number}, fits);
  }
  return meeting.outcome(fits);
}

}  // namespace

Met fate_in(const World& world, const Boxes& boxes, const Packet& packet) {
  return fate_by(world, boxes, packet, [](Fate one, Fate other) { return one <= other; });
}

Met fate_in(const World& world, const Boxes& boxes, const Packet& packet, const FlowEvent& event,
            bool slow_line) {
  const auto share = losses[world.loss].share;
  return fate_by(world, boxes, packet, [&](Fate one, Fate other) {
    const auto first = bits_of(event, slow_line, one, share);
    const auto second = bits_of(event, slow_line, other, share);
    return first != second ? first < second : one <= other;
  });
}

Met fate_in(const World& world, const Boxes& boxes, const Sight& sight, std::size_t event) {
  return fate_in(world, boxes, sight.packets[event], sight.events.flows[event],
                 sight.events.slow_line);
}

Bits bits_in(const World& world, const Boxes& boxes, const Sight& sight, std::size_t event) {
  const auto fate = fate_in(world, boxes, sight, event).fate;
  const auto& [flows, signs, slow_line] = sight.events;
  return bits_of(flows[event], slow_line, fate, losses[world.loss].share);
}

Confidence confidence_of(double probability) {
  return probability >= is_certain  ? Confidence::certain
         : probability >= is_likely ? Confidence::likely
                                    : Confidence::possible;
}

}  // namespace callready::reach
