// The same endpoints over two routes: direct, and through a proxy.
#pragma once

#include "probe/diagnosis/status/judge.hpp"

namespace callready {

// "direct 23 ms, through the proxy 41 ms": how long it took to set up the row's connections, as the
// median of those endpoints that both routes reached. Empty if there is none.
Text compare_routes(const PlannedRequirement& planned, const ResultIndex& evidences);

}  // namespace callready
