// What the last runs learnt about the routers on the way, kept for some minutes so that the next
// run asks these less (KnownWay): next to the last report, for this user alone.
#pragma once

#include <string>
#include <vector>

#include "probe/net/site_edge.hpp"

namespace callready {

inline constexpr std::chrono::minutes ways_are_known{5};

// As JSON, {"ways": [{"listener", "port", "own", "seen", "routers": {TTL: address}}]}.
std::string write_known_ways(const std::vector<KnownWay>& ways);
// Those of the last five minutes before `now`; none if the text is not such a file.
std::vector<KnownWay> read_known_ways(const std::string& text, WallTime now);

// Those of this user's file; none where there is none.
std::vector<KnownWay> load_known_ways();
// Replaces that file; does nothing if there is no place for it.
void keep_known_ways(const std::vector<KnownWay>& ways);

}  // namespace callready
