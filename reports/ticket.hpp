// The block for the ticket: all that who gets it needs, and nothing else. Internal to reports/.
#pragma once

#include <cstddef>
#include <string>

#include "probe/model/report.hpp"

namespace callready {

// Of one cause, with every name and network that its fix asks for.
std::string ticket_of(const Report& report, std::size_t finding);

}  // namespace callready
