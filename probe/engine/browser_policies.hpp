// Browser policies set by administrators, as far as they affect calls.
#pragma once

#include <span>

#include "probe/model/report.hpp"
#include "probe/platform/browser_policies.hpp"

namespace callready {

// Adds to the site's policies, and to what could not be read.
void tell_policies(std::span<const platform::PolicyText> texts, Site& site);

}  // namespace callready
