#include <algorithm>

#include "probe/plan/plan.hpp"
#include "probe/util/text.hpp"

namespace callready {

std::vector<std::uint16_t> sample_ports(const PortRange& range, int count) {
  std::vector<std::uint16_t> ports;
  const auto wanted = std::min<unsigned>(static_cast<unsigned>(std::max(count, 2)), range.count());
  if (wanted <= 1) return {range.first};
  const unsigned span = range.count() - 1;
  for (unsigned i = 0; i < wanted; ++i) {
    ports.push_back(static_cast<std::uint16_t>(range.first + span * i / (wanted - 1)));
  }
  return ports;
}

std::vector<std::size_t> spread_order(std::size_t n) {
  // The van der Corput sequence: reversed binary digits visit halves, quarters, eighths in turn.
  const auto reversed = [](std::size_t value) {
    std::size_t result = 0;
    for (int bit = 0; bit < 32; ++bit) result |= ((value >> bit) & 1) << (31 - bit);
    return result;
  };
  std::size_t size = 1;
  while (size < n) size *= 2;
  std::vector<std::size_t> visited;
  for (std::size_t i = 0; i < size && visited.size() < n; ++i) {
    const std::size_t position = reversed(i) / ((std::size_t{1} << 32) / size);
    if (position < n) visited.push_back(position);
  }
  return visited;
}

std::vector<std::string> active_scenarios(const TargetSet& set, const PlanOptions& options) {
  std::vector<std::string> active;
  for (const auto& scenario : set.scenarios) {
    const auto& named = options.scenarios;
    const bool chosen = named.empty() ? scenario.by_default : contains(named, scenario.id);
    if (chosen) active.push_back(scenario.id);
  }
  return active;
}

}  // namespace callready
