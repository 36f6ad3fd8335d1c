// The same endpoint over two routes, through a proxy and directly, side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probe/model/report.hpp"

namespace callready {

// Milliseconds until the endpoint could be used, from the checks' own timings (checks/dial.hpp,
// checks/http.cpp): the connection or the tunnel, and the TLS handshake in it. A tunnel's time
// includes the proxy's own look-up of the name. Nothing if that was not timed.
std::optional<double> set_up_ms(const ProbeResult& result);

// Which of the two routes serves an endpoint better.
enum class Better {
  proxy_only,    // directly it is not reached
  direct_only,   // through the proxy it is not reached
  proxy_faster,  // both reach it
  direct_faster,
  alike,    // both reach it, and their times are too close to tell, or unknown
  neither,  // reached over neither
  untold,   // not tried over both routes
};

struct RoutePair {
  const ProbeResult* proxied = nullptr;  // never null
  const ProbeResult* direct = nullptr;   // null: the report has no such probe
  Better better = Better::untold;
};

// All that was tried through a proxy, with its twin over the direct route, in the report's order.
// They point into the report. In a merged report both were made at the same place.
std::vector<RoutePair> route_pairs(const Report& report);

// "only through the proxy", "directly is faster (23 ms against 41 ms)".
Text better_in_words(const RoutePair& pair);

// About all that was tried over both routes: "Tried both ways: 5 of 5 endpoints are reached through
// the proxy, 0 of 5 directly." Empty if there is none.
Text routes_in_short(const std::vector<RoutePair>& pairs);

}  // namespace callready
