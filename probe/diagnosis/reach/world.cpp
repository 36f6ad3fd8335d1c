#include "probe/diagnosis/reach/world.hpp"

#include <functional>

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

Bits bits_of_fate(const World& world, const Sight& sight, std::size_t event, Fate fate) {
  const auto& events = sight.events;
  return bits_of(events.flows[event], events.slow_line, fate, losses[world.loss].share);
}

}  // namespace

Met fate_in(const World& world, const Boxes& boxes, const Packet& packet) {
  return fate_by(world, boxes, packet, std::less_equal());
}

Met fate_in(const World& world, const Boxes& boxes, const Sight& sight, std::size_t event) {
  const auto cost = [&](Fate fate) { return bits_of_fate(world, sight, event, fate); };
  return fate_by(world, boxes, sight.packets[event], [&](Fate one, Fate other) {
    return std::pair(cost(one), one) <= std::pair(cost(other), other);
  });
}

Bits bits_in(const World& world, const Boxes& boxes, const Sight& sight, std::size_t event) {
  const auto met = fate_in(world, boxes, sight, event);
  return bits_of_fate(world, sight, event, met.fate) + bits_of_path(met);
}

Confidence confidence_of(double probability) {
  return probability >= is_certain  ? Confidence::certain
         : probability >= is_likely ? Confidence::likely
                                    : Confidence::possible;
}

}  // namespace callready::reach
