#include "probe/diagnosis/reach/world.hpp"

namespace callready::reach {

Met fate_in(const World& world, const Boxes& boxes, const Packet& packet) {
  Met result;
  for (const auto number : world.boxes) {
    const auto& box = boxes[number];
    const auto fate = fate_of(box, packet);
    if (fate == Fate::pass) continue;
    const Met met{fate, place_of(box), number};
    result = nearer(result, met, [](Fate, Fate) { return true; });
  }
  return result;
}

}  // namespace callready::reach
