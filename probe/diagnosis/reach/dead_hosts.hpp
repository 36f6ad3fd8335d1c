// Hosts, and ports of hosts, that nothing was seen to reach: by themselves, and in groups that have
// something in common.
#pragma once

#include "probe/diagnosis/reach/clues.hpp"

namespace callready::reach {

struct DeadHosts {
  Hosts hosts;
  std::string text;  // "sbc.example", "3 hosts of example.com"
  Bits price = 0;    // that a rule names them
  EventIds bad;      // of theirs
  bool but_dns = false;
};

std::vector<DeadHosts> dead_hosts(const Clues& clues);

struct DeadEndpoints {
  Hosts hosts;
  std::string text;  // "sbc.example TCP 5061"
  bool udp = false;
  std::uint16_t port = 0;
  Bits price = 0;  // that it is so many of them
  EventIds bad;
};

// Port 53 is no host's own: see boxes_rule.cpp.
std::vector<DeadEndpoints> dead_endpoints(const Clues& clues);

}  // namespace callready::reach
