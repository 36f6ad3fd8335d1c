// Which hosts of a run are the customer's: a report that is passed on may have to hide them.
#pragma once

#include <string>
#include <vector>

#include "probe/model/plan.hpp"
#include "probe/model/target_set.hpp"
#include "targets/expand_variables.hpp"

namespace callready {

// The hosts of the plan's probes that the user named: as a value of a variable (`given`, from
// --var), or in a set of the user's own. A set that replaces a built-in one (`builtin_ids`) counts
// as the vendor's in another edition. Sorted, each once.
std::vector<std::string> own_hosts(const Plan& plan, const std::vector<TargetSet>& sets,
                                   const VariableValues& given,
                                   const std::vector<std::string>& builtin_ids);

}  // namespace callready
