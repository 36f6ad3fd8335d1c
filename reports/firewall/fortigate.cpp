// FortiOS: addresses, groups, services and policies, as CLI commands. The policies are disabled
// until somebody has put the site's own interfaces into them.
#include <fmt/format.h>

#include <set>

#include "probe/util/text.hpp"
#include "reports/firewall/export.hpp"
#include "reports/words/phrases.hpp"

namespace callready {
namespace {

struct FortiFamily {
  bool v6;
  std::string_view digit, suffix;  // of keywords, of our names
};
constexpr FortiFamily forti_families[] = {{false, "", ""}, {true, "6", "-v6"}};

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

// A table of the configuration, with the commands that delete its entries again.
struct FortiTable {
  std::string name, entries;
  std::vector<std::string> keys;

  void add(const std::string& key, const std::string& settings) {
    entries += fmt::format("    edit {}\n{}    next\n", key, settings);
    keys.push_back(key);
  }
  std::string text() const {
    return keys.empty() ? "" : fmt::format("config firewall {}\n{}end\n", name, entries);
  }
  void undo(std::vector<std::string>& commands) const {
    if (keys.empty()) return;
    commands.push_back("config firewall " + name);
    for (const auto& key : keys) commands.push_back("    delete " + key);
    commands.push_back("end");
  }
};

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", text); }

std::string members(const DeviceRule& rule, const FortiFamily& family) {
  std::string out;
  std::set<std::string> known;
  for (const auto& peer : rule.peers) {
    if (peer.v6 == family.v6 && known.insert(peer.object).second) out += ' ' + quoted(peer.object);
  }
  return out;
}

// Ids far from those that FortiOS assigns itself, and the same in every run, so that a second load
// changes the same policy.
std::string policy_id(const std::string& name, std::set<std::uint64_t>& taken) {
  auto id = 700'000'000 + hash_of(name) % 100'000'000;
  while (!taken.insert(id).second) ++id;
  return std::to_string(id);
}

std::string policy(const DeviceRule& rule, const FortiFamily& family, const std::string& comment) {
  const auto group = fmt::format("{}{}", rule.group, family.suffix);
  return fmt::format(
      "        set name \"{0}{1}\"\n        set status disable\n"
      "        set srcintf \"any\"\n        set dstintf \"any\"\n"
      "        set srcaddr{2} \"{3}\"\n        set dstaddr{2} \"{4}\"\n"
      "        set action accept\n        set schedule \"always\"\n        set service \"{0}\"\n"
      "{5}        set comments \"{6}\"\n",
      rule.name, family.suffix, family.digit, rule.inbound ? group : "all",
      rule.inbound ? "all" : group,
      rule.inbound || rule.at_home || family.v6 ? "" : "        set nat enable\n", comment);
}

std::vector<std::string> forti_steps(const FortiTable& policies,
                                     const std::vector<DeviceRule>& rules) {
  std::vector<std::string> lines = {
      "Everything here is named cr-...; the policies are disabled, and lead from any interface to "
      "any.",
      "To load: run \"execute backup config\" first. Then paste this into the CLI, or upload it as "
      "a script. Loading it again changes nothing, except that it disables the policies again.",
      "To enable: set your own interfaces in each policy (set srcintf, set dstintf), move it "
      "before the policy that denies, and enable it (set status enable):",
      "  config firewall policy"};
  for (const auto& id : policies.keys) {
    lines.push_back(fmt::format("      move {} before ID-OF-YOUR-DENY-POLICY", id));
  }
  lines.insert(
      lines.end(),
      {"  end",
       "NAT: IPv4 policies to the Internet have \"set nat enable\"; those to servers of your own "
       "network (cr-...-lan...) have not. With central SNAT, that line is refused and your SNAT "
       "map decides. If another device does NAT, or if a name leads to a server of your own "
       "network, remove the line."});
  append(lines,
         inbound_step(rules,
                      "by a virtual IP (config firewall vip) that takes the place of \"all\" "
                      "in the policy (set dstaddr)"));
  lines.insert(
      lines.end(),
      {"To check: run callready check on a PC, and",
       "  diagnose firewall iprope lookup SOURCE PORT DESTINATION PORT PROTOCOL INTERFACE",
       "To remove: paste the lines at the end that begin with \"#- \", without these characters."});
  return lines;
}

}  // namespace

std::string firewall_fortigate(const std::vector<FirewallList>& lists, const FirewallPage& page) {
  const auto all = for_devices(lists);
  FortiTable addresses[] = {{"address", "", {}}, {"address6", "", {}}};
  FortiTable groups[] = {{"addrgrp", "", {}}, {"addrgrp6", "", {}}};
  FortiTable services{"service custom", "", {}}, policies{"policy", "", {}};
  std::set<std::string> known;
  std::set<std::uint64_t> ids;
  for (const auto& rule : all) {
    const auto made = fmt::format("callready{}{}", page.date.empty() ? "" : " ", page.date);
    const auto comment = fmt::format("{}: {}", made, rule.title);
    for (const auto& family : forti_families) {
      const auto list = members(rule, family);
      if (list.empty()) continue;
      for (const auto& peer : rule.peers) {
        if (peer.v6 != family.v6 || !known.insert(peer.object).second) continue;
        addresses[family.v6].add(quoted(peer.object), address_of(peer));
      }
      if (rule.defines_group) {
        groups[family.v6].add(quoted(fmt::format("{}{}", rule.group, family.suffix)),
                              fmt::format("        set member{}\n        set comment \"{}: {}\"\n",
                                          list, made, rule.grouped));
      }
      const auto name = fmt::format("{}{}", rule.name, family.suffix);
      policies.add(policy_id(name, ids), policy(rule, family, comment));
    }
    services.add(quoted(rule.name), fmt::format("        set {}-portrange {}\n", rule.protocol(),
                                                port_list(rule.ports, " ")));
  }
  DeviceGuide guide{"#", not_loaded};
  guide.steps = forti_steps(policies, all);
  std::string out = header_of(lists, all, page, guide);
  std::vector<std::string> undo;
  for (const auto* table :
       {&policies, &services, &groups[0], &groups[1], &addresses[0], &addresses[1]}) {
    table->undo(undo);
  }
  for (const auto* table :
       {&addresses[0], &addresses[1], &groups[0], &groups[1], &services, &policies}) {
    out += table->text();
  }
  return out + removal_of("#", undo);
}

}  // namespace callready
