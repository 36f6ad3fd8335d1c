// From target sets and the user's choices to the list of probes. Pure: no network, no clock, the
// same input always gives the same plan (tests/golden/plans).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "probe/model/plan.hpp"
#include "probe/model/target_set.hpp"
#include "targets/expand_variables.hpp"
#include "targets/service_tags.hpp"

namespace callready {

struct PlanOptions {
  std::vector<std::string> scenarios;  // empty: each set's defaults
  std::optional<Vantage> from;         // only this vantage's rows; none: all that can be sent here
  std::string client;                  // only rows for this client, or for any
  std::vector<std::string> regions;    // only endpoints of these, or of none
  VariableValues variables;
  std::vector<std::string> only, skip;        // requirement ids, "id" or "set/id"
  const ServiceTags* service_tags = nullptr;  // --service-tags; it outlives the plan
  bool v4 = true;                             // false: networks are sampled by their IPv6 part
  bool streams = false;                       // the rows of streams like a call's, too
  bool quality = false;                       // these, and what a set's other rows let us measure
  bool turn_login = false;                    // there is one: relays may be far ends of streams
  bool all = false;                           // every endpoint instead of a sample
  std::string proxy;     // URL; rows that a proxy may carry are also probed over it
  bool sip_sdp = false;  // the user's own SIP servers are also sent a session description
  // The same by probe, where hosts differ: the URL, or empty for none. Takes the place of `proxy`.
  std::function<std::string(const Probe&)> proxy_for{};
};

// What a normal run samples of a set, and why (docs/design.md, "Time, load and manners"). Hardened
// sites block a PC that meets more than some 30 hosts in 10 s: 24 leave room for what else the PC
// does. The hosts of a second set may have to wait for the next 10 s.
inline constexpr int host_budget = 24;
// Of one row: enough to see a pattern, few enough that six rows fit into the budget.
inline constexpr int hosts_per_requirement = 4;
// Of a "nearest" row, one host of each area (a part of the world), and of no more than this: its
// distance is how the nearest is found ...
inline constexpr int areas_per_requirement = 16;
// ... and then this many more in the nearest area, whose own regions the first look cannot tell
// apart.
inline constexpr int more_of_the_nearest = 2;
// Of a media range, and of all of them in a set: most do not answer strangers, so each costs the
// router at the site's edge an answer, and it has some six in a burst, then one a second.
inline constexpr int hosts_per_range = 2;
inline constexpr int range_budget = 5;
// Of a port range. Equally spaced with both ends, 6 meet any block of a fifth of the range, and a
// Linux host answers 6 of them with port-unreachable before it falls silent for a second.
inline constexpr int ports_per_range = 6;

// `sets` in the order of the user's arguments; control sets (anchors) give probes without rows.
Plan make_plan(const std::vector<const TargetSet*>& sets, const PlanOptions& options);

// The most hosts that a run of this plan meets: of probes that wait for the nearest area to be
// known, those of the area with the most hosts count.
std::size_t hosts_met(const Plan& plan);

// `count` ports of the range, ascending, equally spaced, both ends among them.
std::vector<std::uint16_t> sample_ports(const PortRange& range, int count);

// Positions 0 to n-1 in an order whose every prefix is spread over the whole.
std::vector<std::size_t> spread_order(std::size_t n);

// The scenarios of `set` that these options switch on.
std::vector<std::string> active_scenarios(const TargetSet& set, const PlanOptions& options);

}  // namespace callready
