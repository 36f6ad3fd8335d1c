// What a finding claims of flows that a device on the way closes: ports, a range, a destination, or
// no more than these flows; and how sure that is (docs/design.md, "How neighbours are told apart",
// 2).
#pragma once

#include "probe/diagnosis/ways/by_worlds.hpp"
#include "probe/diagnosis/ways/flow_groups.hpp"

namespace callready::findings {

// The flows that a device on the way closes, as worlds say (reach/): together, what one box of the
// likeliest world closes of one host, or on one port, with how sure that is.
struct ClosedFlows {
  const reach::Box* box = nullptr;
  std::vector<const Flow*> flows;
  std::vector<const ProbeResult*> probes;  // failing, and open
  // These seemed to get out, as far as could be seen, and are closed as well.
  std::vector<const ProbeResult*> unseen;
  // How sure it is (0 to 1) that a device on the way closes these flows; that it does so whatever
  // they carry, or by the same payload as `box`; that it closes their ports, whatever the
  // destination; that it closes their hosts, whatever the port.
  double sure = 0, whole_sure = 0, ports_sure = 0, hosts_sure = 0;
  double near_sure = 0;  // that it is no farther out than the routers that speak
};

// What firewalls' rules on ports, destinations and flows close, or what a server that is out of
// order makes look like it (closed_flows.cpp). What another cause explains is left out. Worlds are
// drawn only where a flow fails and nothing explains it.
std::vector<ClosedFlows> closed_flows(const Diagnosis& context);

// How sure it is (0 to 1) that a device on the way closes that flow, for whatever reason.
double sure_to_be_closed(const Diagnosis& context, const Flow& flow);

// What a finding will claim, and of which flows.
struct Claim {
  FindingCode code = FindingCode::firewall_flow_blocked;
  double sure = 0;                               // 0 to 1
  Confidence confidence = Confidence::possible;  // by that, and by how it was seen
  bool beyond = false;                           // the packets leave the site
  bool by_hosts = false;                         // of ports: known for these hosts only
  bool only_media = false;                       // by a device that inspects payloads
  bool blocked = false;                          // not only silence shows it
  std::string party{};                           // whose, where only flows of one go together
  std::vector<const Flow*> flows{};
  std::vector<const ProbeResult*> probes{}, unseen{};

  // Over which transports.
  bool udp() const { return std::ranges::any_of(flows, &Flow::udp); }
  bool tcp() const { return !std::ranges::all_of(flows, &Flow::udp); }
  bool is_weak() const { return confidence == Confidence::possible; }
  bool is_destination() const { return code == FindingCode::firewall_destination_blocked; }
  bool is_of_ports() const {
    return code != FindingCode::firewall_flow_blocked && !is_destination();
  }
  bool is_range() const { return code == FindingCode::firewall_udp_range_blocked; }
  // Both are one finding.
  bool goes_with(const Claim& other) const;
  void add(const Claim& other);
  // How sure it may be, by all of its flows.
  void weigh(const Facts& facts);
};

Claim claim_of(const Facts& facts, const ClosedFlows& closed);
// Of one flow, without a word on its port or its host. `sure`: that it is closed on the way.
Claim claim_of(const Facts& facts, const Flow& flow, double sure);

}  // namespace callready::findings
