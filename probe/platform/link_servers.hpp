// DNS servers on a link: "nameserver fe80::1%eth0" (RFC 4007 section 11). c-ares 1.18 leaves such
// lines of resolv.conf out without a word, and asks 127.0.0.1 where there are no others.
#pragma once

#include <ares.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/ip.hpp"

namespace callready::platform {

using Zones = std::map<IpAddress, unsigned>;  // the interface's number in the system; 0: none

struct NameServers {
  std::vector<IpAddress> all;  // in the system's order
  Zones zones;                 // of those that have one
};

// The text of resolv.conf; what is no address in it is left out.
NameServers parse_name_servers(std::string_view resolv_conf);

// Makes the channel reach these servers. The zones must outlive it.
void connect_by_zone(ares_channel channel, const Zones& zones);

std::string interface_name(unsigned number);

}  // namespace callready::platform
