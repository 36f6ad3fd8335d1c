// A world: a few boxes on the way, and how much the line loses.
#pragma once

#include <vector>

#include "probe/diagnosis/reach/likelihood.hpp"

namespace callready::reach {

// What becomes of a packet, and which box decides.
struct Met {
  Fate fate = Fate::pass;
  BoxPlace place = BoxPlace::at_site;  // of the box
  std::uint32_t box = no_box;          // its number
  bool by_living_path = false;  // of several, one is dead: this flow was not sent over that one
  static constexpr std::uint32_t no_box = ~0U;

  bool met() const { return box != no_box; }
};

// Of two boxes, the one that decides: one that lets nothing pass before one that lets some pass;
// then the nearer. At the same place their order is unknown: `first_fits` says which fits better.
template <typename Fits>
const Met& nearer(const Met& one, const Met& other, Fits first_fits) {
  if (!one.met()) return other;
  if (!other.met()) return one;
  if (loses(one.fate) != loses(other.fate)) return loses(one.fate) ? one : other;
  if (one.place != other.place) return one.place < other.place ? one : other;
  return first_fits(one.fate, other.fate) ? one : other;
}

// All boxes that a packet meets, in any order. A device that carries connections on stands for what
// is behind it, whatever has become of that: so it is remembered separately. So is a dead path:
// what it loses does not meet a device that takes connections, and what it spares does.
class Meeting {
 public:
  template <typename Fits>
  void add(const Met& met, Fits first_fits) {
    auto& side = met.fate == Fate::carry ? carrier_ : met.fate == Fate::half ? path_ : other_;
    side = nearer(side, met, first_fits);
  }

  template <typename Fits>
  Met outcome(Fits first_fits) const {
    auto beyond = outcome_beyond(first_fits);
    if (!path_.met() || stops(beyond.fate)) return beyond;
    if (!beyond.met() || first_fits(path_.fate, beyond.fate)) return path_;
    beyond.by_living_path = true;
    return beyond;
  }

 private:
  template <typename Fits>
  Met outcome_beyond(Fits first_fits) const {
    if (!carrier_.met()) return other_;
    if (other_.fate == Fate::ignore) return {Fate::unheard, carrier_.place, other_.box};
    // Where it is nearer than what stops the packet (or at the same place, if that fits better),
    // the connection is established all the same.
    if (stops(other_.fate)) {
      const bool its = other_.place > carrier_.place || first_fits(Fate::take, other_.fate);
      return its ? Met{Fate::take, carrier_.place, other_.box} : other_;
    }
    return nearer(carrier_, other_, first_fits);
  }

  Met carrier_, other_, path_;
};

// From these probabilities on, a cause is called so; and from the last on it is worth mentioning.
inline constexpr double is_certain = .99, is_likely = .95, more_likely_than_not = .5,
                        is_worth_saying = .05;

Confidence confidence_of(double probability);

struct World {
  std::vector<std::uint32_t> boxes;  // numbers of boxes, ascending
  Bits cost = 0;
  std::size_t loss = 0;    // a place in `losses`
  double probability = 0;  // among the worlds that are left
};

// How probable the worlds are in which that is true.
template <typename True>
double probability(const std::vector<World>& worlds, True is_true) {
  double sum = 0;
  for (const auto& world : worlds) sum += is_true(world) ? world.probability : 0;
  return sum;
}

// The fate of a packet in that world: the forward function.
Met fate_in(const World& world, const Boxes& boxes, const Packet& packet);

// The same for an event's packet, by its number: of boxes in one place, the one that fits it.
Met fate_in(const World& world, const Boxes& boxes, const Sight& sight, std::size_t event);

// What that outcome costs on top of its fate: which path a flow took, chance has said.
constexpr Bits bits_of_path(const Met& met) { return met.by_living_path ? one_bit : 0; }

// What that event costs in that world.
Bits bits_in(const World& world, const Boxes& boxes, const Sight& sight, std::size_t event);

}  // namespace callready::reach
