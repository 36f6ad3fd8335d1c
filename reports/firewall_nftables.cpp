// nftables: a table of its own with a set for each list, and a chain to jump to. It has no names:
// they stand as comments, and a resolver fills the sets for them.
#include <fmt/format.h>

#include <set>

#include "reports/firewall_export.hpp"
#include "reports/phrases.hpp"

namespace callready {
namespace {

std::string elements(const DeviceGroup& group, bool v6) {
  std::vector<std::string> found;
  for (const auto& peer : group.peers) {
    const bool named = peer.kind == PeerKind::name || peer.kind == PeerKind::wildcard;
    if (!named && peer.v6 == v6) found.push_back(peer.text);
  }
  return joined(found, ", ");
}

void add_set(std::string& out, const DeviceGroup& group, bool v6) {
  const auto list = elements(group, v6);
  out += fmt::format("\tset {}_v{} {{\n\t\ttype ipv{}_addr\n\t\tflags interval\n\t\tauto-merge\n",
                     with_underscores(group.name), v6 ? 6 : 4, v6 ? 6 : 4);
  for (const auto& peer : group.peers) {
    const bool named = peer.kind == PeerKind::name || peer.kind == PeerKind::wildcard;
    if (named) out += fmt::format("\t\t# {}\n", peer.text);
  }
  if (!list.empty()) out += fmt::format("\t\telements = {{ {} }}\n", list);
  out += "\t}\n";
}

}  // namespace

std::string firewall_nftables(const std::vector<FirewallList>& lists, const RenderOptions&) {
  const auto all = for_devices(lists);
  std::string out =
      "# Load with nft -f, and jump to the chain from your own: jump callready. Names are "
      "comments: "
      "add\n# what they resolve to, for instance: nft add element inet callready NAME { ADDRESS "
      "}\ntable inet callready {\n";
  for (const auto& group : all.groups) {
    for (const bool v6 : {false, true}) add_set(out, group, v6);
  }
  out += "\tchain callready {\n";
  for (const auto& rule : all.rules) {
    const std::string_view protocol = rule.udp ? "udp" : "tcp";
    for (const bool v6 : {false, true}) {
      out += fmt::format("\t\t{} {} @{}_v{}", v6 ? "ip6" : "ip", rule.inbound ? "saddr" : "daddr",
                         with_underscores(rule.group), v6 ? 6 : 4);
      if (!rule.source_ports.empty()) {
        out += fmt::format(" {} sport {{ {} }}", protocol, port_list(rule.source_ports, ", "));
      }
      out += fmt::format(" {} dport {{ {} }} accept comment \"{}\"\n", protocol,
                         port_list(rule.ports, ", "), rule.title);
    }
  }
  return out + "\t}\n}\n";
}

}  // namespace callready
