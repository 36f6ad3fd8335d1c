// The rows of a run: which ones it is about, and for each the hosts that it may try, or why it
// tries none.
#pragma once

#include <string>
#include <vector>

#include "probe/plan/candidates.hpp"
#include "probe/plan/host_allocator.hpp"
#include "probe/plan/plan.hpp"

namespace callready {

// Whether this run is about the row at all.
bool is_selected(const TargetSet& set, const Requirement& row, const PlanOptions& options,
                 const std::vector<std::string>& scenarios);

Row make_row(const TargetSet& set, const Requirement& requirement, const PlanOptions& options);

// To networks without a known listener: only whether a first packet leaves the site is asked.
bool sends_only_to_the_edge(const Requirement& requirement);

}  // namespace callready
