// The notes that accompany the rules of a list in every format. Internal to reports/firewall.
#pragma once

#include <string>
#include <vector>

#include "reports/firewall/firewall.hpp"
#include "reports/words/rule_words.hpp"

namespace callready {

inline std::string not_required_in_words(const FirewallList& list) {
  return say_plural(list.not_required,
                    "{} row that the document does not require (--required-only).",
                    "{} rows that the document does not require (--required-only).");
}

// For a report that saw nothing closed: some rows may not have been tried, or their names may not
// have been resolved.
inline std::string nothing_missing_in_words(const FirewallList& list) {
  const std::string what = list.not_required == 0 ? "Nothing" : "Nothing else";
  return what + " is missing, as far as the report shows.";
}

// A note below the rules: each is printed once, with the numbers of the rules that it is about.
struct RuleNote {
  std::string text;
  std::vector<std::string> rules;  // "3"
};

inline std::vector<RuleNote> notes_of(const FirewallList& list) {
  std::vector<RuleNote> notes;
  const auto add = [&](const std::string& text, std::size_t number) {
    if (text.empty()) return;
    const auto rule = std::to_string(number);
    for (auto& note : notes) {
      if (note.text != text) continue;
      if (note.rules.back() != rule) note.rules.push_back(rule);
      return;
    }
    notes.push_back({text, {rule}});
  };
  for (std::size_t i = 0; i < list.rules.size(); ++i) {
    const auto& rule = list.rules[i];
    add(how_to_allow(rule), i + 1);
    if (!rule.clients.empty()) add("for: " + joined(rule.clients), i + 1);
    for (const auto& note : rule.notes) add(note, i + 1);
    for (const auto& condition : rule.conditions) {
      add("unclear in the document: " + condition, i + 1);
    }
    for (const auto& remark : rule.remarks) add(remark, i + 1);
    if (rule.peers.size() > few_in_a_line) continue;
    for (const auto& peer : rule.peers) {
      if (!peer.note.empty()) add(peer.text + ": " + peer_facts(peer), i + 1);
    }
  }
  return notes;
}

}  // namespace callready
