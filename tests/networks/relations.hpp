// What must hold between runs, whatever the network: measures that need no list of right answers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/networks/run.hpp"

namespace callready::networks {

struct Relations {
  struct Contradiction {
    std::string what;  // "union: degraded, then ready"
    networks::Network other;
  };
  int sets = 0;  // verdicts compared
  std::vector<Contradiction> broken;
  std::vector<std::string> undecided;  // decided in one of both runs only
};

// The same network, asked otherwise:
//   again   at once after another run, which has had all the routers' answers
//   cisco   behind routers with Cisco's limit of ICMP errors
//   patient behind routers without one
//   union   beside another set
//   order   the sets the other way round
//   delay   over a longer line
//   more    --all: no verdict is better, and none is undecided that was decided
//   worse   with a rule more that drops something: no verdict is better
// Networks where chance decides (loss, limits of new flows, bans) are left out.
Relations compare_runs(const networks::Network& network, const Report& report);

}  // namespace callready::networks
