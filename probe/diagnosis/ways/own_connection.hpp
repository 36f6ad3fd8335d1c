// Is this computer connected at all? By what its system says of its links, addresses, routes and
// gateways, before anything that was sent is asked.
#pragma once

#include <optional>

#include "probe/model/report.hpp"

namespace callready::findings {

enum class Disconnection {
  no_link,         // no cable is plugged in, no Wi-Fi was joined
  no_address,      // the network gives this computer none
  no_gateway,      // an address, and no route to the outside
  silent_gateway,  // that does not even answer for its hardware address
};

// What keeps this computer off the Internet, by its own system; nothing where it is connected,
// where a tunnel may be its way out, or where the report does not say (of before 0.3).
std::optional<Disconnection> disconnection_of(const Site& site);

// A finding for it, without evidence of what was tried.
Finding disconnected(const Site& site, Disconnection what);

}  // namespace callready::findings
