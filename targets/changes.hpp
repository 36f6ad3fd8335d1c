// The differences between two editions of a set, for a person who has to decide about them: "zoom:
// network 203.0.113.0/24 is new". Shared by `update` and `import`.
#pragma once

#include <string>
#include <vector>

#include "probe/model/target_set.hpp"

namespace callready {

// Empty if what a network must allow is unchanged. At most `most` destinations are named.
std::vector<std::string> changes(const TargetSet& before, const TargetSet& after,
                                 std::size_t most = 12);

}  // namespace callready
