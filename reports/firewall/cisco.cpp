// Cisco ASA: network objects and groups, service groups, and lines for an access list. ASA has no
// objects for patterns of names: they are left out, and the header says so.
#include <fmt/format.h>

#include <set>

#include "reports/firewall/export.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

constexpr int longest_remark = 100;  // "access-list remark" in Cisco's command reference

std::string ports_of(const PortRange& range) {
  return range.single() ? fmt::format("eq {}", range.first)
                        : fmt::format("range {} {}", range.first, range.last);
}

std::string object_of(const DevicePeer& peer) {
  if (peer.kind == PeerKind::name) return fmt::format(" fqdn {}\n", peer.text);
  const auto range = AddressRange::parse(peer.text);
  return fmt::format(" range {} {}\n", range->first.to_string(), range->last.to_string());
}

std::string member_of(const DevicePeer& peer) {
  if (peer.kind == PeerKind::address) return "host " + peer.text;
  if (peer.kind != PeerKind::network) return "object " + peer.object;
  const auto network = Network::parse(peer.text);
  return peer.v6 ? peer.text
                 : fmt::format("{} {}", network->address.to_string(), netmask_of(*network));
}

std::vector<std::string> asa_steps(bool named) {
  std::vector<std::string> lines = {
      "For ASA only: FTD takes none of this. There, objects and rules are made in FMC, in FDM or "
      "by their API: type them in from --format list.",
      "To load: paste the objects and groups (all called cr-...) in configuration mode. A second "
      "load changes nothing; what a newer edition leaves out stays in its groups, so remove the "
      "older one first.",
      "To enable: the lines \"access-list callready\" belong in the list that is bound to your "
      "inside interface, in front of what denies. Never bind a list of these lines alone: its end "
      "denies everything else. Find the bound list, and put its name in:",
      "  show running-config access-group",
      "  sed 's/access-list callready /access-list YOUR-LIST line 1 /' FILE",
      "Lines about traffic from outside belong in the outside interface's list."};
  if (named) {
    lines.insert(lines.end(), {"Objects of names (fqdn) stay empty until the ASA asks DNS:",
                               "  dns domain-lookup INTERFACE", "  dns server-group DefaultDNS",
                               "   name-server ADDRESS"});
  }
  lines.insert(
      lines.end(),
      {"To check: callready check on a PC, and",
       "  packet-tracer input INTERFACE tcp SOURCE 50000 DESTINATION 443",
       "To remove: the lines at the end that begin with \"!- \", without these characters, and "
       "your list's name for callready."});
  return lines;
}

}  // namespace

std::string firewall_cisco(const std::vector<FirewallList>& lists, const FirewallPage& page) {
  const auto all = for_devices(lists);
  std::string objects, groups, services, access;
  std::vector<std::string> no_access, no_services, no_groups, no_objects;
  std::set<std::string> known;
  for (const auto& rule : all) {
    if (rule.only_patterns()) continue;
    std::string members;
    for (const auto& peer : rule.peers) {
      if (peer.kind == PeerKind::wildcard || !rule.owns_group()) continue;
      const bool by_object = peer.kind == PeerKind::name || peer.kind == PeerKind::range;
      if (by_object && known.insert(peer.object).second) {
        objects += fmt::format("object network {}\n{}", peer.object, object_of(peer));
        no_objects.push_back("no object network " + peer.object);
      }
      members += fmt::format(" network-object {}\n", member_of(peer));
    }
    if (rule.owns_group()) {
      groups += fmt::format("object-group network {}\n description callready {}: {}\n{}", rule.name,
                            page.date, rule.title, members);
      no_groups.push_back("no object-group network " + rule.name);
    }
    services +=
        fmt::format("object-group service {}-ports\n description {}\n", rule.name, rule.title);
    for (const auto& range : rule.ports) {
      services +=
          fmt::format(" service-object {} destination {}\n", rule.protocol(), ports_of(range));
    }
    no_services.push_back(fmt::format("no object-group service {}-ports", rule.name));
    const auto far = "object-group " + rule.group;
    const auto remark = shortened(fmt::format("{}: {}", rule.name, rule.title), longest_remark);
    for (const auto& line :
         {"access-list callready remark " + remark,
          fmt::format("access-list callready extended permit object-group {}-ports {} {}",
                      rule.name, rule.inbound ? far : "any", rule.inbound ? "any" : far)}) {
      access += line + '\n';
      no_access.push_back("no " + line);
    }
  }
  DeviceGuide guide{"!", not_loaded};
  guide.left_out =
      patterns_in(all, "ASA has no objects for patterns: allow them by the web filter");
  guide.steps = asa_steps(!known.empty());
  auto out = header_of(lists, all, page, guide) + objects + groups + services + access;
  for (const auto& undo : {no_access, no_services, no_groups, no_objects}) {
    out += removal_of("!", undo);
  }
  return out;
}

}  // namespace callready
