// The results of one row's probes, host by host.
#pragma once

#include "probe/diagnosis/status/judge.hpp"

namespace callready {

// From the worst to the best; what is `ignored` does not count at all.
enum class State { ignored, bad, unknown, reached };

// What weight a host has: one that the document is about to drop, or that is only an example for a
// wildcard, or that is there only for reverse DNS, is never the only reason for a failure
// (docs/design.md, "Target sets").
enum class HostWeight { current, fading, example };

// One host of the row.
struct HostState {
  std::string host;
  State state = State::ignored;
  bool left = false;                 // reached only in that packets to it leave the site
  std::string left_by;               // the router that saw them
  bool again = false;                // reached, but answered only when asked again
  bool gone = true;                  // all that was lost there has a name that does not exist
  const ProbeResult* why = nullptr;  // the first probe that was not reached
  HostWeight weight = HostWeight::current;
  std::string region;
};

// True if nobody answered at first, but did when the same was sent again: this shows more than that
// packets get out.
bool answered_again(const ProbeResult& result, const ResultIndex& index);

// Probes besides those of the row's own check: the names that its addresses have in reverse DNS,
// the SIP ALG test of a server of the user's own. They add to the row, but never make it fail.
bool is_companion(const ProbeResult& result, const Requirement& requirement);

// The results of a row's probes, except its companions.
struct RowOutcome {
  int total = 0, reached = 0;    // of those that count
  std::vector<HostState> hosts;  // in the order of the plan, without those that nothing needs
  bool needless = false;         // one was not made, since the first choice answered
  // The proxy, which works, may carry what could only be tried directly: packets that end on the
  // way cannot be sent through one.
  bool for_the_proxy = false;
};
RowOutcome row_outcome(const Requirement& requirement, const Probes& probes,
                       const ResultIndex& index);

// The same endpoints over two routes: "direct 23 ms, through the proxy 41 ms", how long it took to
// set up the row's connections, as the median of those endpoints that both routes reached. Empty if
// there is none.
Text compare_routes(const Probes& probes);

}  // namespace callready
