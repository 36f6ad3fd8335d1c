// A line for each WebRTC call made, and for the ICE candidates that one would use. Internal to
// reports/.
#pragma once

#include <string>
#include <vector>

#include "probe/model/report.hpp"

namespace callready {

// "call.example.com: ICE chose ...; DTLSv1.2 ...; 25 of 25 packets of media came back ..."
std::vector<std::string> call_lines(const Report& report);

}  // namespace callready
