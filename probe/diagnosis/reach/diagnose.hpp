// Diagnosis by worlds, from a report to the worlds that explain it. Which families of causes they
// decide: docs/diagnosis.md.
#pragma once

#include <functional>

#include "probe/diagnosis/reach/asked.hpp"
#include "probe/diagnosis/reach/search.hpp"

namespace callready::reach {

struct Diagnosis {
  Sight sight;
  Boxes boxes;
  Asked asked;
  std::vector<World> worlds;  // best first
  std::size_t looked_at = 0;
};

// The worlds of what was seen, and of what rules about contents found. It points into the report,
// which must outlive it. Pure. `table`: all kinds of boxes; what comes out does not depend on their
// order.
Diagnosis find_worlds(const Report& report, const std::vector<Finding>& contents,
                      const SearchLimits& limits = {}, std::span<const KindOfBox> table = kinds());

// What shows boxes that are so: the events that are dearer in that world without them, the dearest
// first.
std::vector<std::size_t> dearer_without(const Diagnosis& drawn, const World& world,
                                        const std::function<bool(const Box&)>& such);

// The events that the best world leaves over.
std::vector<std::size_t> left_over(const Diagnosis& drawn);

}  // namespace callready::reach
