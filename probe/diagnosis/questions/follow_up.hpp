// Which measurements a second round makes, after the first has shown where something is wrong:
// those that tell neighbouring causes apart (docs/design.md, "How neighbours are told apart").
// Pure.
#pragma once

#include <vector>

#include "probe/model/report.hpp"

namespace callready {

// A second round is short, and meets few hosts that the first has not met: this many in a run, and
// this many more that only ask resolvers for names. What gets no answer is known late, and asked
// once more even if the others have taken all the room.
inline constexpr std::size_t most_follow_ups = 24, most_name_questions = 36,
                             most_repeat_questions = 12;

// None for a clean site. Those that are in the report already count. All are controls: no row's
// status depends on them. Names that are missing are asked for elsewhere only where the report's
// controls name independent resolvers (`dns` probes with `server: true`), so that --no-anchors and
// other anchors are honoured. `hurried`: of hundreds of media hosts the routers on the way can
// prove few; where some are proved to leave the site, no more are asked about.
std::vector<Probe> follow_ups(const Report& report, bool hurried = false);

}  // namespace callready
