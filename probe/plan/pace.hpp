// How many hosts and ports a run may meet in a time (docs/design.md, "Time, load and manners"): the
// plan is sized by it, the engine's pacer keeps it.
#pragma once

#include <chrono>

namespace callready {

struct PaceLimits {
  int hosts = 24;           // distinct addresses in any `window`
  int ports_per_host = 12;  // distinct ports of one address in any `window`
  std::chrono::milliseconds window{10'000};
  // Between SIP messages to one address, beyond the first of each transport.
  std::chrono::milliseconds sip_gap{1'000};
  bool unlimited = false;  // --pace fast lifts hosts and ports; never the SIP gap
};

}  // namespace callready
