// How the first router on the way answers while something else is measured: what is lost or late
// there is lost or late between this computer and that router, on the Wi-Fi or the LAN.
#pragma once

#include <string>
#include <vector>

#include "probe/net/address.hpp"
#include "probe/net/guard.hpp"

namespace callready {

struct FirstHopSeen {
  IpAddress router;
  bool echo = false;
  std::optional<bool> wireless;
  int sent = 0;
  std::vector<double> took_ms;  // of the answered ones, in the order of sending
};

// Asks the first router on the way to `remote` until that time, or until `over`: by ICMP echo where
// the system lets users do that (ping_group_range), and in parallel by packets to `remote` with a
// TTL of 1, for which routers send at most one ICMP error a second. If the echo is answered at all,
// only that counts. Nothing where no router is on the way, or where it answers neither.
asio::awaitable<std::optional<FirstHopSeen>> watch_first_hop(asio::any_io_executor executor,
                                                             Scope scope, SocketAddress remote,
                                                             std::string interface, Instant until,
                                                             const bool& over);

}  // namespace callready
