// The name by which networks ask Firefox not to use DNS over HTTPS by default: their resolvers have
// no address for it (https://support.mozilla.org/en-US/kb/canary-domain-use-application-dnsnet).
#pragma once

#include "probe/model/probe.hpp"

namespace callready {

inline constexpr std::string_view canary_name = "use-application-dns.net";

// True for the query for it to the system's own resolvers. The answer states the network's wish,
// and says nothing about whether names or the line work.
inline bool asks_for_canary(const Probe& probe) {
  return asks_system_resolvers(probe) && parameter_of(probe, "name") == canary_name;
}

}  // namespace callready
