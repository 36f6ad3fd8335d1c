// Diagnosis by worlds, from a report to its causes. Which families of them it decides:
// docs/diagnosis.md.
#pragma once

#include "probe/diagnosis/reach/explain.hpp"

namespace callready::reach {

// The worlds and their causes: of what was seen, and of what rules about contents found. It points
// into the report, which must outlive it. Pure. `table`: all kinds of boxes; what comes out does
// not depend on their order.
Diagnosis find_worlds(const Report& report, const std::vector<Finding>& contents,
                      const SearchLimits& limits = {}, std::span<const KindOfBox> table = kinds());

}  // namespace callready::reach
