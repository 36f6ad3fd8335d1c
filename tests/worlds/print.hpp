// Prints what worlds say of a report, next to what the report says itself.
#pragma once

#include "tests/worlds/shadow.hpp"

namespace callready::reach {

// `all`: every world that is left, and what the best one explains badly.
void print_comparison(const std::string& name, const Report& report, const RowReach& reach,
                      bool all);

}  // namespace callready::reach
