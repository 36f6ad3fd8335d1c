// Reads a whole set: its head, what it declares, its rows, and how they hang together.
#pragma once

#include "probe/model/target_set.hpp"
#include "targets/load_rules.hpp"
#include "targets/yaml_reader.hpp"

namespace callready {

// What the set says of itself, without its rows. Only good where no problem was reported.
SetHead read_set_head(const YamlNode& root, Problems& problems);

// Only good where no problem was reported.
TargetSet read_set(const YamlNode& root, const LoadRules& rules, Problems& problems);

}  // namespace callready
