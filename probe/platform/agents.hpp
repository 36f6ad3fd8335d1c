// Programs that run on this computer and are known to carry others' traffic, or to look into it.
#pragma once

#include <vector>

#include "probe/model/report.hpp"

namespace callready::platform {

// As far as every user may see them; none is a cause by itself. `processes`: where processes are
// listed, for tests; empty: the system's own place.
std::vector<AgentInfo> known_agents(const std::string& processes = {});

}  // namespace callready::platform
