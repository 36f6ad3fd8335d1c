// nftables: a chain to jump to in the customer's own table, since what one table accepts another
// may still drop. It has no objects for names: they get sets, empty until a resolver fills them.
#include <fmt/format.h>

#include <algorithm>

#include "probe/util/text.hpp"
#include "reports/firewall/export.hpp"
#include "reports/words/phrases.hpp"

namespace callready {
namespace {

struct NftFamily {
  bool v6;
  std::string_view match, type, suffix;
};
constexpr NftFamily nft_families[] = {{false, "ip", "ipv4_addr", "_v4"},
                                      {true, "ip6", "ipv6_addr", "_v6"}};

bool has_names(const DeviceRule& rule) {
  return std::ranges::any_of(rule.peers, &DevicePeer::is_name);
}

// A table "ip filter" cannot hold IPv6.
std::vector<NftFamily> families_of(const std::string& table) {
  std::vector<NftFamily> found;
  for (const auto& family : nft_families) {
    if (!table.starts_with(family.v6 ? "ip " : "ip6 ")) found.push_back(family);
  }
  return found;
}

std::string elements(const DeviceRule& rule, bool v6) {
  std::vector<std::string> found;
  for (const auto& peer : rule.peers) {
    if (!peer.is_name() && peer.v6 == v6) found.push_back(peer.text);
  }
  return joined(found, ", ");
}

std::vector<std::string> nft_steps(const FirewallPage& page, bool named,
                                   const std::vector<DeviceRule>& rules) {
  const auto where = fmt::format("{} {}", page.nft_table, page.nft_chain);
  auto in_dnsmasq = page.nft_table;
  in_dnsmasq.replace(in_dnsmasq.find(' '), 1, "#");
  std::string to_sets, versions;
  for (const auto& family : families_of(page.nft_table)) {
    versions += family.v6 ? " 6" : " 4";
    to_sets += fmt::format("{}{}#{}#\\1{}", to_sets.empty() ? "" : ",", family.v6 ? 6 : 4,
                           in_dnsmasq, family.suffix);
  }
  std::vector<std::string> lines = {
      fmt::format(
          "These rules go into your table {}, in a chain \"callready\" to which your chain "
          "{} jumps (name others with --table and --chain), because what one table accepts, "
          "another can still drop.",
          page.nft_table, page.nft_chain),
      "To load, as root, as often as you like:",
      "  nft -f FILE",
      fmt::format(
          "To enable: insert a jump before the rules in chain {} that drop packets. That chain "
          "must accept established connections itself:",
          page.nft_chain),
      fmt::format(
          "  nft list chain {} | grep -q 'jump callready' || nft insert rule {} jump callready",
          where, where),
      fmt::format("To keep it across restarts: in /etc/nftables.conf, put include \"FILE\" before "
                  "your table {}, and jump callready in its chain {}.",
                  page.nft_table, page.nft_chain)};
  if (named) {
    lines.insert(
        lines.end(),
        {"nftables cannot resolve names, so the sets of names (\"#=\" below) are empty. To fill "
         "them now, and regularly from cron, since addresses change:",
         fmt::format("  sed -n 's/^#= //p' FILE | while read -r set name; do for v in{}; do",
                     versions),
         fmt::format("    getent ahostsv$v \"$name\" | awk -v set=\"${{set}}_v$v\" "
                     "'!/::ffff:/ {{ print \"add element {} \" set \" {{ \" $1 \" }}\" }}'",
                     page.nft_table),
         "  done; done | sort -u | nft -f -",
         "Or let the dnsmasq (2.87 or newer) that your PCs ask fill them, which also covers "
         "patterns (*.example.com):",
         fmt::format("  sed -nE 's,^#= (\\S+) (\\*\\.)?(\\S+),nftset=/\\3/{},p' FILE > "
                     "/etc/dnsmasq.d/callready.conf",
                     to_sets)});
  }
  append(lines, inbound_step(rules, "by dnat in a chain of type nat, hook prerouting"));
  lines.insert(
      lines.end(),
      {"To check: run callready check on a PC; the chain counts what it lets through:",
       fmt::format("  nft list chain {} callready", page.nft_table),
       "To remove: delete the jump, then the chain and its sets:",
       fmt::format("  nft delete rule {0} handle $(nft -a list chain {0} | sed -n 's/.*jump "
                   "callready.* handle //p')",
                   where),
       "  sed -n 's/^#- //p' FILE | nft -f -"});
  return lines;
}

void add_rule(std::string& out, const DeviceRule& rule, const NftFamily& family,
              const std::string& set_name) {
  const auto add = [&](const std::string& peers) {
    out += fmt::format("\t\t{} {} {} {} dport {{ {} }} counter accept comment \"{}\"\n",
                       family.match, rule.inbound ? "saddr" : "daddr", peers, rule.protocol(),
                       port_list(rule.ports, ", "), rule.title);
  };
  const auto list = elements(rule, family.v6);
  if (!list.empty()) add("{ " + list + " }");
  if (has_names(rule)) add(fmt::format("@{}{}", set_name, family.suffix));
}

}  // namespace

std::string firewall_nftables(const std::vector<FirewallList>& lists, const FirewallPage& page) {
  const auto all = for_devices(lists);
  const auto families = families_of(page.nft_table);
  std::string names, sets, rules;
  std::vector<std::string> removal = {fmt::format("delete chain {} callready", page.nft_table)};
  for (const auto& rule : all) {
    const auto set_name = with_underscores(rule.group);
    for (const auto& family : families) {
      add_rule(rules, rule, family, set_name);
      if (!rule.defines_group || !has_names(rule)) continue;
      sets += fmt::format("\tset {}{} {{\n\t\ttype {}\n\t\tflags interval\n\t\tauto-merge\n\t}}\n",
                          set_name, family.suffix, family.type);
      removal.push_back(fmt::format("delete set {} {}{}", page.nft_table, set_name, family.suffix));
    }
    if (!rule.defines_group) continue;
    for (const auto& peer : rule.peers) {
      if (peer.is_name()) names += fmt::format("#= {} {}\n", set_name, peer.text);
    }
  }
  DeviceGuide guide{"#", "Tested with nft 1.0.6 on a router that drops everything else."};
  guide.steps = nft_steps(page, !names.empty(), all);
  return fmt::format(
      "{}{}{}table {} {{\n{}\tchain callready {{\n\t}}\n}}\nflush chain {} callready\n"
      "table {} {{\n\tchain callready {{\n{}\t}}\n}}\n",
      header_of(lists, all, page, guide), names, removal_of("#", removal), page.nft_table, sets,
      page.nft_table, page.nft_table, rules);
}

}  // namespace callready
