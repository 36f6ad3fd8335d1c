// The table of formats that `callready firewall --format` accepts, and the words that they share.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "probe/model/set_age.hpp"
#include "reports/firewall/export.hpp"
#include "reports/words/phrases.hpp"

namespace callready {
namespace {

std::string in_words(Vantage vantage) {
  if (vantage == Vantage::pc) return "PC";
  if (vantage == Vantage::pbx) return "PBX";
  if (vantage == Vantage::sbc) return "SBC";
  std::string word(to_string(vantage));
  std::replace(word.begin(), word.end(), '-', ' ');
  return word;
}

std::string devices(const FirewallRule& rule, const std::string& any) {
  std::vector<std::string> words;
  for (const auto vantage : rule.vantages) words.push_back(in_words(vantage));
  return words.empty() ? any : joined(words);
}

}  // namespace

std::span<const FirewallFormat> firewall_formats() {
  static constexpr std::array table = {
      FirewallFormat{"text", "for a terminal", firewall_text},
      FirewallFormat{"markdown", "for a ticket or a wiki", firewall_markdown},
      FirewallFormat{"csv", "for a spreadsheet", firewall_csv},
      FirewallFormat{"json", "for programs", firewall_json},
      FirewallFormat{"list", "one address or name per line", firewall_list, true},
      FirewallFormat{"edl-ip", "external dynamic list: addresses", firewall_edl_ip, true, true},
      FirewallFormat{"edl-domain", "external dynamic list: domains", firewall_edl_domain, true,
                     true},
      FirewallFormat{"edl-url", "external dynamic list: URLs", firewall_edl_url, true, true},
      FirewallFormat{"fortigate", "FortiOS commands", firewall_fortigate, true},
      FirewallFormat{"paloalto", "PAN-OS set commands", firewall_paloalto, true},
      FirewallFormat{"cisco-asa", "ASA objects and access-list lines; not for FTD", firewall_cisco,
                     true},
      FirewallFormat{"pfsense", "aliases for the bulk import", firewall_pfsense, true},
      FirewallFormat{"opnsense", "aliases to import", firewall_opnsense, true},
      FirewallFormat{"nftables", "a chain for your own table", firewall_nftables, true},
  };
  return table;
}

const FirewallFormat* find_firewall_format(std::string_view name) {
  const auto all = firewall_formats();
  const auto found = std::ranges::find(all, name, &FirewallFormat::name);
  return found == all.end() ? nullptr : &*found;
}

std::string list_name(const FirewallList& list, std::size_t number) {
  return fmt::format("{}-{}", list.set, number);
}

std::size_t list_owner(const FirewallList& list, const FirewallRule& rule) {
  for (std::size_t i = 0; i < list.rules.size(); ++i) {
    const auto& other = list.rules[i].peers;
    if (std::equal(other.begin(), other.end(), rule.peers.begin(), rule.peers.end(),
                   [](const auto& a, const auto& b) {
                     return a.text == b.text && a.region == b.region && a.note == b.note;
                   })) {
      return i + 1;
    }
  }
  return 0;
}

std::string group_title(const FirewallRule& rule) {
  const std::string_view far = stays_at_home(rule) ? "your own servers" : "the Internet";
  if (rule.direction == Direction::in) {
    return fmt::format("From {} to {}", far, devices(rule, "this site"));
  }
  return fmt::format("From {} to {}", devices(rule, "any device"), far);
}

std::string document_and_date(const FirewallList& list) {
  const auto* word = list.published.empty() ? "" : "published ";
  return fmt::format("{}, {}{}", list.document, word, published_words(list.published));
}

std::vector<std::string> doubts_of(const FirewallList& list) {
  std::vector<std::string> doubts;
  if (doubtful(list.evidence)) {
    doubts.push_back("From " + source_words(list.evidence, list.evidence_note));
  }
  if (!list.too_old.empty()) doubts.push_back(list.too_old);
  return doubts;
}

std::string how_to_allow(const FirewallRule& rule) {
  std::vector<std::string> facts;
  if (rule.allow_by == AllowBy::name) facts.emplace_back("allow by name");
  if (rule.allow_by == AllowBy::network) facts.emplace_back("where names cannot be allowed");
  if (rule.proxy == ProxyUse::allowed) facts.emplace_back("or through the web proxy");
  if (rule.proxy == ProxyUse::required) facts.emplace_back("through the web proxy");
  if (rule.lifecycle == Lifecycle::optional_feature) facts.emplace_back("optional feature");
  if (rule.lifecycle == Lifecycle::deprecated) facts.emplace_back("being deprecated");
  if (!rule.fallback_for.empty()) {
    facts.push_back("a fallback for: " + joined(rule.fallback_for, "; "));
  }
  if (doubtful(rule.evidence)) facts.push_back("from " + source_words(rule.evidence, ""));
  return joined(facts, "; ");
}

}  // namespace callready
