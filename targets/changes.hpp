// What is different between two editions of a set, for a person who decides by it: "zoom: network
// 203.0.113.0/24 is new". Shared by `update` and `import`.
#pragma once

#include <string>
#include <vector>

#include "probe/model/target_set.hpp"

namespace callready {

// Nothing where all that a network must allow is the same. At most `most` destinations are named.
std::vector<std::string> changes(const TargetSet& before, const TargetSet& after,
                                 std::size_t most = 12);

}  // namespace callready
