// Reads a target set from YAML (format: targets/README.md). All problems of a file are reported in
// one pass, each with its line and column, what was found and what was expected.
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
  std::optional<TargetSet> set;   // only if there is no problem at all
  std::vector<Problem> problems;  // in the order of the file
  // The id that the file gives its set; empty if it could not be read.
  std::string id;
};

// `path` is also how problems name the file. Never throws; a file that cannot be read is a problem.
LoadResult load_file(const std::string& path, const LoadRules& rules);

// `name` identifies the text's source in problems and in the set's `origin`.
LoadResult load_text(std::string_view text, std::string name, const LoadRules& rules);

}  // namespace callready
