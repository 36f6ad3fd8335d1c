// The worlds that explain what was seen: a bounded best-first search over small sets of boxes.
#pragma once

#include "probe/diagnosis/reach/world.hpp"

namespace callready::reach {

struct SearchLimits {
  std::size_t beam = 24;  // worlds that grow further, of each size
  std::size_t boxes = 5;  // in one world
  Bits slack = bits(14);  // worlds that cost this much more than the best are dropped
  Bits gain = bits(1);    // that a box has to earn
  Bits loss_slack = bits(8);
};

struct Found {
  std::vector<World> worlds;  // best first; their probabilities add up to 1
  std::size_t looked_at = 0;  // worlds whose cost was added up
};

// `boxes`: each once, ascending, since which worlds are kept depends on their order. `asked`: what
// people want to send; worlds that say the same about all of it, with the same codes, are one.
Found search(const Sight& sight, const Boxes& boxes, const std::vector<Packet>& asked,
             const SearchLimits& limits = {});

}  // namespace callready::reach
