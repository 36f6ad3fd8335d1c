#include "probe/diagnosis/rules_to_allow.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace callready {
namespace {

bool is_udp(const Target& target) { return target.transport == Transport::udp; }

// The customer may choose the transport: then it is any.
bool is_carried_by(const FirewallRule& rule, const std::set<bool>& udp) {
  return !rule.transport || udp.contains(*rule.transport == Transport::udp);
}

}  // namespace

bool asks_to_let_through(std::string_view code) {
  constexpr std::string_view others[] = {"proxy.required",       "proxy.auth_required",
                                         "proxy.connect_denied", "proxy.no_websocket",
                                         "tls.intercepted",      "tls.filtered"};
  if (code == "firewall.idle_timeout" || code == "firewall.rate_limited") return false;
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
          udp.insert(is_udp(*closed.back()));
        } else if (const auto other = by_id.find(id);
                   other != by_id.end() && reached(other->second->observation.outcome)) {
          open_udp.insert(is_udp(other->second->probe.target));
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
  return rules;
}

bool has_rules(const std::vector<SetResult>& sets) {
  return std::any_of(sets.begin(), sets.end(), [](const SetResult& set) {
    return std::any_of(set.requirements.begin(), set.requirements.end(),
                       [](const RequirementResult& row) { return !row.rules.empty(); });
  });
}

}  // namespace callready
