// Which probes are made only if others did not reach their endpoint, or did.
#pragma once

#include <vector>

#include "probe/plan/probe_list.hpp"

namespace callready {

// A SIP server's alternate ports are asked only if its first choice did not answer: more OPTIONS
// than needed may get the site banned. Packets to the site's edge for a fallback are sent only if
// what it stands in for is not fully reached: the edge answers few. A probe that any row wants for
// itself is made no matter what others answer.
void add_conditions(ProbeList& probes, const std::vector<const TargetSet*>& sets,
                    const PlanOptions& options);

// The SIP ALG test's first message is an OPTIONS like any other: where it goes to an endpoint
// that a row asks too, its answer serves both. Where that row asks on its own account, the test
// needs a server that answers: one that has answered over that transport.
void share_answers(Plan& plan);

}  // namespace callready
