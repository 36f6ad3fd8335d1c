// The first page of `callready exporter`: its sets, how old their results are, and where to look.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probe/model/observation.hpp"

namespace callready {

struct IndexRow {
  std::string set, module;
  std::optional<WallTime> finished;  // the last result; nothing if there is none yet
  bool running = false;
  std::string error;  // of the last run; empty: none
};

std::string exporter_index(const std::string& site, const std::string& place,
                           const std::vector<IndexRow>& rows);

}  // namespace callready
