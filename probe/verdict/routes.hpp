// The same endpoints over two routes: direct, and through a proxy.
#pragma once

#include "probe/verdict/judge.hpp"

namespace callready {

// "direct 23 ms, through the proxy 41 ms": how long it took to set up the row's connections, as the
// median of those endpoints that both routes reached. Empty where there is none.
std::string compare_routes(const PlannedRequirement& planned, const Evidences& evidences);

}  // namespace callready
