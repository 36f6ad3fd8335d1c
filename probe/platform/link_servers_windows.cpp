// Windows has no resolv.conf.
#include "probe/platform/link_servers.hpp"

namespace callready::platform {

NameServers parse_name_servers(std::string_view) { return {}; }

void connect_by_zone(ares_channel, const Zones&) {}

std::string interface_name(unsigned) { return {}; }

}  // namespace callready::platform
