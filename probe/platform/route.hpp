// The system's routing table: which way packets to an address leave this computer.
#pragma once

#include <optional>
#include <string>

#include "probe/model/ip.hpp"

namespace callready::platform {

struct WayOut {
  std::string interface_name;
  std::optional<IpAddress>
      gateway;  // none: the destination is on the link, or the link has no other end
  std::optional<IpAddress> source;  // the address that packets carry
};

// Asks the system; nothing where it has no route there, or does not say. Sends no packet.
std::optional<WayOut> way_to(const IpAddress& destination);

// Whether the neighbour on that link answers when its hardware address is asked for (ARP, RFC
// 4861), according to the system's own table of the last seconds; nothing where the table does not
// say. Sends no packet.
std::optional<bool> neighbour_answers(const std::string& interface_name, const IpAddress& address);

}  // namespace callready::platform
