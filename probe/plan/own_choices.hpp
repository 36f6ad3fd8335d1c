// What the customer has to choose from: "your own SIP server, private or public".
#pragma once

#include "probe/model/plan.hpp"
#include "probe/model/target_set.hpp"

namespace callready {

// Of a need's alternatives that are servers of the customer's own, those without a value are no
// open question any more once one of them has one: who has only a public SIP server has no private
// one to ask about. `rows` of that set.
void leave_out_other_choices(const TargetSet& set, std::vector<PlannedRequirement>& rows);

}  // namespace callready
