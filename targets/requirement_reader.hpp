// Reads one row of a vendor's table: the part of the loader that knows what a requirement is.
#pragma once

#include "probe/model/target_set.hpp"
#include "targets/declared.hpp"

namespace callready {

// What has a problem is left out of the result, which is thus only valid if none was reported.
Requirement read_requirement(const YamlNode& node, const Declared& declared, Problems& problems);

}  // namespace callready
