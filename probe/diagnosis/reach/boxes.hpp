// What each kind of box has for box.cpp's table. They know nothing about each other.
#pragma once

#include "probe/diagnosis/reach/box.hpp"
#include "probe/diagnosis/reach/clues.hpp"
#include "probe/diagnosis/reach/prior.hpp"

namespace callready::reach {

// boxes_rule.cpp: a firewall's rule about protocols and ports.
Propose propose_rules;
// boxes_hosts.cpp: a firewall's rule about destinations.
Propose propose_host_rules;
// boxes_inspect.cpp: devices that look into packets.
FateBy fate_by_inspection;
Propose propose_inspections;
// boxes_accept.cpp: devices that take connections, or answer, in the far end's place.
Propose propose_acceptances;
// boxes_far_end.cpp: hosts that are out of order; SIP servers that ignore strangers; servers that
// are close by.
Propose propose_far_ends, propose_reticent_servers, propose_neighbours;
// boxes_limit.cpp: limits and bans. And the crowd of flows that a limit counts.
const Crowd& crowd_of(const Packet& packet, Protocol protocol);
FateBy fate_by_limit, fate_by_ban;
Propose propose_limits, propose_bans;
// boxes_path.cpp: several paths out of the site, one of which is dead. And how the flows that may
// take any of them fared, by what was asked of whom.
struct Request {
  bool udp = false;
  HostId host = 0;
  std::uint16_t port = 0;
  Cargo cargo = Cargo::none;
  bool ends_early = false;
  friend auto operator<=>(const Request&, const Request&) = default;
};
struct Fared {
  int passed = 0, lost = 0;
};
std::map<Request, Fared> how_flows_fared(const Sight& sight, Protocol protocol);
Propose propose_dead_paths;
// boxes_portal.cpp: a sign-in page.
FateBy fate_by_portal;
Propose propose_portals;
// boxes_fact.cpp: what a reply says about itself.
FateBy fate_by_fact;
Propose propose_facts;
// boxes_resolver.cpp: what the site's resolver keeps silent about.
Propose propose_resolvers;

}  // namespace callready::reach
