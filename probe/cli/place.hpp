// Where a run was made, for its report: a network other than the users' may have other rules.
#pragma once

#include <string>

#include "probe/cli/arguments.hpp"
#include "probe/model/report.hpp"

namespace callready {

// What is known about this computer that puts it on a network other than the users'; or empty.
std::string place_of_this_computer();

// Says it in the report's notes, with --place.
void add_place(const Arguments& arguments, Report& report);

// With --history: continues the count of the report there, and takes its place if this run is
// complete. The error in words, or nothing.
std::optional<std::string> add_history(const Arguments& arguments, Report& report);

}  // namespace callready
