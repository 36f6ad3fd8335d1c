// Firewall rules for devices: what all their formats have in common. Internal to reports/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reports/firewall/firewall.hpp"

namespace callready {

// A peer in a form that devices accept: a name, a pattern of names, an address, an aligned network
// or a range.
struct DevicePeer {
  PeerKind kind = PeerKind::name;
  std::string text;
  std::string object;  // a name for it that every device accepts: letters, digits and "._-"
  bool v6 = false;

  bool is_name() const { return kind == PeerKind::name || kind == PeerKind::wildcard; }
};

// A row of the vendor's document, as part of a rule.
struct DeviceRow {
  std::string title;  // one line of plain ASCII without quotes
  SourceQuality evidence = SourceQuality::vendor_page;
  Severity severity = Severity::required;
  std::vector<PortRange> source_ports;  // empty: any
};

// All rows of a set with the same direction, protocol and ports; those to the customer's own
// servers apart. Source ports do not count: NAT and proxies change them.
struct DeviceRule {
  std::string name;   // "cr-rainbow-udp3478": the same for every edition
  std::string group;  // of its peers: its own name, or one for all rules of the set with these
  bool defines_group = true;  // the first of these
  std::string title;          // of all rows, marked
  std::string grouped;        // the title of the group
  bool udp = false, inbound = false, at_home = false;
  std::vector<PortRange> ports;
  std::vector<DevicePeer> peers;
  std::vector<DeviceRow> rows;

  // The title of one of its rows, "second-hand: Login" if its source is doubtful; if all rows are
  // doubtful in the same way, only the first title says so, for all of them.
  std::string marked(const DeviceRow& row) const;
  bool has_patterns() const;
  bool only_patterns() const;
  std::string traffic() const;  // "UDP 3478, 10000-20000"
  std::string_view protocol() const { return udp ? "udp" : "tcp"; }
};

// The prefix of every name in a file, which none of the customer's own names should have.
inline constexpr std::string_view object_prefix = "cr-";

std::vector<DeviceRule> for_devices(const std::vector<FirewallList>& lists);

// For the header of a file.
struct DeviceGuide {
  std::string_view comment;             // what a comment line begins with
  std::string_view proof;               // how the format was tested
  std::vector<std::string> left_out{};  // what this format cannot hold, in addition
  // "To load: ..."; a line that begins with a space is a command and is not wrapped.
  std::vector<std::string> steps{};
};
std::string header_of(const std::vector<FirewallList>& lists, const std::vector<DeviceRule>& rules,
                      const FirewallPage& page, const DeviceGuide& guide);
inline constexpr std::string_view not_loaded =
    "Written from the vendor's guide and not loaded on a device: read it before you load it.";

// "Traffic from outside (cr-x-inudp5060): ...", if there is any: how this device lets it through to
// a server behind NAT.
std::vector<std::string> inbound_step(const std::vector<DeviceRule>& rules, std::string_view how);

// Commands that undo a file, for its end, as comments that a text tool can extract.
std::string removal_of(std::string_view comment, const std::vector<std::string>& commands);

// "cr-rainbow-tcp443 (TCP 443): *.google.com: WHY" for each rule that has patterns.
std::vector<std::string> patterns_in(const std::vector<DeviceRule>& rules, std::string_view why);

// FNV-1a, the same on every machine.
std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 14695981039346656037ULL);

// "rainbow_3": for devices that do not accept hyphens.
std::string with_underscores(std::string name);
// The networks that together cover exactly the range.
std::vector<Network> networks_of(const AddressRange& range);
// "255.255.255.0"; IPv4 only.
std::string netmask_of(const Network& network);
// "443 5000-5100", with what the device writes between and within ranges.
std::string port_list(const std::vector<PortRange>& ports, std::string_view between,
                      std::string_view within = "-");

// One address, network, range or name per line, each rule's after a line that begins with "#".
std::string firewall_list(const std::vector<FirewallList>&, const FirewallPage&);
// External dynamic lists (PAN-OS) of IP addresses, of domains, of URLs.
std::string firewall_edl_ip(const std::vector<FirewallList>&, const FirewallPage&);
std::string firewall_edl_domain(const std::vector<FirewallList>&, const FirewallPage&);
std::string firewall_edl_url(const std::vector<FirewallList>&, const FirewallPage&);
std::string firewall_fortigate(const std::vector<FirewallList>&, const FirewallPage&);
std::string firewall_paloalto(const std::vector<FirewallList>&, const FirewallPage&);
std::string firewall_cisco(const std::vector<FirewallList>&, const FirewallPage&);
std::string firewall_pfsense(const std::vector<FirewallList>&, const FirewallPage&);
std::string firewall_opnsense(const std::vector<FirewallList>&, const FirewallPage&);
std::string firewall_nftables(const std::vector<FirewallList>&, const FirewallPage&);

}  // namespace callready
