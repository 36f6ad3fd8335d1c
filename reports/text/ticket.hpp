// The block for the ticket: at most 25 lines of plain text. Internal to reports/.
#pragma once

#include <cstddef>
#include <string>

#include "probe/model/report.hpp"

namespace callready {

// About one cause, for the team that has to act. Long lists of hosts are left to `firewall
// --missing`, which it names.
std::string ticket_of(const Report& report, std::size_t finding);

}  // namespace callready
