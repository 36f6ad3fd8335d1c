#include "probe/diagnosis/attribution.hpp"

#include <algorithm>

#include "probe/util/text.hpp"

namespace callready {

bool closes_all_of(Closes closed, Transport transport, const PortRange& range) {
  for (const std::uint16_t special : {std::uint16_t{53}, std::uint16_t{80}, std::uint16_t{443}}) {
    if (range.contains(special) && !closes(closed, transport, special, false)) return false;
  }
  return closes(closed, transport, range.first, false);
}

bool closes(Closes closed, Transport transport, std::uint16_t port, bool proxied) {
  if (proxied) return closed == Closes::everything;
  const bool udp = transport == Transport::udp, dns = port == 53;
  switch (closed) {
    case Closes::nothing_more:
      return false;
    case Closes::everything:
    case Closes::direct:
      return true;
    case Closes::direct_tcp:
      return !udp;
    case Closes::udp:
      return udp && !dns;
    case Closes::high_udp:
      return udp && port > last_well_known_port;
    case Closes::all_but_https:
      return udp ? !dns : port != 443;
    case Closes::all_but_web:
      return udp ? !dns : port != 443 && port != 80;
  }
  return false;
}

const Attribution::Entry* Attribution::loss_of(const std::string& probe) const {
  return first_that(entries, [&](const Entry& entry) { return entry.lost.contains(probe); });
}

Text Attribution::impairment(const std::string& probe) const {
  const auto* found =
      first_that(entries, [&](const Entry& entry) { return entry.impaired.contains(probe); });
  return found == nullptr ? Text() : found->title;
}

Text Attribution::doubt_about(const std::string& probe) const { return found_in(doubted, probe); }

const Attribution::Entry* Attribution::closure(const Requirement& row) const {
  if (row.direction != Direction::out) return nullptr;
  const auto all_closed = std::ranges::find(entries, Closes::everything, &Entry::closed);
  if (all_closed != entries.end()) return &*all_closed;
  if (row.transports.empty() || row.ports.empty() || row.proxy != ProxyUse::never) return nullptr;
  return first_that(entries, [&](const Entry& entry) {
    return std::ranges::all_of(row.transports, [&](Transport transport) {
      return std::ranges::all_of(row.ports, [&](const PortRange& range) {
        return closes_all_of(entry.closed, transport, range);
      });
    });
  });
}

}  // namespace callready
