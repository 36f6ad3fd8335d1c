#include "reports/firewall/firewall.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "probe/model/set_age.hpp"
#include "probe/util/text.hpp"
#include "reports/words/path_flows.hpp"

namespace callready {
namespace {

bool selected(const Requirement& row, const FirewallOptions& options) {
  const bool active =
      row.scenarios.empty() ||
      std::ranges::find_first_of(row.scenarios, options.scenarios) != row.scenarios.end();
  return active &&
         (options.client.empty() || row.clients.empty() || contains(row.clients, options.client));
}

// The part of a row that a report did not see open over one transport, by the direct route.
struct Closed {
  std::vector<const Target*> endpoints;
  bool open = false;    // others were reached
  bool proved = false;  // something was rejected, or dropped where others passed
};

struct ClosedRow {
  Closed udp, tcp;
  bool fails_in_silence = false;  // it fails, and nothing that was tried says why
};

ClosedRow closed_part(const Requirement& row, const FirewallOptions& options) {
  ClosedRow parts;
  const auto* result = find_by_id(options.missing->requirements, row.id);
  if (result == nullptr) return parts;
  parts.fails_in_silence = result->status == Status::fail;
  for (const auto& probe : options.probes) {
    const auto& outcome = probe.observation.outcome;
    const auto& target = probe.probe.target;
    if (!contains(result->probes, probe.probe.id) || !target.route.direct()) continue;
    if (outcome == Outcome::skipped) continue;
    auto& closed = target.transport == Transport::udp ? parts.udp : parts.tcp;
    if (reached(outcome)) {
      closed.open = true;
      continue;
    }
    const bool dropped = is_dropped(probe.observation.detail);
    if (outcome != Outcome::silent || dropped) parts.fails_in_silence = false;
    if (outcome == Outcome::unresolved) continue;
    // A refusal or a failure by the far end itself is not the firewall's, and what is inspected
    // gets out.
    const bool got_there = outcome == Outcome::refused || outcome == Outcome::denied ||
                           std::ranges::count(probe.observation.evidence, EvidenceKind::certificate,
                                              &Evidence::kind) > 0 ||
                           (outcome == Outcome::failed && said_by_the_server(probe.observation));
    if (got_there || probe.observation.detail == DetailCode::kept_here) continue;
    closed.endpoints.push_back(&target);
    closed.proved |= outcome == Outcome::rejected || outcome == Outcome::failed || dropped;
  }
  return parts;
}

// The part of the rule that findings ask to open: what a cause closes has to be opened, tried or
// not.
struct Asked {
  std::set<std::string> peers;
  std::set<PortRange> ports;
};

Asked asked_part(const FirewallRule& rule, const FirewallOptions& options) {
  Asked asked;
  for (const auto& finding : options.findings) {
    // Inspected traffic got through all the same, and the vendor cannot change this site's rules.
    if (family_of(finding.code) != "firewall" || finding.owner == Owner::vendor) continue;
    for (const auto& wanted : finding.rules) {
      const bool same_way =
          wanted.set == rule.set && wanted.direction == rule.direction && wanted.transport &&
          rule.transport &&
          (*wanted.transport == Transport::udp) == (*rule.transport == Transport::udp);
      if (!same_way || !contains(wanted.requirements, rule.requirements.front())) continue;
      for (const auto& peer : wanted.peers) asked.peers.insert(peer.text);
      asked.ports.insert(wanted.ports.begin(), wanted.ports.end());
    }
  }
  return asked;
}

// What `part` or `asked` contains of the rule, in the document's order.
FirewallRule widened(const FirewallRule& rule, const FirewallRule& part, const Asked& asked) {
  auto both = rule;
  std::erase_if(both.peers, [&](const RulePeer& peer) {
    return !asked.peers.contains(peer.text) &&
           std::ranges::find(part.peers, peer.text, &RulePeer::text) == part.peers.end();
  });
  std::erase_if(both.ports, [&](const PortRange& range) {
    return !asked.ports.contains(range) && !contains(part.ports, range);
  });
  return both.peers.empty() || both.ports.empty() ? part : both;
}

bool is_filled_in(const FirewallRule& rule) {
  return is_whole(rule) && rule.your_transport.empty() && rule.your_ports.empty() &&
         std::ranges::count(rule.peers, PeerKind::yours, &RulePeer::kind) == 0;
}

// The row's rules, or the missing parts of them: whole rules if nothing was reached.
std::vector<FirewallRule> wanted_rules(const TargetSet& set, const Requirement& row,
                                       const FirewallOptions& options) {
  auto rules = rules_of(set, row, options.scenarios, options.regions);
  if (options.missing == nullptr) return rules;
  // What is not known here, the report may have: values of variables, a set of somebody else's own.
  const auto* seen = find_by_id(options.missing->requirements, row.id);
  if (seen != nullptr && !seen->rules.empty() && !std::ranges::all_of(rules, is_filled_in)) {
    rules = seen->rules;
    for (auto& rule : rules) {
      rule.requirements = {row.id};
      rule.titles = {row.title};
    }
  }
  std::erase_if(rules, [](const FirewallRule& rule) { return !rule.transport; });
  const auto row_seen = closed_part(row, options);
  std::vector<Asked> asked_for;
  for (const auto& rule : rules) asked_for.push_back(asked_part(rule, options));
  // A failing row does not say which transport is to blame, but a finding that asks for one does.
  const bool all_fail =
      row_seen.fails_in_silence &&
      std::ranges::all_of(asked_for, [](const Asked& asked) { return asked.peers.empty(); });
  std::vector<FirewallRule> missing;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& rule = rules[i];
    const auto& asked = asked_for[i];
    const auto& closed = *rule.transport == Transport::udp ? row_seen.udp : row_seen.tcp;
    auto part = rule;
    if (closed.endpoints.empty()) {
      if (asked.peers.empty()) continue;
      part.peers.clear();
      part.ports.clear();
    } else if (closed.open) {
      part = part_of(rule, closed.endpoints);
    }
    if (!asked.peers.empty()) part = widened(rule, part, asked);
    if (part.peers.empty()) continue;
    part.state = closed.proved || all_fail || !asked.peers.empty() ? RuleState::closed
                                                                   : RuleState::not_proved_open;
    missing.push_back(std::move(part));
  }
  return missing;
}

// What people cannot do without comes first; otherwise keeps the document's order.
void sort_by_group(std::vector<FirewallRule>& rules) {
  using Group = std::tuple<Direction, std::vector<Vantage>, bool>;
  const auto group_of = [](const FirewallRule& rule) {
    return Group(rule.direction, rule.vantages, stays_at_home(rule));
  };
  std::map<Group, std::pair<Severity, std::size_t>> rank;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto severity = rules[i].severity;
    const auto [at, added] = rank.try_emplace(group_of(rules[i]), severity, i);
    if (!added) at->second.first = std::min(at->second.first, severity);
  }
  const auto place = [&](const FirewallRule& rule) {
    return std::tuple(rule.direction, rank.at(group_of(rule)), rule.severity);
  };
  std::stable_sort(rules.begin(), rules.end(), [&](const FirewallRule& a, const FirewallRule& b) {
    return place(a) < place(b);
  });
}

// The rows of `set` that come from `head`: the set itself, or one that it depends on.
FirewallList rules_of_set(const TargetSet& set, const SetHead& head,
                          const FirewallOptions& options) {
  FirewallList list;
  list.set = head.id;
  list.title = head.title;
  list.edition = head.edition;
  list.document = head.document;
  list.url = head.url;
  list.published = head.published;
  list.verified = head.verified;
  list.evidence = head.evidence;
  list.evidence_note = head.evidence_note;
  list.too_old = staleness(head, options.today);
  RuleMerger rules, unfinished, removed;
  for (const auto& row : set.requirements) {
    if (set.head_of(row).id != head.id || !selected(row, options)) continue;
    const bool past = row.lifecycle == Lifecycle::removed;
    if (past && options.missing != nullptr) continue;
    auto wanted = wanted_rules(set, row, options);
    if (options.required_only && !past && row.severity != Severity::required) {
      if (!wanted.empty()) ++list.not_required;
      continue;
    }
    for (auto& rule : wanted) {
      auto& place = past ? removed : is_whole(rule) ? rules : unfinished;
      rule.at_home = stays_at_home(rule);
      place.add(std::move(rule));
    }
  }
  list.rules = std::move(rules).take();
  list.unfinished = std::move(unfinished).take();
  list.removed = std::move(removed).take();
  sort_by_group(list.rules);
  sort_by_group(list.unfinished);
  return list;
}

// A set that two others depend on is listed once.
void unite(std::vector<FirewallList>& lists, FirewallList list) {
  const auto known = std::ranges::find(lists, list.set, &FirewallList::set);
  if (known == lists.end()) return lists.push_back(std::move(list));
  for (const auto member :
       {&FirewallList::rules, &FirewallList::unfinished, &FirewallList::removed}) {
    RuleMerger merger(std::move((*known).*member));
    for (auto& rule : list.*member) merger.add(std::move(rule));
    (*known).*member = std::move(merger).take();
  }
  add_new(known->needed_by, list.needed_by);
  known->not_required = std::max(known->not_required, list.not_required);
  sort_by_group(known->rules);
  sort_by_group(known->unfinished);
}

}  // namespace

bool stays_at_home(const RulePeer& peer) {
  if (peer.kind == PeerKind::yours) return true;
  // A variable with its value, or a group on the site's own network.
  auto address = IpAddress::parse(peer.text);
  if (const auto network = Network::parse(peer.text)) address = network->address;
  if (const auto range = AddressRange::parse(peer.text)) address = range->first;
  return address && (address->is_private() || address->is_multicast());
}

bool stays_at_home(const FirewallRule& rule) {
  return !rule.peers.empty() &&
         std::ranges::all_of(rule.peers, [](const RulePeer& peer) { return stays_at_home(peer); });
}

std::optional<TargetSet> set_of_report(const SetResult& seen) {
  const bool has_rules = std::ranges::any_of(
      seen.requirements, [](const RequirementResult& row) { return !row.rules.empty(); });
  if (!has_rules && seen.sha256.empty()) return std::nullopt;
  TargetSet set;
  static_cast<SetText&>(set) = seen;
  add_rows_of_report(set, seen);
  return set;
}

void add_rows_of_report(TargetSet& set, const SetResult& seen) {
  const auto is_known = [&, heads = set.leans_on](const std::string& id) {
    return (id.empty() && !set.requirements.empty()) || find_by_id(heads, id) != nullptr;
  };
  std::vector<Requirement> rows;
  for (const auto& result : seen.requirements) {
    if (is_known(result.of_set)) continue;
    Requirement row;
    row.id = result.id;
    row.title = result.title;
    row.severity = result.severity;
    row.of_set = result.of_set;
    if (!result.rules.empty()) {
      row.clients = result.rules.front().clients;
      row.lifecycle = result.rules.front().lifecycle;
    }
    rows.push_back(std::move(row));
  }
  append(set.requirements, rows);
  for (const auto& head : seen.leans_on) {
    if (find_by_id(set.leans_on, head.id) == nullptr) set.leans_on.push_back(head);
  }
}

FirewallList firewall_rules(const TargetSet& set, const FirewallOptions& options) {
  auto list = rules_of_set(set, set, options);
  for (const auto& scenario : set.scenarios) {
    const bool has_rows = std::ranges::any_of(set.requirements, [&](const Requirement& row) {
      return contains(row.scenarios, scenario.id);
    });
    // Without rows of its own, it is in every list.
    if (!has_rows || contains(options.scenarios, scenario.id)) {
      list.scenarios.push_back(scenario.title);
    } else {
      list.others.push_back(fmt::format("{} ({})", scenario.id, scenario.title));
    }
  }
  return list;
}

void add_firewall_lists(std::vector<FirewallList>& lists, const TargetSet& set,
                        const FirewallOptions& options) {
  unite(lists, firewall_rules(set, options));
  for (const auto& needed : set.leans_on) {
    auto list = rules_of_set(set, needed, options);
    if (list.rules.empty() && list.unfinished.empty()) continue;
    list.needed_by = {set.title};
    unite(lists, std::move(list));
  }
}

}  // namespace callready
