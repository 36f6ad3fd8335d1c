// Addresses to which DNS filters send what they block, as their makers publish them.
#pragma once

#include <string_view>

#include "probe/model/ip.hpp"

namespace callready::findings {

// Whose block page has that address: "Cisco Umbrella"; empty where none is known.
std::string_view block_page_of(const IpAddress& address);

}  // namespace callready::findings
