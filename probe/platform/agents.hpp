// Programs that run on this computer and are known to carry other programs' traffic, or to inspect
// it.
#pragma once

#include <vector>

#include "probe/model/report.hpp"

namespace callready::platform {

// Those that every user may see; none is a cause by itself. `processes`: where processes are
// listed, for tests; empty: the system's own place.
std::vector<AgentInfo> known_agents(const std::string& processes = {});

}  // namespace callready::platform
