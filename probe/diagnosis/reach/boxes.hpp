// The functions of each kind of box, for box.cpp's table. They know nothing about each other.
#pragma once

#include "probe/diagnosis/reach/box.hpp"

namespace callready::reach {

// boxes_rule.cpp: a firewall's rule about protocols and ports.
void propose_rules(const Clues& clues, Boxes& boxes);
// boxes_hosts.cpp: a firewall's rule about destinations.
void propose_host_rules(const Clues& clues, Boxes& boxes);
// boxes_inspect.cpp: devices that look into packets.
Fate fate_by_inspection(const Box& box, const Packet& packet);
void propose_inspections(const Clues& clues, Boxes& boxes);
// boxes_accept.cpp: devices that take connections, or answer, in the far end's place.
void propose_acceptances(const Clues& clues, Boxes& boxes);
// boxes_far_end.cpp: hosts that are out of order; SIP servers that ignore strangers; servers that
// are close by.
void propose_far_ends(const Clues& clues, Boxes& boxes);
void propose_reticent_servers(const Clues& clues, Boxes& boxes);
void propose_neighbours(const Clues& clues, Boxes& boxes);
// boxes_limit.cpp: limits and bans. And the crowd of flows that a limit counts.
const Crowd& crowd_of(const Packet& packet, Protocol protocol);
void propose_limits(const Clues& clues, Boxes& boxes);
Fate fate_by_limit(const Box& box, const Packet& packet);
Fate fate_by_ban(const Box& box, const Packet& packet);
void propose_bans(const Clues& clues, Boxes& boxes);
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
void propose_dead_paths(const Clues& clues, Boxes& boxes);
// boxes_portal.cpp: a sign-in page.
Fate fate_by_portal(const Box& box, const Packet& packet);
void propose_portals(const Clues& clues, Boxes& boxes);
// boxes_fact.cpp: what a reply says about itself.
Fate fate_by_fact(const Box& box, const Packet& packet);
void propose_facts(const Clues& clues, Boxes& boxes);
// boxes_resolver.cpp: what the site's resolver keeps silent about.
void propose_resolvers(const Clues& clues, Boxes& boxes);

}  // namespace callready::reach
