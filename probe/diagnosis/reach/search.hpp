// The worlds that explain what was seen: a bounded best-first search over small sets of boxes.
#pragma once

#include "probe/diagnosis/reach/world.hpp"

namespace callready::reach {

struct SearchLimits {
  std::size_t beam = 24;  // worlds that grow further, of each size
  std::size_t boxes = 5;  // in one world
  Bits slack = bits(14);  // worlds that are so much dearer than the best are dropped
  Bits gain = bits(1);    // that a box has to earn
  Bits loss_slack = bits(8);
};

struct Found {
  std::vector<World> worlds;  // best first; their probabilities add up to 1
  std::size_t looked_at = 0;  // worlds whose cost was added up
};

// What a box does to an event.
struct Hit {
  std::uint32_t event;  // in the order of Sight: flows, then signs
  Fate fate;
};
using Hits = std::vector<std::vector<Hit>>;  // by box

Hits hits_of(const Sight& sight, const Boxes& boxes);

// The cost of each event under each fate: looked up once.
class Costs {
 public:
  Costs(const Sight& sight, const Hits& hits, double loss);

  const std::vector<Hit>& hits(std::size_t box) const { return hits_[box]; }
  // A sign is told (any fate but `pass`), or it is not.
  Bits cost(std::size_t event, Fate fate) const {
    return costs_[event * fate_count + static_cast<std::size_t>(fate)];
  }
  // Which of two fates fits that event better; where both do as well, the first of the two.
  auto fits(std::size_t event) const {
    return [this, event](Fate one, Fate other) {
      const auto first = cost(event, one), second = cost(event, other);
      return first != second ? first < second : one <= other;
    };
  }
  std::size_t events() const { return events_; }
  // All of them where there is no box.
  Bits clean() const;

 private:
  std::size_t events_;
  std::vector<Bits> costs_;
  const Hits& hits_;
};

// What becomes of each event in that world.
std::vector<Met> fates_of(const World& world, const Boxes& boxes, const Costs& costs);

// True for signs that are no fault by themselves.
bool is_note(Sign sign);

// `boxes` each once, in any order: what comes out does not depend on it. `asked`: what people want
// to send; worlds that say the same of all of it, by the same codes, are one.
Found search(const Sight& sight, const Boxes& boxes, const std::vector<Packet>& asked,
             const SearchLimits& limits = {});

}  // namespace callready::reach
