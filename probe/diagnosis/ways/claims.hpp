// What a finding claims about flows that a device on the way closes: ports, a range, a destination,
// or no more than these flows; and how sure that is (docs/design.md, "How neighbours are told
// apart", 2).
#pragma once

#include "probe/diagnosis/ways/by_worlds.hpp"
#include "probe/diagnosis/ways/flow_groups.hpp"

namespace callready::findings {

// The flows that a device on the way closes, according to worlds (reach/): grouped by what one box
// of the likeliest world closes at one host, or on one port, with how sure that is.
struct ClosedFlows {
  const reach::Box* box = nullptr;
  std::vector<const Flow*> flows;
  Probes probes;  // failing, and open
  // These seemed to get out, as far as could be seen, and are closed as well.
  Probes unseen;
  // How sure it is (0 to 1) that a device on the way closes these flows; that it does so whatever
  // they carry, or by the same payload as `box`; that it closes their ports, whatever the
  // destination; that it closes their hosts, whatever the port.
  double sure = 0, whole_sure = 0, ports_sure = 0, hosts_sure = 0;
  double near_sure = 0;  // that it is no farther out than the routers that speak
};

// What firewalls' rules on ports, destinations and flows close, or what looks like it because a
// server is out of order. What another cause explains is left out. Worlds are
// drawn only where a flow fails and nothing explains it.
std::vector<ClosedFlows> closed_flows(const Diagnosis& context);

// What a finding will claim, and about which flows; without a box if worlds close none of them.
struct Claim : ClosedFlows {
  FindingCode code = FindingCode::firewall_flow_blocked;
  Confidence confidence = possible;  // by how sure it is, and by how it was seen
  bool beyond = false;               // the packets leave the site
  bool by_hosts = false;             // of ports: known for these hosts only
  bool blocked = false;              // not only silence shows it
  std::string party{};               // whose, if only flows of one go together

  bool udp() const { return std::ranges::any_of(flows, &Flow::udp); }
  bool tcp() const { return !std::ranges::all_of(flows, &Flow::udp); }
  bool is_weak() const { return confidence == possible; }
  bool is_destination() const { return code == FindingCode::firewall_destination_blocked; }
  bool is_of_ports() const {
    return code != FindingCode::firewall_flow_blocked && !is_destination();
  }
  bool is_range() const { return code == FindingCode::firewall_udp_range_blocked; }
  // Both are one finding.
  bool goes_with(const Claim& other) const;
  void add(const Claim& other);
  // Sets how sure it may be, from all of its flows.
  void weigh(const Facts& facts);
};

Claim claim_of(const Facts& facts, const ClosedFlows& closed);
// About one flow, without a claim about its port or its host.
Claim claim_of(const Diagnosis& context, const Flow& flow);

}  // namespace callready::findings
