// From all that a run saw to root causes (DESIGN: Findings). Pure: a saved report diagnoses to the
// same result as the run that made it.
#pragma once

#include <vector>

#include "probe/model/report.hpp"

namespace callready {

// The causes of what is wrong in `report`, in the order in which they are judged: what an earlier
// one explains, a later one does not name again. Its `findings` are not looked at. Empty for a
// clean site.
std::vector<Finding> diagnose(const Report& report);

}  // namespace callready
