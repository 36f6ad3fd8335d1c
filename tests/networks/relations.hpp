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
  std::vector<std::string> undecided;  // decided in only one of the two runs
};

// Runs on the same network in other ways:
//   again   right after another run, which has used up the routers' answers
//   cisco   behind routers with Cisco's limit on ICMP errors
//   patient behind routers without a limit
//   union   together with another set
//   order   with the sets in reverse order
//   delay   over a longer line
//   more    --all: no verdict is better, and none is undecided that was decided
//   worse   with one more rule, which drops something: no verdict is better
// Networks where chance decides (loss, limits on new flows, bans) are left out.
Relations compare_runs(const networks::Network& network, const Report& report);

}  // namespace callready::networks
