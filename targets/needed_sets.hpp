// Completes a set with what it depends on: the rows and capabilities of the sets that it needs
// become its own, marked with where they come from. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "targets/loader.hpp"

namespace callready {

// The set with that id as its file has it, or what is wrong with it.
using FindSet = std::function<LoadResult(const std::string& id)>;

// `set` with what it needs, or all problems: a needed set that is unknown or unreadable, that needs
// other sets itself or lacks a capability; more than 1,000 rows in all. A row whose id is taken
// gets its set's id as a prefix; two capabilities by which people sign in are merged.
LoadResult with_needed_sets(TargetSet set, const FindSet& find);

}  // namespace callready
