// What is measured by servers that the rows meet anyway, beside what the rows ask.
#pragma once

#include <vector>

#include "probe/plan/probe_list.hpp"

namespace callready {

// After the rows' own probes.
void add_extra_probes(ProbeList& probes, const std::vector<const TargetSet*>& sets,
                      std::vector<Row>& rows, const PlanOptions& options);

}  // namespace callready
