// Cisco ASA, and FTD where it takes the same objects: network objects and groups, service groups,
// and an access list. Patterns of names are no object there: they stand in remarks.
#include <fmt/format.h>

#include <set>

#include "reports/firewall_export.hpp"

namespace callready {
namespace {

std::string ports_of(std::string_view side, const PortRange& range) {
  return range.single() ? fmt::format(" {} eq {}", side, range.first)
                        : fmt::format(" {} range {} {}", side, range.first, range.last);
}

std::string object_of(const DevicePeer& peer) {
  if (peer.kind == PeerKind::name) {
    return fmt::format("object network {}\n fqdn {}\n", peer.object, peer.text);
  }
  const auto range = AddressRange::parse(peer.text);
  return fmt::format("object network {}\n range {} {}\n", peer.object, range->first.to_string(),
                     range->last.to_string());
}

std::string member_of(const DevicePeer& peer) {
  if (peer.kind == PeerKind::address) return "host " + peer.text;
  if (peer.kind != PeerKind::network) return "object " + peer.object;
  const auto network = Network::parse(peer.text);
  return peer.v6 ? peer.text
                 : fmt::format("{} {}", network->address.to_string(), netmask_of(*network));
}

}  // namespace

std::string firewall_cisco(const std::vector<FirewallList>& lists, const RenderOptions&) {
  const auto all = for_devices(lists);
  std::string objects, groups, services, access;
  std::set<std::string> known, with_members;
  for (const auto& group : all.groups) {
    std::string members;
    for (const auto& peer : group.peers) {
      if (peer.kind == PeerKind::wildcard) continue;
      const bool by_object = peer.kind == PeerKind::name || peer.kind == PeerKind::range;
      if (by_object && known.insert(peer.object).second) objects += object_of(peer);
      members += fmt::format(" network-object {}\n", member_of(peer));
    }
    if (members.empty()) continue;
    with_members.insert(group.name);
    groups += fmt::format("object-group network {}\n description {}\n{}", group.name, group.title,
                          members);
  }
  for (const auto& rule : all.rules) {
    for (const auto& peer : all.group_of(rule).peers) {
      if (peer.kind != PeerKind::wildcard) continue;
      access += fmt::format(
          "access-list callready remark {}: {} is no object here: allow it by "
          "the web filter\n",
          rule.name, peer.text);
    }
    if (!with_members.contains(rule.group)) continue;
    services +=
        fmt::format("object-group service {}-ports\n description {}\n", rule.name, rule.title);
    const std::string_view protocol = rule.udp ? "udp" : "tcp";
    auto sources = rule.source_ports;
    for (const auto& range : rule.ports) {
      const auto destination = ports_of("destination", range);
      if (sources.empty()) services += fmt::format(" service-object {}{}\n", protocol, destination);
      for (const auto& source : sources) {
        services += fmt::format(" service-object {}{}{}\n", protocol, ports_of("source", source),
                                destination);
      }
    }
    const auto far = "object-group " + rule.group;
    access += fmt::format(
        "access-list callready remark {}: {}\n"
        "access-list callready extended permit object-group {}-ports {} {}\n",
        rule.name, rule.title, rule.name, rule.inbound ? far : "any", rule.inbound ? "any" : far);
  }
  return objects + groups + services + access;
}

}  // namespace callready
