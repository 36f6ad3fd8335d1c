// Words about firewall rules that several formats share. Internal to reports/.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/model/firewall_rule.hpp"
#include "reports/words/phrases.hpp"

namespace callready {

inline std::string_view state_word(RuleState state) {
  return state == RuleState::closed            ? "closed"
         : state == RuleState::not_proved_open ? "not proved open"
                                               : "";
}

// "germany; being removed": what the set says about one peer.
inline std::string peer_facts(const RulePeer& peer) {
  std::vector<std::string> facts;
  if (!peer.region.empty()) facts.push_back(peer.region);
  if (peer.lifecycle != Lifecycle::current) facts.emplace_back(to_string(peer.lifecycle));
  if (!peer.note.empty()) facts.push_back(peer.note);
  return joined(facts, "; ");
}

// "from source ports 49152-65535"; empty: from any.
inline std::string from_source_ports(const FirewallRule& rule) {
  return rule.source_ports.empty() ? "" : say("from source ports {}", source_ports_in_words(rule));
}

// A rule in full: what it lets through, and one peer per line.
inline std::vector<std::string> lines_of(const std::vector<FirewallRule>& rules) {
  std::vector<std::string> lines;
  for (const auto& rule : rules) {
    auto what = joined(rule.titles, "; ");
    if (!rule.sources.empty()) what = say("{}: {}", what, joined(rule.sources, "; "));
    const auto protocol = protocol_in_words(rule), ports = ports_in_words(rule);
    lines.push_back(rule.direction == Direction::in ? say("{} {} from ({}):", protocol, ports, what)
                                                    : say("{} {} to ({}):", protocol, ports, what));
    const auto from = from_source_ports(rule);
    if (!from.empty()) lines.push_back("  " + from);
    for (const auto& peer : rule.peers) lines.push_back("  " + peer.text);
  }
  return lines;
}

// "UDP 49152-65535, not said to or from where: Media between two apps on the same network. Both
// ends are ..."
inline std::string unfinished_in_words(const FirewallRule& rule) {
  std::vector<std::string> known;
  if (rule.transport || !rule.your_transport.empty()) known.push_back(protocol_in_words(rule));
  if (!rule.ports.empty() || !rule.your_ports.empty()) {
    known.push_back("port " + ports_in_words(rule));
  }
  if (!rule.source_ports.empty()) {
    known.push_back("from source port " + source_ports_in_words(rule));
  }
  std::vector<std::string> peers;
  for (const auto& peer : rule.peers) peers.push_back(peer.text);
  if (!peers.empty()) {
    known.push_back((rule.direction == Direction::in ? "from " : "with ") + joined(peers));
  }
  auto text = joined(rule.titles, "; ");
  if (!known.empty()) text += " (" + joined(known, " ") + ")";
  if (!rule.remarks.empty()) text += ": " + joined(rule.remarks, "; ");
  return text;
}

}  // namespace callready
