#include "probe/plan/port_samples.hpp"

#include <algorithm>

#include "probe/plan/plan.hpp"

namespace callready {
namespace {

bool lies_within(const PortRange& inner, const PortRange& outer) {
  return inner != outer && outer.first <= inner.first && inner.last <= outer.last;
}

bool narrower(const PortRange& a, const PortRange& b) {
  return a.count() != b.count() ? a.count() < b.count() : a < b;
}

// What is left of `range` without those of `sorted` that lie within it.
std::vector<PortRange> uncovered(const PortRange& range, const std::set<PortRange>& sorted) {
  std::vector<PortRange> pieces;
  unsigned next = range.first;
  for (auto at = sorted.lower_bound({range.first, 0}); at != sorted.end(); ++at) {
    if (at->first > range.last) break;
    if (!lies_within(*at, range)) continue;
    if (at->first > next) {
      pieces.push_back(
          {static_cast<std::uint16_t>(next), static_cast<std::uint16_t>(at->first - 1)});
    }
    next = std::max(next, at->last + 1u);
  }
  if (next <= range.last) pieces.push_back({static_cast<std::uint16_t>(next), range.last});
  return pieces;
}

std::vector<std::uint16_t> spread_over(const std::vector<PortRange>& pieces, int wanted) {
  unsigned left = 0;
  for (const auto& piece : pieces) left += piece.count();
  if (left == 0) return {};
  std::vector<std::uint16_t> ports;
  // Positions among the uncovered ports, then the ports at these positions.
  for (const auto position : sample_ports({1, static_cast<std::uint16_t>(left)}, wanted)) {
    unsigned offset = position - 1u;
    for (const auto& piece : pieces) {
      if (offset < piece.count()) {
        ports.push_back(static_cast<std::uint16_t>(piece.first + offset));
        break;
      }
      offset -= piece.count();
    }
  }
  return ports;
}

}  // namespace

void PortSamples::add_port(const std::string& host, Transport transport, std::uint16_t port) {
  auto& known = hosts_[host];
  known.samples.clear();
  // TLS runs over TCP: a device that counts ports sees the same one.
  known.ports.insert({transport == Transport::tls ? Transport::tcp : transport, port});
}

void PortSamples::add_range(const std::string& host, const PortRange& range) {
  auto& known = hosts_[host];
  known.samples.clear();
  known.ranges.insert(range);
}

const PortSamples::Host* PortSamples::find(const std::string& host) const {
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return nullptr;
  if (found->second.samples.empty()) sample_all(found->second);
  return &found->second;
}

void PortSamples::sample_all(Host& host) const {
  auto& order = host.narrowest_first;
  order.assign(host.ranges.begin(), host.ranges.end());
  std::sort(order.begin(), order.end(), narrower);
  int room = at_most_ - static_cast<int>(host.ports.size());
  auto later = static_cast<int>(order.size());
  for (const auto& range : order) {
    --later;
    const int wanted = std::clamp(room - 2 * later, 2, ports_per_range);
    auto ports = spread_over(uncovered(range, host.ranges), wanted);
    room -= static_cast<int>(ports.size());
    host.samples.emplace(range, std::move(ports));
  }
}

std::vector<PortRange> PortSamples::within(const std::string& host, const PortRange& range) const {
  std::vector<PortRange> inner;
  const auto* known = find(host);
  if (known == nullptr) return inner;
  for (const auto& other : known->narrowest_first) {
    if (lies_within(other, range)) inner.push_back(other);
  }
  return inner;
}

std::vector<std::uint16_t> PortSamples::sample(const std::string& host,
                                               const PortRange& range) const {
  if (const auto* known = find(host)) {
    const auto found = known->samples.find(range);
    if (found != known->samples.end()) return found->second;
  }
  return sample_ports(range, ports_per_range);
}

}  // namespace callready
