// What got better and what got worse between two reports of one site, and since when each thing
// that a report says has been so: the history is the report of the run before, which holds that of
// the runs before it. Pure.
//
// "Better" and "worse" are only said about what both reports measured. If a row is no longer tried,
// or what failed could not be decided this time, that is a change and neither of the two.
#pragma once

#include "probe/model/comparison.hpp"

namespace callready {

// The names are the files' (for the texts).
Comparison compare(const Report& before, const std::string& before_name, const Report& after,
                   const std::string& after_name);

// For each finding of `after` the one of `before` that names the same cause, or null.
std::vector<const Finding*> same_causes(const std::vector<Finding>& before,
                                        const std::vector<Finding>& after);

// Continues the count from `previous`, the last complete run of the same place and sets; if null,
// or of another site or --from, the history begins with this run.
void continue_history(const Report* previous, Report& report);

// The same history for findings that were made anew from the same measurements.
void keep_history(const std::vector<Finding>& from, std::vector<Finding>& to);

}  // namespace callready
