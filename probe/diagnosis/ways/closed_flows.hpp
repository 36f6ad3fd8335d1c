// The flows that a device on the way closes, as worlds say (reach/): together, what one box of the
// likeliest world closes of one host, or on one port, with how sure that is.
#pragma once

#include "probe/diagnosis/ways/by_worlds.hpp"

namespace callready::findings {

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
};

// What firewalls' rules on ports, destinations and flows close, or what a server that is out of
// order makes look like it. What another cause explains is left out. Worlds are drawn only where a
// flow fails and nothing explains it.
std::vector<ClosedFlows> closed_flows(const Diagnosis& context);

// How sure it is (0 to 1) that a device on the way closes that flow, for whatever reason.
double sure_to_be_closed(const Diagnosis& context, const Flow& flow);

}  // namespace callready::findings
