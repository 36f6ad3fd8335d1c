// What is measured with servers that the rows meet anyway, besides what the rows ask for.
#pragma once

#include <vector>

#include "probe/plan/probe_list.hpp"

namespace callready {

// To be called after the rows' own probes have been added.
void add_extra_probes(ProbeList& probes, const std::vector<const TargetSet*>& sets,
                      std::vector<Row>& rows, const PlanOptions& options);

// SIP over UDP that is too long for one packet, to one server of the run that answers a short one.
// Preferably not to the one that the SIP ALG test keeps busy, since a server is sent one message a
// second, nor to one that is asked only if something else is silent: so call it after
// add_conditions().
void add_long_sip(ProbeList& probes, const std::vector<const TargetSet*>& sets);

}  // namespace callready
