// Reports as the program makes them, one of each kind, for the tests of all renderers.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/model/report.hpp"

namespace callready::samples {

inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

Report clean();       // one set, everything works
Report degraded();    // TURN over UDP is blocked, TLS carries the calls: one finding
Report blocked();     // two sets, several findings, notes, a proxy, controls
Report incomplete();  // stopped half-way
Report empty();       // no set, no probe
Report proxied();     // web rows tried through the proxy and directly, at a site that needs it
Report hostile();     // every string that the network or a file can choose is an attack

inline std::vector<std::pair<std::string, Report>> all() {
  return {{"clean", clean()},           {"degraded", degraded()}, {"blocked", blocked()},
          {"incomplete", incomplete()}, {"empty", empty()},       {"hostile", hostile()}};
}

}  // namespace callready::samples
