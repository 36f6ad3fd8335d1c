#include "checks/udp_range_ports.hpp"

#include <algorithm>

namespace callready::checks::udp_range {

bool is_blocked(DetailCode result) {
  return result == DetailCode::dropped || result == DetailCode::prohibited ||
         result == DetailCode::kept_here;
}

std::map<std::uint16_t, bool> known_ports(const std::deque<Port>& ports) {
  std::map<std::uint16_t, bool> known;
  for (const auto& port : ports) {
    // A port that got out once, to a relay or to the far end, is open.
    if (is_out(port.result)) known[port.number] = true;
    if (is_blocked(port.result)) known.try_emplace(port.number, false);
  }
  return known;
}

std::vector<Block> blocks_of(const std::map<std::uint16_t, bool>& known) {
  std::vector<Block> blocks;
  std::optional<std::uint16_t> open;
  bool within = false;
  for (const auto& [port, out] : known) {
    if (out) {
      if (within) blocks.back().open_after = port;
      within = false;
      open = port;
    } else {
      if (!within) blocks.push_back({port, port, open, std::nullopt});
      blocks.back().last = port;
      within = true;
    }
  }
  return blocks;
}

std::vector<std::uint16_t> next_bounds(const std::map<std::uint16_t, bool>& known,
                                       const std::set<std::uint16_t>& tried) {
  std::vector<std::uint16_t> next;
  for (auto lower = known.begin(); lower != known.end(); ++lower) {
    const auto upper = std::next(lower);
    if (upper == known.end()) break;
    if (lower->second == upper->second || upper->first - lower->first < 2) continue;
    const auto in_vain = tried.upper_bound(lower->first);
    if (in_vain != tried.end() && *in_vain < upper->first) continue;
    next.push_back(static_cast<std::uint16_t>(lower->first + (upper->first - lower->first) / 2));
  }
  return next;
}

std::vector<std::uint16_t> midpoints(const std::vector<std::uint16_t>& sample) {
  std::vector<std::uint16_t> middles;
  for (std::size_t i = 1; i < sample.size(); ++i) {
    const int gap = sample[i] - sample[i - 1];
    if (gap > 1) middles.push_back(static_cast<std::uint16_t>(sample[i - 1] + gap / 2));
  }
  return middles;
}

unsigned longest_gap(const std::map<std::uint16_t, bool>& known, const PortRange& whole) {
  unsigned longest = 0, next = whole.first;
  for (const auto& [port, open] : known) {
    if (!open || !whole.contains(port)) continue;
    longest = std::max(longest, port - next);
    next = port + 1u;
  }
  return std::max(longest, whole.last + 1u - next);
}

}  // namespace callready::checks::udp_range
