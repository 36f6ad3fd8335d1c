// What a set's author should know besides its errors: rows that no run will try, and capabilities
// that could be called good without a probe.
#pragma once

#include <vector>

#include "probe/model/target_set.hpp"
#include "targets/problem.hpp"

namespace callready {

// In the order of the file, which `set.origin` names. A row that says itself why it cannot be
// probed (`unprobed`), or that waits for a value from the user, is no surprise and is left out.
std::vector<Problem> warnings_of(const TargetSet& set);

}  // namespace callready
