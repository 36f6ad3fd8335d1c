// How a call would have sounded, in words and pictures. Internal to reports/.
#pragma once

#include <string>
#include <vector>

#include "probe/model/report.hpp"
#include "reports/html/markup.hpp"

namespace callready {

// One direction of one stream, or its many calls at once ("calls", a character for each step).
struct MediaLine {
  std::string host, way;  // "out", "back", "both": there and back; empty: nothing was measured
  std::string figures;    // "MOS 4.4 (4.3 to 4.4), 0 of 750 lost, 30 ms, jitter 0.2 ms"
  std::string spark;      // a character for each second: how late its slowest packet was
};

// For all streams of the report, in its order.
std::vector<MediaLine> media_lines(const Report& report, bool unicode);

// The section of the HTML report; empty where no stream was measured.
Html html_media(const Report& report);

}  // namespace callready
