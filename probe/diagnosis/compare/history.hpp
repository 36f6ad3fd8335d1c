// Since when each thing that a report says has been so. Pure: the history is the report of the run
// before, which holds that of the runs before it.
#pragma once

#include "probe/model/report.hpp"

namespace callready {

// Continues the count from `previous`, the last complete run of the same place and sets; if null,
// or of another site or --from, the history begins with this run.
void continue_history(const Report* previous, Report& report);

// The same history for findings that were made anew from the same measurements.
void keep_history(const std::vector<Finding>& from, std::vector<Finding>& to);

}  // namespace callready
