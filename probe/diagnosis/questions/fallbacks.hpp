// Fallbacks that a run spares, because a first choice of their capability seems to work. Pure.
#pragma once

#include <string>
#include <vector>

#include "probe/model/report.hpp"

namespace callready {

// A fallback to the site's edge that was not made because a first choice got so far. If a server
// answered, its other ports are not fallbacks.
bool is_spared_fallback(const ProbeResult& result);

// The ids of those that are needed after all: by what the run has shown, the first choice does not
// work (its packets left, and no reply ever comes back), or nobody knows. `report`: diagnosed;
// probes that have not ended yet are skipped without a detail.
std::vector<std::string> needed_after_all(const Report& report);

}  // namespace callready
