// FortiOS: addresses, groups, services and policies, as the command line takes them. The policies
// are switched off until somebody has put the site's own interfaces into them.
#include <fmt/format.h>

#include <set>

#include "reports/firewall_export.hpp"
#include "reports/phrases.hpp"

namespace callready {
namespace {

std::string address_of(const DevicePeer& peer) {
  switch (peer.kind) {
    case PeerKind::address:
      return peer.v6 ? fmt::format("        set ip6 {}/128\n", peer.text)
                     : fmt::format("        set subnet {} 255.255.255.255\n", peer.text);
    case PeerKind::network: {
      const auto network = Network::parse(peer.text);
      return peer.v6 ? fmt::format("        set ip6 {}\n", peer.text)
                     : fmt::format("        set subnet {} {}\n", network->address.to_string(),
                                   netmask_of(*network));
    }
    case PeerKind::range: {
      const auto range = AddressRange::parse(peer.text);
      return fmt::format(
          "        set type iprange\n        set start-ip {}\n        set end-ip {}\n",
          range->first.to_string(), range->last.to_string());
    }
    case PeerKind::name:
    case PeerKind::wildcard:  // the same type takes "*.example.com" since FortiOS 6.2
    case PeerKind::service_tag:
    case PeerKind::yours:
      break;
  }
  return fmt::format("        set type fqdn\n        set fqdn \"{}\"\n", peer.text);
}

std::string addresses(const DeviceList& all, bool v6) {
  std::string out;
  std::set<std::string> known;
  for (const auto& group : all.groups) {
    for (const auto& peer : group.peers) {
      if (peer.v6 != v6 || !known.insert(peer.object).second) continue;
      out += fmt::format("    edit \"{}\"\n{}    next\n", peer.object, address_of(peer));
    }
  }
  return out.empty() ? out
                     : fmt::format("config firewall {}\n{}end\n", v6 ? "address6" : "address", out);
}

std::string members(const DeviceGroup& group, bool v6) {
  std::string out;
  std::set<std::string> known;
  for (const auto& peer : group.peers) {
    if (peer.v6 == v6 && known.insert(peer.object).second)
      out += fmt::format(" \"{}\"", peer.object);
  }
  return out;
}

std::string groups(const DeviceList& all, bool v6) {
  std::string out;
  for (const auto& group : all.groups) {
    const auto list = members(group, v6);
    if (list.empty()) continue;
    out += fmt::format(
        "    edit \"{}{}\"\n        set member{}\n        set comment \"{}\"\n    next\n",
        group.name, v6 ? "-v6" : "", list, group.title);
  }
  return out.empty() ? out
                     : fmt::format("config firewall {}\n{}end\n", v6 ? "addrgrp6" : "addrgrp", out);
}

// "3478:49152-65535": the destination's, then the source's.
std::string port_ranges(const DeviceRule& rule) {
  std::vector<std::string> texts;
  for (const auto& range : rule.ports) {
    if (rule.source_ports.empty()) texts.push_back(range.to_string());
    for (const auto& source : rule.source_ports) {
      texts.push_back(fmt::format("{}:{}", range.to_string(), source.to_string()));
    }
  }
  return joined(texts, " ");
}

}  // namespace

std::string firewall_fortigate(const std::vector<FirewallList>& lists, const RenderOptions&) {
  const auto all = for_devices(lists);
  auto out = addresses(all, false) + addresses(all, true) + groups(all, false) + groups(all, true);
  if (all.rules.empty()) return out;
  out += "config firewall service custom\n";
  for (const auto& rule : all.rules) {
    out += fmt::format("    edit \"{}\"\n        set {}-portrange {}\n    next\n", rule.name,
                       rule.udp ? "udp" : "tcp", port_ranges(rule));
  }
  out += "end\nconfig firewall policy\n";
  for (const auto& rule : all.rules) {
    const auto& group = all.group_of(rule);
    const auto side = [&](bool far, bool v6) {
      return far ? group.name + (v6 ? "-v6" : "") : std::string("all");
    };
    out += fmt::format(
        "    edit 0\n        set name \"{}\"\n        set status disable\n"
        "        set srcintf \"any\"\n        set dstintf \"any\"\n",
        rule.name);
    for (const bool v6 : {false, true}) {
      if (members(group, v6).empty()) continue;
      out +=
          fmt::format("        set srcaddr{} \"{}\"\n        set dstaddr{} \"{}\"\n", v6 ? "6" : "",
                      side(rule.inbound, v6), v6 ? "6" : "", side(!rule.inbound, v6));
    }
    out += fmt::format(
        "        set action accept\n        set schedule \"always\"\n        set service \"{}\"\n"
        "        set comments \"{}\"\n    next\n",
        rule.name, rule.title);
  }
  return out + "end\n";
}

}  // namespace callready
