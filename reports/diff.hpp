// Prints a comparison of two reports: `callready diff OLD NEW`.
#pragma once

#include <string>

#include "probe/model/comparison.hpp"
#include "reports/format.hpp"

namespace callready {

// For a person: what got worse first, then what got better, then the rest.
std::string diff_text(const Comparison& comparison, const RenderOptions& options);

// Everything, per schema/callready.diff-1.schema.json.
std::string diff_json(const Comparison& comparison);

}  // namespace callready
