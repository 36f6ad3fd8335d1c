// Cisco ASA: network objects and groups, service groups, and lines for an access list. ASA has no
// objects for patterns of names: they are left out, and the header says so.
#include <fmt/format.h>

#include <set>

#include "probe/util/text.hpp"
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

std::vector<std::string> asa_steps(bool named, const std::vector<DeviceRule>& rules) {
  std::vector<std::string> lines = {
      "For ASA only: FTD does not accept such commands. Its objects and rules are created in FMC, "
      "in FDM or through their API: enter them there from --format list.",
      "To load: paste the objects and groups (all named cr-...) in configuration mode. Loading "
      "them again changes nothing. Loading only adds members to groups, so remove an older edition "
      "first.",
      "To enable: the lines \"access-list callready\" belong in the list that is bound to your "
      "inside interface, before the lines that deny. Never bind a list that has only these lines: "
      "every list ends by denying everything else. Find the bound list, and insert its name:",
      "  show running-config access-group",
      "  sed 's/access-list callready /access-list YOUR-LIST line 1 /' FILE",
      "Lines for traffic from outside belong in the outside interface's list."};
  append(lines, inbound_step(rules,
                             "by static NAT (in \"object network\", nat static); the list has the "
                             "server's own address since ASA 8.3"));
  if (named) {
    lines.insert(lines.end(), {"Objects for names (fqdn) stay empty until the ASA uses DNS:",
                               "  dns domain-lookup INTERFACE", "  dns server-group DefaultDNS",
                               "   name-server ADDRESS"});
  }
  lines.insert(
      lines.end(),
      {"To check: run callready check on a PC, and",
       "  packet-tracer input INTERFACE tcp SOURCE 50000 DESTINATION 443",
       "To remove: paste the lines at the end that begin with \"!- \", without these characters, "
       "and with your list's name in place of callready."});
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
      if (peer.kind == PeerKind::wildcard || !rule.defines_group) continue;
      const bool by_object = peer.kind == PeerKind::name || peer.kind == PeerKind::range;
      if (by_object && known.insert(peer.object).second) {
        objects += fmt::format("object network {}\n{}", peer.object, object_of(peer));
        no_objects.push_back("no object network " + peer.object);
      }
      members += fmt::format(" network-object {}\n", member_of(peer));
    }
    if (rule.defines_group) {
      groups += fmt::format("object-group network {}\n description callready {}: {}\n{}",
                            rule.group, page.date, rule.grouped, members);
      no_groups.push_back("no object-group network " + rule.group);
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
      patterns_in(all, "ASA has no objects for patterns: allow them in the web filter");
  guide.steps = asa_steps(!known.empty(), all);
  auto out = header_of(lists, all, page, guide) + objects + groups + services + access;
  for (const auto& undo : {no_access, no_services, no_groups, no_objects}) {
    out += removal_of("!", undo);
  }
  return out;
}

}  // namespace callready
