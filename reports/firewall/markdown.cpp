// The rules as a firewall team reads them in a ticket or a wiki.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/firewall/notes.hpp"
#include "reports/text/markdown_text.hpp"

namespace callready {
namespace {

std::string far_end_cell(const FirewallList& list, const FirewallRule& rule) {
  if (rule.peers.size() > few_in_a_line) {
    return fmt::format("list {}: {}", escaped_markdown(list_name(list, list_owner(list, rule))),
                       peers_counted(rule));
  }
  std::vector<std::string> texts;
  for (const auto& peer : rule.peers) texts.push_back(escaped_markdown(peer.text));
  return joined(texts);
}

void add_table_head(std::string& out, bool with_state) {
  out += fmt::format(
      "\n| # |{} Severity | Protocol | Source | Source ports | Destination | Ports | Purpose "
      "| Document |\n|---|{}---|---|---|---|---|---|---|---|\n",
      with_state ? " Seen |" : "", with_state ? "---|" : "");
}

void add_rule(std::string& out, const FirewallList& list, const FirewallRule& rule,
              std::size_t number) {
  const bool inbound = rule.direction == Direction::in;
  const auto far = far_end_cell(list, rule);
  const std::string here = inbound ? "this site" : "any at this site";
  const auto state = state_word(rule.state);
  out += fmt::format("| {} |{} {} | {} | {} | {} | {} | {} | {} | {} |\n", number,
                     state.empty() ? "" : fmt::format(" {} |", state), to_string(rule.severity),
                     escaped_markdown(protocol_in_words(rule)), inbound ? far : here,
                     escaped_markdown(source_ports_in_words(rule)), inbound ? here : far,
                     escaped_markdown(ports_in_words(rule)),
                     escaped_markdown(joined(rule.purposes, "; ")),
                     escaped_markdown(joined(rule.sources, "; ")));
}

void add_rules(std::string& out, const FirewallList& list) {
  std::string group;
  for (std::size_t i = 0; i < list.rules.size(); ++i) {
    const auto& rule = list.rules[i];
    if (group_title(rule) != group) {
      group = group_title(rule);
      out += fmt::format("\n### {}\n", escaped_markdown(group));
      add_table_head(out, rule.state != RuleState::not_asked);
    }
    add_rule(out, list, rule, i + 1);
  }
}

// One peer per line; most imports of address groups ignore a comment after "#".
void add_list_of_peers(std::string& out, const std::string& name, const FirewallRule& rule) {
  std::vector<std::string> lines;
  for (const auto& peer : rule.peers) {
    const auto facts = peer_facts(peer);
    lines.push_back(peer.text + (facts.empty() ? "" : "  # " + facts));
  }
  out += fmt::format("\n#### {}: {}\n\n{}", escaped_markdown(name),
                     escaped_markdown(joined(rule.titles, "; ")), markdown_block(lines));
}

void add_notes(std::string& out, const FirewallList& list) {
  const auto notes = notes_of(list);
  if (notes.empty()) return;
  out += "\n### Notes\n\n";
  for (const auto& note : notes) {
    out += fmt::format("- Rule{} {}: {}\n", note.rules.size() == 1 ? "" : "s", joined(note.rules),
                       escaped_markdown(note.text));
  }
}

void add_unfinished(std::string& out, const FirewallList& list) {
  if (list.unfinished.empty()) return;
  out +=
      "\n### To be filled in by you\n\nThe document asks for these but does not give all details: "
      "from where, to where, or on which port.\n\n";
  for (const auto& rule : list.unfinished) {
    out += fmt::format("- {}: {} ({})\n", to_string(rule.severity),
                       escaped_markdown(unfinished_in_words(rule)),
                       escaped_markdown(joined(rule.sources, "; ")));
  }
}

void add_list(std::string& out, const FirewallList& list, bool only_missing) {
  out +=
      fmt::format("\n## {}{}\n\n", escaped_markdown(list.title),
                  list.edition.empty() ? "" : fmt::format(" ({})", escaped_markdown(list.edition)));
  if (!list.document.empty()) {
    out += fmt::format("Source: {}", escaped_markdown(document_and_date(list)));
    if (!list.verified.empty()) out += fmt::format(", transcription checked {}", list.verified);
    out += ".\n";
  }
  if (!list.needed_by.empty()) {
    out += fmt::format("Needed by: {}.\n", escaped_markdown(joined(list.needed_by)));
  }
  for (const auto& doubt : doubts_of(list)) {
    out += fmt::format("**Check first:** {}\n", escaped_markdown(doubt));
  }
  if (!list.scenarios.empty()) {
    out += fmt::format("In this list: {}.\n", escaped_markdown(joined(list.scenarios, "; ")));
  }
  if (!list.others.empty()) {
    out += fmt::format("Not in this list (add with --scenario): {}.\n",
                       escaped_markdown(joined(list.others, "; ")));
  }
  if (list.not_required != 0) out += "Left out: " + not_required_in_words(list) + '\n';
  if (list.rules.empty() && list.unfinished.empty()) {
    const auto none = only_missing ? nothing_missing_in_words(list) : "There are no rules.";
    out += '\n' + none + '\n';
    return;
  }
  add_rules(out, list);
  bool any_list = false;
  for (std::size_t i = 0; i < list.rules.size(); ++i) {
    const auto& rule = list.rules[i];
    const bool own = list_owner(list, rule) == i + 1;
    if (rule.peers.size() <= few_in_a_line || !own) continue;
    if (!any_list) out += "\n### Destination lists\n";
    any_list = true;
    add_list_of_peers(out, list_name(list, i + 1), rule);
  }
  add_notes(out, list);
  add_unfinished(out, list);
  if (list.removed.empty()) return;
  out += "\n### No longer needed\n\nRules for these can be deleted.\n";
  std::set<std::string> told;  // a row that had several protocols is listed once
  for (const auto& rule : list.removed) {
    const auto rows = joined(rule.requirements);
    if (told.insert(rows).second) add_list_of_peers(out, rows, rule);
  }
}

}  // namespace

std::string firewall_markdown(const std::vector<FirewallList>& lists, const FirewallPage& page) {
  std::string out =
      page.only_missing ? "# Firewall rules that are missing\n" : "# Firewall rules\n";
  out +=
      "\nThe firewall is assumed to be stateful: replies come back through the rule that let the "
      "request\nout, so no inbound rule is needed unless one is listed. Ports are the "
      "destination's. Your\nDNS servers must be reachable, too (UDP and TCP 53).\n";
  for (const auto& list : lists) add_list(out, list, page.only_missing);
  return out;
}

}  // namespace callready
