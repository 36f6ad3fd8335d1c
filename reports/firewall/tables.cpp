// The rules for spreadsheets and for programs.
#include <fmt/format.h>

#include "reports/firewall/notes.hpp"
#include "reports/json/parts.hpp"
#include "reports/json/text.hpp"
#include "reports/text/csv_text.hpp"

namespace callready {
namespace {

using Json = nlohmann::ordered_json;

void add_csv_rule(std::string& out, const FirewallList& list, const FirewallRule& rule,
                  const std::string& number) {
  auto peers = rule.peers;
  if (peers.empty()) peers.push_back({"", PeerKind::yours, "", "", Lifecycle::current});
  std::vector<std::string> vantages;
  for (const auto vantage : rule.vantages) vantages.emplace_back(to_string(vantage));
  const bool inbound = rule.direction == Direction::in;
  // What applies to the whole rule is only in its first row.
  std::vector<std::string> remarks;
  FirewallList alone;
  alone.rules = {rule};
  for (const auto& note : notes_of(alone)) remarks.push_back(note.text);
  // And what applies to the whole list, in its first row.
  if (number == "1" && !list.too_old.empty()) remarks.push_back(list.too_old);
  auto aside = joined(remarks, "; ");
  for (const auto& peer : peers) {
    const std::string here = "this site";
    out +=
        csv_row({list.set, number, std::string(state_word(rule.state)),
                 std::string(to_string(rule.severity)), std::string(to_string(rule.direction)),
                 joined(vantages, " "), protocol_in_words(rule), inbound ? peer.text : here,
                 source_ports_in_words(rule), inbound ? here : peer.text, ports_in_words(rule),
                 std::string(to_string(peer.kind)), peer.region, joined(rule.purposes, "; "), aside,
                 peer_facts(peer), joined(rule.requirements, " "), joined(rule.sources, "; ")});
    aside.clear();
  }
}

}  // namespace

std::string firewall_csv(const std::vector<FirewallList>& lists, const FirewallPage&) {
  auto out = csv_row({"set", "rule", "seen", "severity", "direction", "vantage", "protocol",
                      "source", "source_ports", "destination", "ports", "peer_kind", "region",
                      "purpose", "remarks", "peer_remarks", "requirements", "document"});
  for (const auto& list : lists) {
    for (std::size_t i = 0; i < list.rules.size(); ++i) {
      add_csv_rule(out, list, list.rules[i], std::to_string(i + 1));
    }
    // To be completed by the customer: without a number, since they are not rules yet.
    for (const auto& rule : list.unfinished) add_csv_rule(out, list, rule, "");
  }
  return out;
}

std::string firewall_json(const std::vector<FirewallList>& lists, const FirewallPage&) {
  Json json = {{"schema", "callready.firewall/1"}, {"sets", Json::array()}};
  for (const auto& list : lists) {
    json["sets"].push_back({{"id", list.set},
                            {"title", list.title},
                            {"edition", list.edition},
                            {"document", list.document},
                            {"url", list.url},
                            {"published", list.published},
                            {"verified", list.verified},
                            {"evidence", to_string(list.evidence)},
                            {"doubts", doubts_of(list)},
                            {"needed_by", list.needed_by},
                            {"scenarios", list.scenarios},
                            {"other_scenarios", list.others},
                            {"rules", json_list(list.rules, rule_json)},
                            {"unfinished", json_list(list.unfinished, rule_json)},
                            {"removed", json_list(list.removed, rule_json)}});
  }
  return json_text(json);
}

}  // namespace callready
