#include "probe/model/port_order.hpp"

#include <algorithm>
#include <iterator>

namespace callready {

int distance_to_nearest(std::uint16_t port, const std::set<std::uint16_t>& known) {
  const auto above = known.lower_bound(port);
  int nearest = 1 << 16;
  if (above != known.end()) nearest = *above - port;
  if (above != known.begin()) nearest = std::min(nearest, port - *std::prev(above));
  return nearest;
}

std::vector<std::uint16_t> farthest_first(std::vector<std::uint16_t> ports,
                                          std::set<std::uint16_t> known) {
  std::vector<std::uint16_t> order;
  while (!ports.empty()) {
    const auto farthest = std::ranges::max_element(
        ports, {}, [&](std::uint16_t port) { return distance_to_nearest(port, known); });
    order.push_back(*farthest);
    known.insert(*farthest);
    ports.erase(farthest);
  }
  return order;
}

}  // namespace callready
