// What of a set works by IPv6, by translation only, or not without a translator on this computer.
#pragma once

#include <string>
#include <vector>

#include "probe/model/report.hpp"

namespace callready {

// Sentences for the set's notes; none where nothing of it went by IPv6.
std::vector<Text> ipv6_notes(const SetResult& set, const Report& report);

}  // namespace callready
