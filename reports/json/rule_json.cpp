// A firewall rule as JSON: the same in a report and in what `firewall` prints. Inbound rules have
// `sources_of_traffic` where others have `destinations`.
#include "reports/json/parts.hpp"
#include "reports/json/text.hpp"
#include "reports/words/rule_words.hpp"

namespace callready {

nlohmann::ordered_json rule_json(const FirewallRule& rule) {
  using Json = nlohmann::ordered_json;
  auto peers = Json::array();
  for (const auto& peer : rule.peers) {
    Json one = {{"text", peer.text}, {"kind", to_string(peer.kind)}};
    set_if_any(one, "region", peer.region);
    if (peer.lifecycle != Lifecycle::current) one["lifecycle"] = to_string(peer.lifecycle);
    set_if_any(one, "note", peer.note);
    peers.push_back(std::move(one));
  }
  auto ports = json_texts(rule.ports);
  for (const auto& words : rule.your_ports) ports.push_back(words);
  Json json = {
      {"set", rule.set},
      {"requirements", rule.requirements},
      {"titles", rule.titles},
      {"sources", rule.sources},
      {"severity", to_string(rule.severity)},
      {"direction", to_string(rule.direction)},
      {"protocol", protocol_in_words(rule)},
      {"source_ports", json_texts(rule.source_ports)},
      {rule.direction == Direction::in ? "sources_of_traffic" : "destinations", std::move(peers)},
      {"ports", std::move(ports)},
      {"allow_by", to_string(rule.allow_by)},
      {"proxy", to_string(rule.proxy)}};
  if (rule.lifecycle != Lifecycle::current) json["lifecycle"] = to_string(rule.lifecycle);
  if (rule.evidence != SourceQuality::vendor_page) json["evidence"] = to_string(rule.evidence);
  set_if_any(json, "vantages", json_words(rule.vantages));
  set_if_any(json, "clients", rule.clients);
  set_if_any(json, "purposes", rule.purposes);
  set_if_any(json, "fallback_for", rule.fallback_for);
  set_if_any(json, "conditions", rule.conditions);
  set_if_any(json, "remarks", rule.remarks);
  set_if_any(json, "notes", rule.notes);
  set_if_any(json, "state", std::string(state_word(rule.state)));
  return json;
}

}  // namespace callready
