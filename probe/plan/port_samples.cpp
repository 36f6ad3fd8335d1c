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

// What is left of `range` without these.
std::vector<PortRange> uncovered(const PortRange& range, std::vector<PortRange> inner) {
  std::sort(inner.begin(), inner.end());
  std::vector<PortRange> pieces;
  unsigned next = range.first;
  for (const auto& covered : inner) {
    if (covered.first > next) {
      pieces.push_back(
          {static_cast<std::uint16_t>(next), static_cast<std::uint16_t>(covered.first - 1)});
    }
    next = std::max(next, covered.last + 1u);
  }
  if (next <= range.last) pieces.push_back({static_cast<std::uint16_t>(next), range.last});
  return pieces;
}

}  // namespace

void PortSamples::add_port(const std::string& host, Transport transport, std::uint16_t port) {
  // TLS runs over TCP: the same port to whoever counts them.
  hosts_[host].ports.insert({transport == Transport::tls ? Transport::tcp : transport, port});
}

void PortSamples::add_range(const std::string& host, const PortRange& range) {
  hosts_[host].ranges.insert(range);
}

const PortSamples::Host* PortSamples::find(const std::string& host) const {
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? nullptr : &found->second;
}

std::vector<PortRange> PortSamples::within(const std::string& host, const PortRange& range) const {
  std::vector<PortRange> inner;
  const auto* known = find(host);
  if (known == nullptr) return inner;
  for (const auto& other : known->ranges) {
    if (lies_within(other, range)) inner.push_back(other);
  }
  std::sort(inner.begin(), inner.end(), narrower);
  return inner;
}

std::vector<std::uint16_t> PortSamples::sample(const std::string& host,
                                               const PortRange& range) const {
  int room = at_most_, later = 0;
  if (const auto* known = find(host)) {
    room -= static_cast<int>(known->ports.size());
    std::vector<PortRange> order(known->ranges.begin(), known->ranges.end());
    std::sort(order.begin(), order.end(), narrower);
    const auto own = std::find(order.begin(), order.end(), range);
    later = static_cast<int>(order.end() - own) - 1;
    // What the narrower ones took before.
    for (auto one = order.begin(); one != own; ++one) {
      room -= static_cast<int>(sample(host, *one).size());
    }
  }
  const int wanted = std::clamp(room - 2 * later, 2, ports_per_range);
  const auto pieces = uncovered(range, within(host, range));
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

}  // namespace callready
