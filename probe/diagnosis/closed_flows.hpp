// The flows that a device on the way closes, as worlds say (reach/): together, what one box of the
// likeliest world closes of one host, or on one port, with how sure that is.
#pragma once

#include "probe/diagnosis/by_worlds.hpp"

namespace callready::findings {

struct ClosedFlows {
  const reach::Box* box = nullptr;
  std::vector<const Flow*> flows;
  std::vector<const ProbeResult*> probes;  // failing, and open
  // As far as was seen they got out, and they are closed as well.
  std::vector<const ProbeResult*> unseen;
  // How sure it is (0 to 1) that somebody on the way closes these flows; that it is not for another
  // payload than the box goes by; that their ports are closed whatever the destination; that their
  // hosts are, whatever the port.
  double sure = 0, whole_sure = 0, ports_sure = 0, hosts_sure = 0;
};

// Firewalls' rules on ports, destinations and flows, and servers that look as if one stood before
// them. What another cause explains is left out. Worlds are drawn only where a flow fails and
// nothing explains it.
std::vector<ClosedFlows> closed_flows(const Diagnosis& context);

// How sure it is (0 to 1) that somebody on the way closes that flow, whoever it is.
double sure_to_be_closed(const Diagnosis& context, const Flow& flow);

}  // namespace callready::findings
