// PAN-OS: "set" commands of configuration mode. Patterns of names are no address there: they become
// a URL category, and a rule of their own that names it.
#include <fmt/format.h>

#include <set>

#include "reports/firewall_export.hpp"

namespace callready {
namespace {

std::string object_type(PeerKind kind) {
  return kind == PeerKind::name ? "fqdn" : kind == PeerKind::range ? "ip-range" : "ip-netmask";
}

void add_security_rule(std::string& out, const DeviceRule& rule, const std::string& name,
                       const std::string& peers, const std::string& category) {
  out += fmt::format(
      "set rulebase security rules {} from any to any source {} destination {} application any "
      "service {}{} action allow disabled yes description \"{}\"\n",
      name, rule.inbound ? peers : "any", rule.inbound ? "any" : peers, rule.name,
      category.empty() ? "" : " category " + category, rule.title);
}

}  // namespace

std::string firewall_paloalto(const std::vector<FirewallList>& lists, const RenderOptions&) {
  const auto all = for_devices(lists);
  std::string out;
  std::set<std::string> known;
  for (const auto& group : all.groups) {
    std::string members;
    for (const auto& peer : group.peers) {
      if (peer.kind == PeerKind::wildcard) continue;
      members += peer.object + ' ';
      if (!known.insert(peer.object).second) continue;
      out += fmt::format("set address {} {} {}\n", peer.object, object_type(peer.kind), peer.text);
    }
    if (!members.empty()) {
      out += fmt::format("set address-group {} static [ {}]\n", group.name, members);
    }
    if (!group.has(PeerKind::wildcard)) continue;
    out += fmt::format("set profiles custom-url-category {}-urls type \"URL List\"\n", group.name);
    for (const auto& peer : group.peers) {
      if (peer.kind != PeerKind::wildcard) continue;
      out +=
          fmt::format("set profiles custom-url-category {}-urls list {}/\n", group.name, peer.text);
    }
  }
  for (const auto& rule : all.rules) {
    const std::string_view protocol = rule.udp ? "udp" : "tcp";
    out += fmt::format("set service {} protocol {} port {}\n", rule.name, protocol,
                       port_list(rule.ports, ","));
    if (rule.source_ports.empty()) continue;
    out += fmt::format("set service {} protocol {} source-port {}\n", rule.name, protocol,
                       port_list(rule.source_ports, ","));
  }
  for (const auto& rule : all.rules) {
    const auto& group = all.group_of(rule);
    const bool only_patterns = std::all_of(group.peers.begin(), group.peers.end(), [](auto& peer) {
      return peer.kind == PeerKind::wildcard;
    });
    if (!only_patterns) add_security_rule(out, rule, rule.name, group.name, "");
    if (group.has(PeerKind::wildcard) && !rule.udp) {
      add_security_rule(out, rule, rule.name + "-urls", "any", group.name + "-urls");
    }
  }
  return out;
}

}  // namespace callready
