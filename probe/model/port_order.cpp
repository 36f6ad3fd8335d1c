#include "probe/model/port_order.hpp"

#include <algorithm>
#include <cstdlib>

namespace callready {

std::vector<std::uint16_t> farthest_first(std::vector<std::uint16_t> ports,
                                          std::vector<std::uint16_t> known) {
  std::vector<int> distances(ports.size(), 1 << 16);  // to the nearest that is known
  const auto approach = [&](std::uint16_t port) {
    for (std::size_t i = 0; i < ports.size(); ++i) {
      distances[i] = std::min(distances[i], std::abs(ports[i] - port));
    }
  };
  for (const auto port : known) approach(port);
  std::vector<std::uint16_t> order;
  while (!ports.empty()) {
    const auto farthest = std::max_element(distances.begin(), distances.end());
    const auto place = ports.begin() + (farthest - distances.begin());
    order.push_back(*place);
    ports.erase(place);
    distances.erase(farthest);
    approach(order.back());
  }
  return order;
}

}  // namespace callready
