// What the customer has to choose from: "your own SIP server, private or public".
#pragma once

#include "probe/model/plan.hpp"
#include "probe/model/target_set.hpp"

namespace callready {

// Among a need's alternatives that are the customer's own servers, those without a value are no
// longer open questions once one of them has a value: a customer with only a public SIP server has
// no private one to ask about. `rows`: those of that set.
void leave_out_other_choices(const TargetSet& set, std::vector<PlannedRequirement>& rows);

}  // namespace callready
