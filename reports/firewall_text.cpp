// The three forms in which a firewall team gets its rules.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "reports/csv_text.hpp"
#include "reports/firewall.hpp"
#include "reports/json_text.hpp"
#include "reports/markdown_text.hpp"
#include "reports/phrases.hpp"

namespace callready {
namespace {

// More destinations than this do not fit into a table's cell: they get a list of their own, to be
// pasted into an address group.
constexpr std::size_t most_in_a_cell = 4;

std::string or_any(const std::vector<std::string>& texts) {
  return texts.empty() ? "any" : joined(texts);
}

std::string in_words(std::string vantage) {
  if (vantage == "pc" || vantage == "pbx") return vantage == "pc" ? "PC" : "PBX";
  std::replace(vantage.begin(), vantage.end(), '-', ' ');
  return vantage;
}

std::string devices(const FirewallRule& rule, const std::string& any) {
  std::vector<std::string> words;
  for (const auto& vantage : rule.vantages) words.push_back(in_words(vantage));
  return words.empty() ? any : joined(words);
}

std::string with_notes(const FirewallDestination& destination, std::string_view separator) {
  std::vector<std::string> facts;
  if (!destination.region.empty()) facts.push_back(destination.region);
  if (destination.lifecycle != Lifecycle::current) {
    facts.emplace_back(to_string(destination.lifecycle));
  }
  if (!destination.note.empty()) facts.push_back(destination.note);
  return facts.empty() ? "" : std::string(separator) + joined(facts, "; ");
}

std::string counted(const FirewallRule& rule) {
  std::vector<std::pair<std::string, std::size_t>> kinds;
  for (const auto& destination : rule.destinations) {
    const auto known = std::find_if(kinds.begin(), kinds.end(), [&](const auto& kind) {
      return kind.first == destination.kind;
    });
    if (known == kinds.end()) {
      kinds.emplace_back(destination.kind, 1);
    } else {
      ++known->second;
    }
  }
  std::vector<std::string> texts;
  for (const auto& [kind, count] : kinds) {
    const auto one = kind == "service_tag" ? "service tag" : kind;
    const auto many = one == "address" ? one + "es" : one + "s";
    texts.push_back(count_of(count, one, many));
  }
  return joined(texts);
}

std::string list_name(const FirewallList& list, std::size_t number) {
  return fmt::format("{}-{}", list.set, number);
}

// The first rule with the same destinations, counted from 1: its list serves all of them.
std::size_t list_owner(const FirewallList& list, const FirewallRule& rule) {
  for (std::size_t i = 0; i < list.rules.size(); ++i) {
    const auto& other = list.rules[i].destinations;
    if (std::equal(other.begin(), other.end(), rule.destinations.begin(), rule.destinations.end(),
                   [](const auto& a, const auto& b) {
                     return a.text == b.text && a.region == b.region && a.note == b.note;
                   })) {
      return i + 1;
    }
  }
  return 0;
}

std::string destinations_cell(const FirewallList& list, const FirewallRule& rule) {
  if (rule.destinations.empty()) return "any";
  if (rule.destinations.size() > most_in_a_cell) {
    return fmt::format("list {}: {}", list_name(list, list_owner(list, rule)), counted(rule));
  }
  std::vector<std::string> texts;
  for (const auto& destination : rule.destinations) {
    texts.push_back(escaped_markdown(destination.text));
  }
  return joined(texts);
}

std::string allow_text(const FirewallRule& rule) {
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
  if (!rule.clients.empty()) facts.push_back("for: " + joined(rule.clients));
  if (!rule.conditions.empty()) facts.push_back("unclear: " + joined(rule.conditions, "; "));
  if (!rule.remarks.empty()) facts.push_back(joined(rule.remarks, "; "));
  return joined(facts, "; ");
}

// "Media through a relay. Or through the web proxy."
std::string purpose_text(const FirewallRule& rule) {
  auto text = joined(rule.purposes, "; ");
  const auto allow = allow_text(rule);
  if (!allow.empty()) text += (text.empty() ? "" : " (") + allow + (text.empty() ? "" : ")");
  return text;
}

void add_table_head(std::string& out, bool with_state) {
  out += fmt::format(
      "\n| # |{} Severity | Protocol | Source ports | Destination | Ports | Purpose "
      "| Source |\n|---|{}---|---|---|---|---|---|---|\n",
      with_state ? " Seen |" : "", with_state ? "---|" : "");
}

void add_rule(std::string& out, const FirewallList& list, const FirewallRule& rule,
              std::size_t number) {
  const auto ports =
      rule.direction == Direction::in && rule.ports.empty() ? "any" : or_any(rule.ports);
  out += fmt::format("| {} |{} {} | {} | {} | {} | {} | {} | {} |\n", number,
                     rule.state.empty() ? "" : fmt::format(" {} |", rule.state),
                     to_string(rule.severity), escaped_markdown(rule.protocol),
                     escaped_markdown(or_any(rule.source_ports)), destinations_cell(list, rule),
                     escaped_markdown(ports), escaped_markdown(purpose_text(rule)),
                     escaped_markdown(joined(rule.sources, "; ")));
}

std::string group_title(const FirewallRule& rule) {
  if (rule.direction == Direction::in) return "From the Internet to " + devices(rule, "this site");
  return fmt::format("From {} to {}", devices(rule, "any device"),
                     stays_at_home(rule) ? "your own servers" : "the Internet");
}

void add_rules(std::string& out, const FirewallList& list) {
  std::string group;
  for (std::size_t i = 0; i < list.rules.size(); ++i) {
    const auto& rule = list.rules[i];
    if (group_title(rule) != group) {
      group = group_title(rule);
      out += fmt::format("\n### {}\n", escaped_markdown(group));
      add_table_head(out, !rule.state.empty());
    }
    add_rule(out, list, rule, i + 1);
  }
}

// One destination a line: a comment after "#" is what most address groups' import ignores.
void add_destination_list(std::string& out, const std::string& name, const FirewallRule& rule) {
  out += fmt::format("\n#### {}: {}\n\n```\n", escaped_markdown(name),
                     escaped_markdown(joined(rule.titles, "; ")));
  for (const auto& destination : rule.destinations) {
    out += harmless(destination.text + with_notes(destination, "  # ")) + '\n';
  }
  out += "```\n";
}

void add_notes(std::string& out, const FirewallList& list) {
  std::string notes;
  for (std::size_t i = 0; i < list.rules.size(); ++i) {
    const auto& rule = list.rules[i];
    for (const auto& note : rule.notes) {
      notes += fmt::format("- Rule {}: {}\n", i + 1, escaped_markdown(note));
    }
    if (rule.destinations.size() > most_in_a_cell) continue;
    for (const auto& destination : rule.destinations) {
      const auto note = with_notes(destination, "");
      if (destination.note.empty()) continue;
      notes += fmt::format("- Rule {}: {}: {}\n", i + 1, escaped_markdown(destination.text),
                           escaped_markdown(note));
    }
  }
  if (!notes.empty()) out += "\n### Notes\n\n" + notes;
}

void add_list(std::string& out, const FirewallList& list, bool only_missing) {
  out +=
      fmt::format("\n## {}{}\n\n", escaped_markdown(list.title),
                  list.edition.empty() ? "" : fmt::format(" ({})", escaped_markdown(list.edition)));
  out += fmt::format("By: {}", escaped_markdown(list.document));
  if (!list.published.empty()) out += fmt::format(", published {}", list.published);
  if (!list.verified.empty()) out += fmt::format(", transcription checked {}", list.verified);
  out += ".\n";
  if (!list.scenarios.empty()) {
    out += fmt::format("In this list: {}.\n", escaped_markdown(joined(list.scenarios, "; ")));
  }
  if (!list.others.empty()) {
    out += fmt::format("Not in this list, add with --scenario: {}.\n",
                       escaped_markdown(joined(list.others, "; ")));
  }
  if (list.rules.empty()) {
    out += only_missing ? "\nNothing is missing: everything that was tried is open.\n"
                        : "\nThere are no rules.\n";
    return;
  }
  add_rules(out, list);
  bool any_list = false;
  for (std::size_t i = 0; i < list.rules.size(); ++i) {
    const auto& rule = list.rules[i];
    const bool own = list_owner(list, rule) == i + 1;
    if (rule.destinations.size() <= most_in_a_cell || !own) continue;
    if (!any_list) out += "\n### Destination lists\n";
    any_list = true;
    add_destination_list(out, list_name(list, i + 1), rule);
  }
  add_notes(out, list);
  if (list.removed.empty()) return;
  out += "\n### No longer needed\n\nRules for these can be deleted.\n";
  for (const auto& rule : list.removed) {
    add_destination_list(out, joined(rule.requirements), rule);
  }
}

using Json = nlohmann::ordered_json;

Json rule_json(const FirewallRule& rule) {
  auto destinations = Json::array();
  for (const auto& destination : rule.destinations) {
    destinations.push_back({{"text", destination.text},
                            {"kind", destination.kind},
                            {"region", destination.region},
                            {"lifecycle", to_string(destination.lifecycle)},
                            {"note", destination.note}});
  }
  Json json = {{"requirements", rule.requirements},
               {"titles", rule.titles},
               {"purposes", rule.purposes},
               {"sources", rule.sources},
               {"severity", to_string(rule.severity)},
               {"direction", to_string(rule.direction)},
               {"lifecycle", to_string(rule.lifecycle)},
               {"vantages", rule.vantages},
               {"clients", rule.clients},
               {"protocol", rule.protocol},
               {"source_ports", rule.source_ports},
               {"destinations", std::move(destinations)},
               {"ports", rule.ports},
               {"allow_by", to_string(rule.allow_by)},
               {"proxy", to_string(rule.proxy)},
               {"fallback_for", rule.fallback_for},
               {"conditions", rule.conditions},
               {"remarks", rule.remarks},
               {"notes", rule.notes}};
  if (!rule.state.empty()) json["state"] = rule.state;
  return json;
}

Json rules_json(const std::vector<FirewallRule>& rules) {
  auto json = Json::array();
  for (const auto& rule : rules) json.push_back(rule_json(rule));
  return json;
}

void add_csv_rule(std::string& out, const FirewallList& list, const FirewallRule& rule,
                  std::size_t number) {
  auto destinations = rule.destinations;
  if (destinations.empty()) destinations.push_back({"any", "any", "", "", Lifecycle::current});
  for (const auto& destination : destinations) {
    out += csv_row({list.set, std::to_string(number), rule.state,
                    std::string(to_string(rule.severity)), std::string(to_string(rule.direction)),
                    joined(rule.vantages, " "), rule.protocol, joined(rule.source_ports, " "),
                    destination.text, destination.kind, destination.region, joined(rule.ports, " "),
                    joined(rule.purposes, "; "), allow_text(rule), with_notes(destination, ""),
                    joined(rule.requirements, " "), joined(rule.sources, "; ")});
  }
}

}  // namespace

std::string firewall_markdown(const std::vector<FirewallList>& lists) {
  bool only_missing = false, any = false;
  for (const auto& list : lists) {
    for (const auto& rule : list.rules) {
      any = true;
      only_missing |= !rule.state.empty();
    }
  }
  only_missing |= !any;
  std::string out = only_missing ? "# Firewall rules that are missing\n" : "# Firewall rules\n";
  out +=
      "\nThe firewall is taken to be stateful: answers come back by the rule that let the "
      "request out, so\nno rule inwards is needed unless one is listed. Ports are the "
      "destination's.\n";
  for (const auto& list : lists) add_list(out, list, only_missing);
  return out;
}

std::string firewall_csv(const std::vector<FirewallList>& lists) {
  auto out = csv_row({"set", "rule", "seen", "severity", "direction", "vantage", "protocol",
                      "source_ports", "destination", "destination_kind", "region", "ports",
                      "purpose", "remarks", "destination_remarks", "requirements", "source"});
  for (const auto& list : lists) {
    for (std::size_t i = 0; i < list.rules.size(); ++i) {
      add_csv_rule(out, list, list.rules[i], i + 1);
    }
  }
  return out;
}

std::string firewall_json(const std::vector<FirewallList>& lists) {
  Json json = {{"schema", "callready.firewall/1"}, {"sets", Json::array()}};
  for (const auto& list : lists) {
    json["sets"].push_back({{"id", list.set},
                            {"title", list.title},
                            {"edition", list.edition},
                            {"document", list.document},
                            {"url", list.url},
                            {"published", list.published},
                            {"verified", list.verified},
                            {"scenarios", list.scenarios},
                            {"other_scenarios", list.others},
                            {"rules", rules_json(list.rules)},
                            {"removed", rules_json(list.removed)}});
  }
  return json_text(json);
}

}  // namespace callready
