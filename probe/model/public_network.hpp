// Which networks a service can have: what a vendor's list or a set names beyond that opens a
// firewall to everybody, or to the site itself.
#pragma once

#include <optional>
#include <string_view>

#include "probe/model/ip.hpp"

namespace callready {

// Why it is none, as what follows "10.0.0.0/8 ": global unicast only, /8 or longer, of IPv6 /16.
std::optional<std::string_view> why_no_services_network(const Network& network);

}  // namespace callready
