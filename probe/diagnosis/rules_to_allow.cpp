#include "probe/diagnosis/rules_to_allow.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>

namespace callready {
namespace {

bool is_udp(Transport transport) { return transport == Transport::udp; }

// The customer may choose the transport: then it is any.
bool is_carried_by(const FirewallRule& rule, const std::set<bool>& udp) {
  return !rule.transport || udp.contains(is_udp(*rule.transport));
}

// True where a firewall that has `all` lets through what `part` asks for.
bool holds(const FirewallRule& all, const FirewallRule& part) {
  const auto traffic = [](const FirewallRule& rule) {
    return std::tie(rule.set, rule.direction, rule.your_transport, rule.source_ports, rule.ports,
                    rule.your_ports);
  };
  if (all.transport.has_value() != part.transport.has_value() || traffic(all) != traffic(part) ||
      (all.transport && is_udp(*all.transport) != is_udp(*part.transport))) {
    return false;
  }
  return std::all_of(part.peers.begin(), part.peers.end(), [&](const RulePeer& peer) {
    return std::any_of(all.peers.begin(), all.peers.end(),
                       [&](const RulePeer& other) { return other.text == peer.text; });
  });
}

// A row whose every name is in another row, of the same ports: the larger one is asked for, with
// the words of both.
void leave_out_repeated(std::vector<FirewallRule>& rules) {
  for (std::size_t i = 0; i < rules.size();) {
    auto whole = rules.end();
    for (auto other = rules.begin(); other != rules.end() && whole == rules.end(); ++other) {
      if (other != rules.begin() + static_cast<std::ptrdiff_t>(i) && holds(*other, rules[i])) {
        whole = other;
      }
    }
    if (whole == rules.end()) {
      ++i;
      continue;
    }
    const auto& part = rules[i];
    whole->severity = std::min(whole->severity, part.severity);
    for (const auto member : {&FirewallRule::requirements, &FirewallRule::titles,
                              &FirewallRule::purposes, &FirewallRule::sources}) {
      std::vector<std::string> all = part.*member;  // what asks for less is what people miss first
      for (const auto& text : (*whole).*member) {
        if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
      }
      (*whole).*member = std::move(all);
    }
    rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace

bool asks_to_let_through(std::string_view code) {
  constexpr std::string_view others[] = {"proxy.required",       "proxy.auth_required",
                                         "proxy.connect_denied", "proxy.no_websocket",
                                         "tls.intercepted",      "tls.filtered"};
  // The rows of a call name where it is offered, not where it goes.
  if (code == "firewall.dtls_filtered") return false;
  if (code == "firewall.idle_timeout" || code == "firewall.rate_limited" ||
      code == "firewall.new_flows_limited") {
    return false;
  }
  return code.starts_with("firewall.") ||
         std::find(std::begin(others), std::end(others), code) != std::end(others);
}

std::vector<FirewallRule> rules_to_allow(const std::vector<SetResult>& sets,
                                         const std::vector<ProbeResult>& probes,
                                         const std::vector<const ProbeResult*>& lost_probes,
                                         std::string_view code) {
  std::unordered_map<std::string_view, const ProbeResult*> lost, by_id;
  for (const auto* result : lost_probes) lost.emplace(result->probe.id, result);
  for (const auto& result : probes) by_id.emplace(result.probe.id, &result);
  std::vector<FirewallRule> rules;
  for (const auto& set : sets) {
    for (const auto& row : set.requirements) {
      std::vector<const Target*> closed;
      std::set<bool> udp, open_udp;
      for (const auto& id : row.probes) {
        if (const auto found = lost.find(id); found != lost.end()) {
          closed.push_back(&found->second->probe.target);
          udp.insert(is_udp(closed.back()->transport));
        } else if (const auto other = by_id.find(id);
                   other != by_id.end() && reached(other->second->observation.outcome)) {
          open_udp.insert(is_udp(other->second->probe.target.transport));
        }
      }
      const bool untried = !code.empty() && row.closed_by == code;
      if (closed.empty() && !untried) continue;
      for (const auto& rule : row.rules) {
        if (!is_whole(rule) || !(untried || is_carried_by(rule, udp))) continue;
        const bool in_part = !open_udp.empty() && is_carried_by(rule, open_udp);
        add_rule(rules, in_part ? part_of(rule, closed) : rule);
      }
    }
  }
  leave_out_repeated(rules);
  return rules;
}

bool has_rules(const std::vector<SetResult>& sets) {
  return std::any_of(sets.begin(), sets.end(), [](const SetResult& set) {
    return std::any_of(set.requirements.begin(), set.requirements.end(),
                       [](const RequirementResult& row) { return !row.rules.empty(); });
  });
}

}  // namespace callready
