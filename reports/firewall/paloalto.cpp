// PAN-OS: "set" commands for configuration mode. PAN-OS has no address objects for patterns of
// names: they become a URL category, and a separate rule that names it.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "probe/util/text.hpp"
#include "reports/firewall/export.hpp"

namespace callready {
namespace {

constexpr std::string_view pan_tag = "callready";

std::string object_type(PeerKind kind) {
  return kind == PeerKind::name ? "fqdn" : kind == PeerKind::range ? "ip-range" : "ip-netmask";
}

// A URL category only applies to TCP.
bool by_category(const DeviceRule& rule) { return rule.has_patterns() && !rule.udp; }
bool by_address(const DeviceRule& rule) { return !rule.only_patterns(); }

class PanCommands {
 public:
  // `what`: "address cr-x"; the command that deletes it has the same words.
  void add(const std::string& what, std::string_view settings) {
    set_ += fmt::format("set {} {}\n", what, settings);
    if (made_.insert(what).second) undo_.push_back("delete " + what);
  }
  void add_rule(const DeviceRule& rule, const std::string& name, std::string_view peers,
                const std::string& category) {
    add("rulebase security rules " + name,
        fmt::format("from any to any source {} destination {} application any service {}{} action "
                    "allow tag {} disabled yes description \"{}\"",
                    rule.inbound ? peers : "any", rule.inbound ? "any" : peers, rule.name,
                    category.empty() ? "" : " category " + category, pan_tag, rule.title));
    rules_.push_back(name);
  }
  const std::vector<std::string>& rules() const { return rules_; }
  const std::string& text() const { return set_; }
  std::vector<std::string> undo() const { return {undo_.rbegin(), undo_.rend()}; }

 private:
  std::string set_;
  std::vector<std::string> undo_, rules_;
  std::set<std::string> made_;
};

void add_group(PanCommands& commands, const DeviceRule& rule, std::set<std::string>& known) {
  std::string members;
  for (const auto& peer : rule.peers) {
    if (peer.kind == PeerKind::wildcard) continue;
    members += peer.object + ' ';
    if (!known.insert(peer.object).second) continue;
    commands.add("address " + peer.object,
                 fmt::format("{} {} tag {}", object_type(peer.kind), peer.text, pan_tag));
  }
  if (!members.empty()) {
    commands.add("address-group " + rule.group,
                 fmt::format("static [ {}] tag {}", members, pan_tag));
  }
}

void add_category(PanCommands& commands, const DeviceRule& rule) {
  const auto category = fmt::format("profiles custom-url-category {}-urls", rule.name);
  commands.add(category, "type \"URL List\"");
  for (const auto& peer : rule.peers) {
    if (peer.kind == PeerKind::wildcard) commands.add(category, "list " + peer.text + '/');
  }
}

std::vector<std::string> pan_steps(const PanCommands& commands,
                                   const std::vector<DeviceRule>& rules) {
  std::vector<std::string> lines = {
      "Everything here is named cr-... and, except URL categories, has the tag callready; the "
      "rules are disabled.",
      "To load: enter these two commands, then paste everything from the first \"set\" on (PAN-OS "
      "has no comments):",
      "  set cli scripting-mode on",
      "  configure",
      "Loading it again changes nothing, except that it disables the rules again. Loading only "
      "adds members to groups, so remove an older edition first.",
      "To enable: set your zones (from, to), move each rule before the one that denies, enable it, "
      "then commit:"};
  for (const auto& name : commands.rules()) {
    lines.push_back(fmt::format("  move rulebase security rules {} before YOUR-DENY-RULE", name));
    lines.push_back(fmt::format("  set rulebase security rules {} disabled no", name));
  }
  append(lines, inbound_step(rules,
                             "by a NAT rule with destination translation; the rule here then has "
                             "the server's zone and the address before the translation"));
  lines.insert(
      lines.end(),
      {"The rules allow any application: narrow this down once the log shows the App-IDs. Rules "
       "that end in \"-urls\" match the name in TLS and HTTP, so they let a connection to any host "
       "on that port begin.",
       "To check: run callready check on a PC, and",
       "  test security-policy-match source IP destination IP destination-port PORT protocol 6",
       "To remove: paste the lines at the end that begin with \"#- \", without these characters, "
       "then commit."});
  return lines;
}

}  // namespace

std::string firewall_paloalto(const std::vector<FirewallList>& lists, const FirewallPage& page) {
  const auto all = for_devices(lists);
  PanCommands commands;
  commands.add(fmt::format("tag {}", pan_tag), "comments \"Written by callready\"");
  std::set<std::string> known;
  std::vector<DeviceRule> unsaid;
  for (const auto& rule : all) {
    if (rule.udp && rule.has_patterns()) unsaid.push_back(rule);
    if (!by_address(rule) && !by_category(rule)) continue;
    if (rule.defines_group) add_group(commands, rule, known);
    if (by_category(rule)) add_category(commands, rule);
    commands.add("service " + rule.name, fmt::format("protocol {} port {} tag {}", rule.protocol(),
                                                     port_list(rule.ports, ","), pan_tag));
    if (by_address(rule)) commands.add_rule(rule, rule.name, rule.group, "");
    if (by_category(rule)) {
      commands.add_rule(rule, rule.name + "-urls", "any", rule.name + "-urls");
    }
  }
  DeviceGuide guide{"#", not_loaded};
  guide.left_out = patterns_in(unsaid, "PAN-OS cannot match patterns over UDP");
  guide.steps = pan_steps(commands, all);
  return header_of(lists, all, page, guide) + commands.text() + removal_of("#", commands.undo());
}

}  // namespace callready
