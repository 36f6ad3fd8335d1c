// Which networks a service can have. Any other network in a vendor's list or a set would open a
// firewall to everybody, or to the site itself.
#pragma once

#include <optional>
#include <string_view>

#include "probe/model/ip.hpp"

namespace callready {

// Why a service cannot have it, worded to follow "10.0.0.0/8 "; nothing if it can: global unicast,
// and /8 or longer (IPv6: /16).
std::optional<std::string_view> why_no_services_network(const Network& network);

}  // namespace callready
