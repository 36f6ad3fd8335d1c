// One block of the ticket: at most 25 lines of plain text. Internal to reports/.
#pragma once

#include <cstddef>
#include <string>

#include "probe/model/report.hpp"
#include "reports/format.hpp"

namespace callready {

// About one cause, for the team that has to act. For long lists of hosts it refers to `firewall
// --missing`.
std::string ticket_of(const Report& report, std::size_t finding, const RenderOptions& options);

}  // namespace callready
