// What is asked of the hosts that a row may meet: its check on each of its ports, over each of its
// transports, directly, over each interface, and through the proxy that may carry it.
#pragma once

#include <vector>

#include "probe/plan/probe_list.hpp"

namespace callready {

// Adds the probes of all rows, and notes for each row how much of it was sampled. Rows share what
// is sent to one host.
void add_probes_of_rows(ProbeList& probes, std::vector<Row>& rows, const PlanOptions& options);

}  // namespace callready
