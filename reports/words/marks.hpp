// How good something is, as one of the few marks that every report for people shows.
#pragma once

#include <string_view>

#include "probe/model/report.hpp"
#include "probe/model/route_pairs.hpp"

namespace callready {

enum class Mark { good, warning, bad, unknown, skipped, none };

Mark mark_of(Verdict verdict);
Mark mark_of(Status status);
// Of one endpoint. Silence proves nothing, and a control that does not answer is not a fault.
Mark mark_of(const ProbeResult& result);
// Of one endpoint over two routes: good if people's programs, which use the proxy, reach it.
Mark mark_of(const RoutePair& pair);

// 0 for what was not tried; the higher, the worse.
int badness(Status status);

std::string_view mark_name(Mark mark);   // "good", for style sheets
std::string_view mark_glyph(Mark mark);  // one character

}  // namespace callready
