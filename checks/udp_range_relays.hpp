// Relays as the far ends of a media range: what is sent to a relay's port is heard, or is not.
#pragma once

#include "checks/relay_server.hpp"
#include "checks/udp_range_ports.hpp"

namespace callready::checks::udp_range {

// Adds a port to the range for each relay that was measured. `relays`: how many allocations to ask
// for, at most most_relays at a time over the whole run; all are released. Evidence "udp_relays":
// how many served, and why no more.
asio::awaitable<void> try_relays(std::shared_ptr<Range> range, RelayServer server, int relays,
                                 Observation& observation);

}  // namespace callready::checks::udp_range
