// The rules laid out for a terminal: a line for what to open, and below it what it is for.
#include <fmt/format.h>

#include "reports/firewall/notes.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

constexpr int indent = 4;

std::string far_end(const FirewallList& list, const FirewallRule& rule) {
  if (rule.peers.size() > few_in_a_line) {
    return fmt::format("{}: list {}", peers_counted(rule), list_name(list, list_owner(list, rule)));
  }
  std::vector<std::string> texts;
  for (const auto& peer : rule.peers) texts.push_back(peer.text);
  return joined(texts);
}

void add_rule(Page& page, const FirewallList& list, std::size_t i) {
  const auto& rule = list.rules[i];
  const auto state = state_word(rule.state);
  auto line = fmt::format("{}. {} {} {} {}", i + 1, protocol_in_words(rule), ports_in_words(rule),
                          rule.direction == Direction::in ? "from" : "to", far_end(list, rule));
  if (rule.severity != Severity::required) line += fmt::format(" ({})", to_string(rule.severity));
  if (!state.empty()) line += fmt::format(", {}", state);
  page.paragraph(line, Style::bold, indent);
  const auto below = [&](const std::string& text) {
    if (!text.empty()) page.labelled("", text, indent, 0);
  };
  below(joined(rule.purposes.empty() ? rule.titles : rule.purposes, "; "));
  if (!rule.source_ports.empty()) below("from source ports " + source_ports_in_words(rule));
  below(how_to_allow(rule));
}

// Prints the peers in as many columns as fit.
void add_peers(Page& page, const FirewallRule& rule) {
  int widest = 0;
  for (const auto& peer : rule.peers) widest = std::max(widest, columns(page.clean(peer.text)));
  const auto fit = static_cast<std::size_t>(std::max(1, (page.width() - 2) / (widest + 2)));
  const auto lines = (rule.peers.size() + fit - 1) / fit;
  for (std::size_t line = 0; line < lines; ++line) {
    std::string text = "  ";
    for (std::size_t at = line; at < rule.peers.size(); at += lines) {
      const auto cell = page.clean(rule.peers[at].text);
      text += cell;
      if (at + lines < rule.peers.size()) {
        text.append(static_cast<std::size_t>(widest + 2 - columns(cell)), ' ');
      }
    }
    page.preformatted(text);
  }
}

void add_list(Page& page, const FirewallList& list, bool only_missing) {
  page.heading(list.title + (list.edition.empty() ? "" : " (" + list.edition + ")"));
  if (!list.document.empty()) {
    page.paragraph(fmt::format("Source: {}.", document_and_date(list)));
  }
  if (!list.needed_by.empty()) page.paragraph("Needed by: " + joined(list.needed_by) + ".");
  for (const auto& doubt : doubts_of(list)) page.paragraph("Check first: " + doubt);
  if (!list.scenarios.empty())
    page.paragraph("In this list: " + joined(list.scenarios, "; ") + ".");
  if (!list.others.empty()) {
    page.paragraph("Not in this list (add with --scenario): " + joined(list.others, "; ") + ".");
  }
  if (list.not_required != 0) page.paragraph("Left out: " + not_required_in_words(list));
  if (list.rules.empty() && list.unfinished.empty()) {
    page.paragraph(only_missing ? nothing_missing_in_words(list) : "Nothing needs to be opened.");
  }
  std::string group;
  for (std::size_t i = 0; i < list.rules.size(); ++i) {
    if (group_title(list.rules[i]) != group) {
      group = group_title(list.rules[i]);
      page.heading(group);
    }
    add_rule(page, list, i);
  }
  for (std::size_t i = 0; i < list.rules.size(); ++i) {
    const auto& rule = list.rules[i];
    if (rule.peers.size() <= few_in_a_line || list_owner(list, rule) != i + 1) continue;
    page.heading(fmt::format("List {}: {}", list_name(list, i + 1), joined(rule.titles, "; ")));
    add_peers(page, rule);
  }
  if (!list.unfinished.empty()) {
    page.heading("To be filled in by you: the document does not give all details");
    for (const auto& rule : list.unfinished) page.paragraph("- " + unfinished_in_words(rule));
  }
}

}  // namespace

std::string firewall_text(const std::vector<FirewallList>& lists, const FirewallPage& options) {
  Page page(options.page);
  page.paragraph(
      "Firewall rules to ask for. The firewall is assumed to be stateful: replies come back "
      "through the rule that let the request out. Your DNS servers must be reachable, too (UDP and "
      "TCP 53). Notes and sources: --format markdown.");
  for (const auto& list : lists) add_list(page, list, options.only_missing);
  return page.take();
}

}  // namespace callready
