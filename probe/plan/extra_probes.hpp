// What is measured by servers that the rows meet anyway, beside what the rows ask.
#pragma once

#include <vector>

#include "probe/plan/probe_list.hpp"

namespace callready {

// After the rows' own probes.
void add_extra_probes(ProbeList& probes, const std::vector<const TargetSet*>& sets,
                      std::vector<Row>& rows, const PlanOptions& options);

// SIP over UDP that is too long for one packet, to one server of the run that answers a short one:
// rather not to the one that the SIP ALG test keeps busy, since one is sent a message a second, nor
// to what is asked only where something else is silent, so after the conditions.
void add_long_sip(ProbeList& probes, const std::vector<const TargetSet*>& sets);

}  // namespace callready
