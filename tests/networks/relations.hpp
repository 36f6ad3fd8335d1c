// What must hold between runs, whatever the network: measures that need no list of right answers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/networks/run.hpp"

namespace callready::networks {

struct Relations {
  int sets = 0;                        // verdicts that were held side by side
  std::vector<std::string> broken;     // "union: degraded alone, ready beside rainbow"
  std::vector<std::string> undecided;  // decided in one of both runs only
};

// The same network, asked otherwise:
//   again   at once after another run, which has had all the routers' answers
//   union   beside another set
//   order   the sets the other way round
//   delay   over a longer line
//   worse   with a rule more that drops something: no verdict is better
// Networks where chance decides (loss, limits of new flows, bans) are left out.
Relations hold_side_by_side(const networks::Network& network, const Report& report);

}  // namespace callready::networks
