// The demo's target set as YAML text, made from the ports of its servers.
#pragma once

#include <string>
#include <vector>

#include "probe/model/ip.hpp"

namespace callready::serve {

inline const std::string demo_domain = "demo.callready.test";

struct DemoPorts {
  std::uint16_t dns = 0, http = 0, https = 0, stun = 0, stun_tls = 0, sip = 0, sip_tls = 0, ntp = 0;
  std::uint16_t stamp = 0;  // of the reflector for a stream like a call's
  std::uint16_t whip = 0;   // 0: nobody takes WebRTC calls
  PortRange media;
};

// `kinds`: the checks that there are; other rows are left out, and so is what needs only them.
// `today`: YYYY-MM-DD.
std::string demo_target_set(const DemoPorts& ports, const std::vector<std::string>& kinds,
                            const std::string& today);

}  // namespace callready::serve
