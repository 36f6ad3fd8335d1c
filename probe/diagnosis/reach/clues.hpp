// What boxes are drawn from: the events that are to be explained, and what the lattice above them
// needs (flow, port, host, domain, range, everything).
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "probe/diagnosis/reach/box.hpp"

namespace callready::reach {

using Ports = std::set<std::uint16_t>;

struct Clues {
  const Sight& sight;
  EventIds events;        // all that are looked at
  EventIds bad;           // of those; not a resolver that refuses
  Hosts vendors, others;  // hosts that rows ask; those that only controls ask
  Ports services;         // ports of anything but media
  bool nothing_good = true;
  std::uint32_t signs = 0;  // of bit(Sign)

  const Packet& packet(std::uint32_t event) const { return sight.packets[event]; }
  Seen seen(std::uint32_t event) const { return sight.events.flows[event].seen; }
  bool has(Sign sign) const { return (signs & bit(sign)) != 0; }
  Hosts hosts_of(Sign sign) const;
  Hosts hosts_of(const EventIds& events) const;
  Ports ports_of(const EventIds& events) const;

  template <typename Wanted>
  EventIds select(const EventIds& from, Wanted wanted) const {
    EventIds found;
    std::ranges::copy_if(from, std::back_inserter(found), wanted);
    return found;
  }
  // Of these, those that the box acts on, whatever it would do to them.
  EventIds met_by(const Box& box, const EventIds& from) const;
};

Clues clues_of(const Sight& sight, EventIds events);

// What may have been done to these packets, judging by the events: drop, deaf, prohibit, ration,
// refuse, forge.
std::vector<Fate> actions(const Clues& clues, const EventIds& events);

Hosts as_hosts(const std::set<HostId>& hosts);
Hosts without(const Hosts& hosts, const Hosts& some);
// By owner.
std::map<std::uint32_t, Hosts> by_domain(const Clues& clues, const Hosts& hosts);
// True if they have one owner.
bool one_domain(const Clues& clues, const Hosts& hosts);
std::vector<PortRange> as_ranges(const Ports& ports);
// The cost of a rule that names these ports.
Bits price_of(const Ports& ports, const Clues& clues);

inline PortRange single(std::uint16_t port) { return {port, port}; }

// At most this many hosts, owners, ports or moments get a box each: if there are more, they have
// something in common, or nobody can name it.
inline constexpr std::size_t most_alike = 48;

// dead_hosts.cpp: hosts, and ports of hosts, that nothing was seen to reach: one by one, and in
// groups that have something in common.
struct DeadHosts {
  Hosts hosts;
  Bits price = 0;  // of a rule that names them
  EventIds bad;    // of theirs
  bool but_dns = false;
};

std::vector<DeadHosts> dead_hosts(const Clues& clues);
// The cost of a rule that names these hosts, one or more.
Bits price_of_hosts(const Clues& clues, const Hosts& hosts);

struct DeadEndpoints {
  Hosts hosts;
  bool udp = false;
  std::uint16_t port = 0;
  Bits price = 0;  // for how many there are
  EventIds bad;
};

// Without port 53, which has rules of its own: see boxes_rule.cpp.
std::vector<DeadEndpoints> dead_endpoints(const Clues& clues);

}  // namespace callready::reach
