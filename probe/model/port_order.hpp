// In which order the ports of a range are asked where not all of them can be.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

namespace callready {

// `ports`, ascending, in another order: first the one that is farthest from all that are known,
// then the one that is farthest from these and the first, and so on; where none is known, first the
// lowest. A rule about ports has one or two bounds, so the first few tell the most: both ends, then
// the middle.
std::vector<std::uint16_t> farthest_first(std::vector<std::uint16_t> ports,
                                          std::set<std::uint16_t> known);

// How many ports the nearest known one is away; 65,536 where none is known.
int distance_to_nearest(std::uint16_t port, const std::set<std::uint16_t>& known);

}  // namespace callready
