// Observations -> flow events: each is read once, by one function for its check, and nobody looks
// at it again. What was skipped, streams and calls (`media`, `ice`), and what stays on the site's
// own networks (except questions to its name servers) make no events.
#pragma once

#include "probe/model/flow_event.hpp"
#include "probe/model/report.hpp"

namespace callready::reach {

FlowEvents read_events(const Report& report);

// The resolvers of the site, as flows name them: by their addresses, without ports.
std::vector<std::string> resolvers_of(const Site& site);

// What a row's probe stands for: its own packet, and what goes inside its TLS connection. Ranges
// stand for each port of their sample.
std::vector<PacketFlow> flows_of(const Probe& probe, const Observation& seen);

// The flow of a look-up of that name by the site's resolver.
PacketFlow lookup_of(const Site& site, std::string name);

}  // namespace callready::reach
