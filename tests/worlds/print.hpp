// What worlds say of a report, beside what it says.
#pragma once

#include "tests/worlds/shadow.hpp"

namespace callready::reach {

// `all`: every world that is left, and what the best one explains badly.
void print_comparison(const std::string& name, const Report& report, const RowReach& reach,
                      bool all);

}  // namespace callready::reach
