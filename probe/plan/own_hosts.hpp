// Which hosts of a run are the customer's: a report that is passed on may have to hide them.
#pragma once

#include <string>
#include <vector>

#include "probe/model/plan.hpp"
#include "probe/model/target_set.hpp"
#include "targets/expand_variables.hpp"

namespace callready {

// The hosts of the plan's probes that the user named: by a value of his own (`given`, as --var has
// it), or in a set of his own. A set that takes the place of a built-in one (`builtin_ids`) is the
// vendor's in another edition. Sorted, each once.
std::vector<std::string> own_hosts(const Plan& plan, const std::vector<TargetSet>& sets,
                                   const VariableValues& given,
                                   const std::vector<std::string>& builtin_ids);

}  // namespace callready
