// Reads a whole set: its head, its declarations, its rows, and the references between them.
#pragma once

#include "probe/model/target_set.hpp"
#include "targets/load_rules.hpp"
#include "targets/yaml_reader.hpp"

namespace callready {

// The set's head, without its rows. Only valid if no problem was reported.
SetHead read_set_head(const YamlNode& root, Problems& problems);

// Only valid if no problem was reported.
TargetSet read_set(const YamlNode& root, const LoadRules& rules, Problems& problems);

}  // namespace callready
