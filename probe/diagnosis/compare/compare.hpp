// What got better and what got worse between two reports of one site. Pure.
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

}  // namespace callready
