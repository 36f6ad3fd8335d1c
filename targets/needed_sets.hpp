// Completes a set by what it leans on: the rows and capabilities of the sets that it needs become
// its own, marked with where they come from. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "targets/loader.hpp"

namespace callready {

// The set of that id as its file has it, or what is wrong with it.
using FindSet = std::function<LoadResult(const std::string& id)>;

// `set` with what it needs, or every problem: a set that is unknown or cannot be read, one that
// needs others itself, a capability that it does not have, more than 1,000 rows in all. Rows of an
// id that is taken get their set's id before their own; two capabilities by which people sign in
// become one.
LoadResult with_needed_sets(TargetSet set, const FindSet& find);

}  // namespace callready
