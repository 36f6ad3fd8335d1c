// Where a run speaks from, for its report: another network than the users' may have other rules.
#pragma once

#include <string>

#include "probe/cli/arguments.hpp"
#include "probe/model/report.hpp"

namespace callready {

// What is known of this computer that makes its network another than the users'; else empty.
std::string place_of_this_computer();

// Says it in the report's notes, with --place.
void add_place(const Arguments& arguments, Report& report);

// With --history: counts this run on from the report there, and takes its place there if it is
// complete. The error in words, or nothing.
std::optional<std::string> add_history(const Arguments& arguments, Report& report);

}  // namespace callready
