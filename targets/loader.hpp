// Reads a target set from YAML. The format: targets/README.md. Every problem of a file is found in
// one go, with its line and column, what was found and what was expected.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/target_set.hpp"
#include "targets/load_rules.hpp"
#include "targets/problem.hpp"

namespace callready {

struct LoadResult {
  std::optional<TargetSet> set;   // only where there is no problem at all
  std::vector<Problem> problems;  // in the order of the file
  // What the file calls its set, as far as that could be read; empty where it could not.
  std::string id;
};

// `path` is also how problems name the file. Never throws; a file that cannot be read is a problem.
LoadResult load_file(const std::string& path, const LoadRules& rules);

// `name` is what problems and the set's `origin` call the text's source.
LoadResult load_text(std::string_view text, std::string name, const LoadRules& rules);

}  // namespace callready
