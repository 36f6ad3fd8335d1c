// How many hosts and ports a run may meet in a given time (docs/design.md, "Time, load and
// manners"): the plan is sized by it, and the engine's pacer keeps to it.
#pragma once

#include <chrono>

namespace callready {

struct PaceLimits {
  int hosts = 24;           // distinct addresses in any `window`
  int ports_per_host = 12;  // distinct ports of one address in any `window`
  std::chrono::milliseconds window{10'000};
  // How long after a probe's end the system may still send its connection's last packets.
  std::chrono::milliseconds closing{250};
  // Between SIP messages to one address, beyond the first of each transport.
  std::chrono::milliseconds sip_gap{1'000};
  // Packets to one destination in any `window` and in a run; to all of them at once and then each
  // second, and in a run: no matter what a set asks for. None of the vendors' sets comes near.
  int packets_per_host = 600;
  int packets_per_host_in_run = 10'000;
  int packets_at_once = 4'000, packets_a_second = 1'000;
  int packets_in_run = 200'000;
  // Names that are looked up at once and then each second; and in a run.
  int lookups_at_once = 200, lookups_a_second = 50;
  int lookups_in_run = 5'000;
  bool unlimited = false;  // --pace fast lifts hosts and ports; never the other bounds
};

// --pace fast multiplies the packets to one destination and per second by this: for a lab.
inline constexpr int fast_factor = 10;

}  // namespace callready
