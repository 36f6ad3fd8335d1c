#include "probe/diagnosis/rules_to_allow.hpp"

#include <algorithm>
#include <tuple>

#include "probe/diagnosis/words.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

bool is_udp(Transport transport) { return transport == Transport::udp; }

// The lowest to the highest port that a probe showed to be closed; of a media range, among those of
// its sample. Nothing: it showed none.
std::optional<PortRange> closed_ports(const ProbeResult& result) {
  const auto* block = findings::evidence_of(result, EvidenceKind::udp_block);
  const auto first = block == nullptr ? std::nullopt : port_fact(*block, Fact::first);
  const auto last = block == nullptr ? std::nullopt : port_fact(*block, Fact::last);
  if (first && last) return PortRange{*first, *last};
  if (reached(result.observation.outcome)) return std::nullopt;
  return result.probe.target.ports;
}

// It was reached there; of a media range, on a port of its sample.
bool is_open_in(const ProbeResult& result, const PortRange& ports) {
  if (result.probe.check != CheckKind::udp_range) return result.probe.target.ports.overlaps(ports);
  return std::ranges::any_of(findings::all_evidence(result.observation, EvidenceKind::udp_port),
                             [&](const Evidence& one) {
                               return is_out(detail_fact(one, Fact::result)) &&
                                      ports.contains(port_fact(one, Fact::port).value_or(0));
                             });
}

// It went by the rule's transport; any will do where the customer may choose it.
bool is_alike(const FirewallRule& rule, const ProbeResult& result) {
  return !rule.transport || is_udp(result.probe.target.transport) == is_udp(*rule.transport);
}

bool any_is_alike(const FirewallRule& rule, const Probes& probes) {
  return std::ranges::any_of(probes,
                             [&](const ProbeResult* result) { return is_alike(rule, *result); });
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
  return std::ranges::all_of(part.peers, [&](const RulePeer& peer) {
    return std::ranges::find(all.peers, peer.text, &RulePeer::text) != all.peers.end();
  });
}

// A row whose every name is in another row, with the same ports: the larger one is asked for, with
// the words of both.
void leave_out_repeated(std::vector<FirewallRule>& rules) {
  for (std::size_t i = 0; i < rules.size();) {
    const auto& part = rules[i];
    auto* whole = first_that(
        rules, [&](const FirewallRule& other) { return &other != &part && holds(other, part); });
    if (whole == nullptr) {
      ++i;
      continue;
    }
    whole->severity = std::min(whole->severity, part.severity);
    for (const auto member : {&FirewallRule::requirements, &FirewallRule::titles,
                              &FirewallRule::purposes, &FirewallRule::sources}) {
      std::vector<std::string> all = part.*member;  // what asks for less is what people miss first
      add_new(all, whole->*member);
      whole->*member = std::move(all);
    }
    rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

// The probes of a row by their results.
struct RowSeen {
  Probes lost, open, unresolved;
};

RowSeen seen_of(const Probes& probes, const std::set<const ProbeResult*>& lost) {
  RowSeen seen;
  for (const auto* result : probes) {
    const auto outcome = result->observation.outcome;
    if (lost.contains(result)) {
      seen.lost.push_back(result);
    } else if (reached(outcome)) {
      seen.open.push_back(result);
    } else if (outcome == Outcome::unresolved) {
      seen.unresolved.push_back(result);
    }
  }
  return seen;
}

// The rule's ports that are closed wherever they lead: by what the cause closes, or since they are
// the ports that it is about and nothing of the row was reached there.
std::vector<PortRange> closed_everywhere(const FirewallRule& rule, const RowSeen& seen,
                                         const Probes& lost, FindingCode code, Closes closes) {
  std::vector<PortRange> ports;
  if (!rule.transport || rule.direction == Direction::in) return ports;
  const auto about = [&](const PortRange& range) {
    return std::ranges::any_of(lost, [&](const ProbeResult* result) {
      const auto closed = closed_ports(*result);
      if (!is_alike(rule, *result) || !closed || !closed->overlaps(range)) return false;
      const PortRange both{std::max(closed->first, range.first),
                           std::min(closed->last, range.last)};
      return std::ranges::none_of(seen.open, [&](const ProbeResult* other) {
        return is_alike(rule, *other) && is_open_in(*other, both);
      });
    });
  };
  for (const auto& range : rule.ports) {
    const bool its = has(code, FindingTrait::by_port) && about(range);
    if (its || closes_all_of(closes, *rule.transport, range)) ports.push_back(range);
  }
  return ports;
}

}  // namespace

std::vector<FirewallRule> rules_to_allow(const findings::Facts& facts, const Probes& lost,
                                         FindingCode code, Closes closes) {
  const std::set<const ProbeResult*> lost_ones(lost.begin(), lost.end());
  std::vector<FirewallRule> rules;
  for (const auto& row : rows_of(facts.report.sets)) {
    const auto seen = seen_of(facts.probes_of(row), lost_ones);
    // `other` stands for every code that this edition does not know: it names no cause.
    const bool untried = code != FindingCode::other && row.closed_by == code;
    if (seen.lost.empty() && seen.unresolved.empty() && !untried) continue;
    // A flow to one host: the row's others, of which none was tried, may be open.
    const bool one_flow =
        code == FindingCode::firewall_flow_blocked && findings::hosts_of(seen.lost).size() == 1;
    for (const auto& rule : row.rules) {
      if (!is_whole(rule)) continue;
      const bool open = any_is_alike(rule, seen.open);
      const bool closed = untried || any_is_alike(rule, seen.lost);
      if (closed && !open && !one_flow) {
        add_rule(rules, rule);
        continue;
      }
      const bool unresolved = !open && any_is_alike(rule, seen.unresolved);
      if (!closed && !unresolved) continue;
      auto part = rule;
      part.ports = closed_everywhere(rule, seen, lost, code, closes);
      if (!part.ports.empty()) {
        add_rule(rules, std::move(part));
      } else if (closed) {
        std::vector<const Target*> targets;
        for (const auto* result : seen.lost) targets.push_back(&result->probe.target);
        add_rule(rules, part_of(rule, targets));
      }
    }
  }
  leave_out_repeated(rules);
  return rules;
}

bool has_rules(const findings::Facts& facts) {
  return std::ranges::any_of(rows_of(facts.report.sets),
                             [](const RequirementResult& row) { return !row.rules.empty(); });
}

}  // namespace callready
