// Diagnosis by worlds, from a report to the worlds that explain it. Which families of causes they
// decide: docs/diagnosis.md.
#pragma once

#include <functional>

#include "probe/diagnosis/reach/asked.hpp"
#include "probe/diagnosis/reach/search.hpp"

namespace callready::reach {

// Worlds as they were drawn, and what from.
struct Drawn {
  Sight sight;
  Boxes boxes;
  Asked asked;
  std::vector<World> worlds;  // best first
  std::size_t looked_at = 0;
};

// The worlds that explain what was seen and what rules about contents found. The result points into
// the report, which must outlive it. Pure. `table`: all kinds of boxes; the result does not depend
// on their order.
Drawn find_worlds(const Report& report, const std::vector<Finding>& contents,
                  const SearchLimits& limits = {}, std::span<const KindOfBox> table = kinds());

// The evidence for `such` boxes: the events that cost more in that world without them, the largest
// difference first.
std::vector<std::size_t> dearer_without(const Drawn& drawn, const World& world,
                                        const std::function<bool(const Box&)>& such);

// The events that the best world leaves unexplained.
std::vector<std::size_t> left_over(const Drawn& drawn);

}  // namespace callready::reach
