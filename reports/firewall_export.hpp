// Firewall rules for devices: what all their formats have in common. Internal to reports/.
#pragma once

#include <string>
#include <vector>

#include "reports/firewall.hpp"

namespace callready {

// A far end as a device takes it: a name, a pattern of names, an address, an aligned network or a
// range.
struct DevicePeer {
  PeerKind kind = PeerKind::name;
  std::string text;
  std::string object;  // a name for it that every device takes: letters, digits and "._-"
  bool v6 = false;
};

struct DeviceGroup {
  std::string name;  // "rainbow-3", at most 31 characters
  std::string title;
  std::vector<DevicePeer> peers;

  bool has(PeerKind kind) const;
};

struct DeviceRule {
  std::string name;   // "rainbow-3"
  std::string group;  // of its peers
  std::string title;  // one line of plain ASCII without quotes
  bool udp = false, inbound = false;
  std::vector<PortRange> ports, source_ports;  // source_ports empty: any
};

struct DeviceList {
  std::vector<DeviceGroup> groups;
  std::vector<DeviceRule> rules;
  const DeviceGroup& group_of(const DeviceRule& rule) const;
};

DeviceList for_devices(const std::vector<FirewallList>& lists);

// "rainbow_3": for devices that take no hyphen.
std::string with_underscores(std::string name);
// The networks that together are the range.
std::vector<Network> networks_of(const AddressRange& range);
// "255.255.255.0"; of an IPv4 network.
std::string netmask_of(const Network& network);
// "443 5000-5100", with what the device writes between and within ranges.
std::string port_list(const std::vector<PortRange>& ports, std::string_view between,
                      std::string_view within = "-");

// One address, network, range or name a line, each rule's after a line that begins with "#".
std::string firewall_list(const std::vector<FirewallList>&, const RenderOptions&);
// External dynamic lists (PAN-OS): of IP addresses, of domains, of URLs.
std::string firewall_edl_ip(const std::vector<FirewallList>&, const RenderOptions&);
std::string firewall_edl_domain(const std::vector<FirewallList>&, const RenderOptions&);
std::string firewall_edl_url(const std::vector<FirewallList>&, const RenderOptions&);
std::string firewall_fortigate(const std::vector<FirewallList>&, const RenderOptions&);
std::string firewall_paloalto(const std::vector<FirewallList>&, const RenderOptions&);
std::string firewall_cisco(const std::vector<FirewallList>&, const RenderOptions&);
std::string firewall_pfsense(const std::vector<FirewallList>&, const RenderOptions&);
std::string firewall_opnsense(const std::vector<FirewallList>&, const RenderOptions&);
std::string firewall_nftables(const std::vector<FirewallList>&, const RenderOptions&);

}  // namespace callready
