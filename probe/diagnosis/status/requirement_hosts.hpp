// What the probes of one row came to, host by host.
#pragma once

#include "probe/diagnosis/status/judge.hpp"

namespace callready {

// Those of a row that the run has made, in the order of the plan.
using Probes = std::vector<const ProbeResult*>;

// From the worst to the best; what is `ignored` does not count at all.
enum class State { ignored, bad, unknown, reached };

// What weight a host has: one that the document is about to drop, or that only stands as an example
// for a wildcard, or is there for reverse DNS only, is never the only reason for a failure
// (docs/design.md, "Target sets").
enum class HostWeight { current, fading, example };

// One host of the row.
struct HostState {
  std::string host;
  State state = State::ignored;
  bool left = false;                 // reached, as far as that packets to it leave the site
  std::string left_by;               // the router that saw them
  bool again = false;                // reached, by what was answered only when it was asked again
  bool gone = true;                  // all that was lost of it has a name that does not exist
  const ProbeResult* why = nullptr;  // the first probe that was not reached
  HostWeight weight = HostWeight::current;
  std::string region;
};

// True where nobody answered at first, and did when the same was sent again: more than that packets
// get out.
bool answered_again(const ProbeResult& result, const ResultIndex& evidences);

// Probes beside those of the row's own check: the names that its addresses have in reverse DNS, the
// SIP ALG test of a server of the user's own. They tell more of the row and never make it fail.
bool is_companion(const ProbeResult& result, const Requirement& requirement);

// What came of a row's probes but its companions.
struct RowOutcome {
  int total = 0, reached = 0;    // of those that count
  std::vector<HostState> hosts;  // in the order of the plan, without those that nothing needs
  bool needless = false;         // one was not made, since the first choice answered
  // The proxy, which works, may carry what one could only try directly: packets that end on the way
  // cannot be sent through one.
  bool for_the_proxy = false;
};
RowOutcome row_outcome(const Requirement& requirement, const Probes& probes,
                       const ResultIndex& evidences);

// The same endpoints over two routes: "direct 23 ms, through the proxy 41 ms", how long it took to
// set up the row's connections, as the median of those endpoints that both routes reached. Empty if
// there is none.
Text compare_routes(const Probes& probes);

}  // namespace callready
