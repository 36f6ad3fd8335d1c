// Prints target sets themselves: `callready list`, `callready show SET`, and both with --json.
#pragma once

#include <span>
#include <string>

#include "probe/model/target_set.hpp"
#include "reports/format.hpp"

namespace callready {

// The set for a person: capability by capability, each requirement with its source. Long lists are
// counted; with `verbose` every fact is there.
std::string show_text(const TargetSet& set, const RenderOptions& options);

// Every fact of the set with its source, as pretty-printed JSON.
std::string show_json(const TargetSet& set);

// One row per set: id, title, edition, the date it was last verified, number of requirements.
std::string list_text(std::span<const TargetSet> sets, const RenderOptions& options);
std::string list_json(std::span<const TargetSet> sets);

}  // namespace callready
