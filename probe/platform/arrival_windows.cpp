// Windows: SIO_TIMESTAMPING and the headers of a datagram were not tried on a PC yet, so nothing is
// reported. IP_TOS is accepted but ignored unless a policy allows it (qWAVE): a packet would leave
// unmarked, and the network would be blamed for it.
#include "probe/platform/arrival.hpp"

namespace callready::platform {

bool note_arrivals(int) { return false; }
bool note_headers(int, bool) { return false; }
Arrival next_arrival(int) { return {}; }
bool set_traffic_class(int, bool, int) { return false; }

}  // namespace callready::platform
