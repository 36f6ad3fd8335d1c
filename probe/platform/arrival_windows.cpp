// Windows: SIO_TIMESTAMPING and the headers of a datagram were not tried on a PC yet, so nothing is
// reported, nor are their destinations (IP_PKTINFO with WSARecvMsg): on a host with several
// addresses a server has to be bound to the one that clients ask. IP_TOS is accepted but ignored
// unless a policy allows it (qWAVE): a packet would leave unmarked, and the network would be blamed
// for it.
#include "probe/platform/arrival.hpp"

#include <cerrno>

namespace callready::platform {

bool note_arrivals(int) { return false; }
bool note_headers(int, bool) { return false; }
bool note_destinations(int, bool) { return false; }
int send_from(int, const IpAddress&, std::span<const std::uint8_t>, const SocketAddress&) {
  return EOPNOTSUPP;  // no address is ever noted
}
Arrival next_arrival(int) { return {}; }
bool set_traffic_class(int, bool, int) { return false; }

}  // namespace callready::platform
