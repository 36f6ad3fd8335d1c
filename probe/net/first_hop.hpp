// What the first router on the way answers while something else is measured: what is lost or late
// there is lost or late between this computer and it, on the Wi-Fi or the LAN.
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
  std::vector<double> took_ms;  // of what was answered, in the order of sending
};

// Until then, or until `over`, asks the router that the system sends packets for `remote` to: by
// ICMP echo where the system lets a user (ping_group_range), and beside it by packets to `remote`
// that end there (TTL 1), whose ICMP errors routers limit to one a second. What the echo says
// counts where it is answered at all. Nothing where no router is on the way, or none of these is
// answered.
asio::awaitable<std::optional<FirstHopSeen>> watch_first_hop(asio::any_io_executor executor,
                                                             Scope scope, SocketAddress remote,
                                                             std::string interface, Instant until,
                                                             const bool& over);

}  // namespace callready
