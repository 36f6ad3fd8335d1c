// Aliases for pfSense (lists for its bulk import) and OPNsense (a file for Aliases, import).
// Neither takes patterns of names. Both imports add to what is there, unlike restoring a part of a
// configuration.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "probe/util/text.hpp"
#include "reports/firewall/export.hpp"
#include "reports/json/text.hpp"
#include "reports/words/phrases.hpp"

namespace callready {
namespace {

// Names as they are; everything else as networks.
std::vector<std::string> entries(const DeviceRule& rule, bool names) {
  std::vector<std::string> found;
  for (const auto& peer : rule.peers) {
    if (peer.kind == PeerKind::wildcard || (peer.kind == PeerKind::name) != names) continue;
    if (peer.kind == PeerKind::range) {
      for (const auto& network : networks_of(*AddressRange::parse(peer.text))) {
        found.push_back(network.to_string());
      }
    } else if (peer.kind == PeerKind::address) {
      found.push_back(peer.text + (peer.v6 ? "/128" : "/32"));
    } else {
      found.push_back(peer.text);
    }
  }
  return found;
}

struct Alias {
  std::string name, type, description;
  std::vector<std::string> content;
};

std::vector<Alias> aliases(const std::vector<DeviceRule>& rules) {
  std::vector<Alias> found;
  const auto add = [&](const std::string& name, std::string_view end, const char* type,
                       const std::string& title, std::vector<std::string> content) {
    if (content.empty()) return;
    found.push_back({with_underscores(fmt::format("{}_{}", name, end)), type,
                     fmt::format("callready: {}", title), std::move(content)});
  };
  for (const auto& rule : rules) {
    if (rule.defines_group) {
      add(rule.group, "names", "host", rule.grouped, entries(rule, true));
      add(rule.group, "nets", "network", rule.grouped, entries(rule, false));
    }
    std::vector<std::string> ports;
    for (const auto& range : rule.ports) ports.push_back(port_list({range}, "", ":"));
    if (!rule.only_patterns()) add(rule.name, "ports", "port", rule.title, std::move(ports));
  }
  return found;
}

// The rules, which must be created by hand: "Pass, TCP, to cr_x_names, ports cr_x_ports".
void add_rules(std::vector<std::string>& steps, const std::vector<DeviceRule>& rules,
               const std::vector<Alias>& all) {
  for (const auto& rule : rules) {
    for (const auto* end : {"names", "nets"}) {
      const auto name = with_underscores(fmt::format("{}_{}", rule.group, end));
      if (std::ranges::find(all, name, &Alias::name) == all.end()) continue;
      steps.push_back(fmt::format("  {}: Pass, {}, {} {}, destination port {}",
                                  rule.inbound ? "WAN" : "LAN", rule.udp ? "UDP" : "TCP",
                                  rule.inbound ? "source" : "destination", name,
                                  with_underscores(rule.name + "_ports")));
    }
  }
}

constexpr std::string_view no_patterns =
    "an alias cannot hold patterns: allow them in a web filter or proxy";

// The same for the same name, so that a new import replaces what an earlier one added. A version 8
// UUID (RFC 9562 section 5.8) from a hash (FNV-1a) of the name.
std::string uuid_of(const std::string& name) {
  const auto high = hash_of(name), low = hash_of(name, high);
  return fmt::format("{:08x}-{:04x}-8{:03x}-8{:03x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                     high & 0xfff, low >> 52, low & 0xffffffffffffULL);
}

// The header of both files; they differ in how they are loaded, checked and removed.
DeviceGuide alias_guide(std::string_view comment, const std::vector<DeviceRule>& rules,
                        const std::vector<Alias>& all, std::vector<std::string> load,
                        std::string_view inbound, std::string check, std::string remove) {
  DeviceGuide guide{comment, not_loaded};
  guide.left_out = patterns_in(rules, no_patterns);
  guide.steps = std::move(load);
  guide.steps.emplace_back(
      "To enable: add these rules by hand in Firewall > Rules, above the one that blocks:");
  add_rules(guide.steps, rules, all);
  append(guide.steps, inbound_step(rules, inbound));
  guide.steps.push_back(fmt::format(
      "To check: {} shows what names resolve to. Then run callready check on a PC.", check));
  guide.steps.push_back(fmt::format("To remove: delete the rules, then the aliases {}", remove));
  return guide;
}

}  // namespace

std::string firewall_pfsense(const std::vector<FirewallList>& lists, const FirewallPage& page) {
  const auto rules = for_devices(lists);
  const auto all = aliases(rules);
  const auto guide = alias_guide(
      "#", rules, all,
      {"Never restore this file: restoring aliases replaces all existing ones.",
       "To load: for each alias below, use Firewall > Aliases > IP (Ports for ..._ports) > Import: "
       "enter its name and description, and paste the lines below it up to the next \"#\". pfSense "
       "refuses a name that already exists, so loading again changes nothing: for a newer edition, "
       "edit the alias."},
      "in Firewall > NAT > Port Forward, which can add the rule on WAN by itself",
      "Diagnostics > Tables", "cr_... (an alias in use cannot be deleted).");
  auto out = header_of(lists, rules, page, guide);
  for (const auto& alias : all) {
    out += fmt::format("#\n# Alias {} ({}): {}\n{}\n", alias.name, alias.type, alias.description,
                       joined(alias.content, "\n"));
  }
  return out;
}

std::string firewall_opnsense(const std::vector<FirewallList>& lists, const FirewallPage& page) {
  const auto rules = for_devices(lists);
  const auto found = aliases(rules);
  auto all = nlohmann::ordered_json::object();
  for (const auto& alias : found) {
    all[uuid_of(alias.name)] = {{"enabled", "1"},
                                {"name", alias.name},
                                {"type", alias.type},
                                {"content", joined(alias.content, "\n")},
                                {"description", alias.description}};
  }
  const auto guide = alias_guide(
      "", rules, found,
      {"To load: in Firewall > Aliases, import this file (the arrow below the list), then apply. "
       "This adds and changes only the aliases cr_...; loading it again changes nothing."},
      "in Firewall > NAT > Port Forward (newer versions call it Destination NAT)",
      "Firewall > Diagnostics > Aliases", "cr_...");
  // JSON has no comments, but the import ignores members that it does not know.
  auto about = nlohmann::ordered_json::array();
  std::istringstream lines(header_of(lists, rules, page, guide));
  for (std::string line; std::getline(lines, line);) about.push_back(line.substr(1));
  return json_text({{"about", std::move(about)}, {"aliases", {{"alias", std::move(all)}}}});
}

}  // namespace callready
