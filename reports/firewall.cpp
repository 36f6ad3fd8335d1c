#include "reports/firewall.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace callready {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

void add_once(std::vector<std::string>& list, const std::string& item) {
  if (!item.empty() && !contains(list, item)) list.push_back(item);
}

// Not the vendor's traffic, but ours: what the program asks of others to learn about the site.
bool only_measures(const Requirement& row) {
  return row.check == CheckKind::nat || row.check == CheckKind::sip_alg;
}

bool selected(const Requirement& row, const FirewallOptions& options) {
  if (only_measures(row)) return false;
  const bool active =
      row.scenarios.empty() ||
      std::any_of(row.scenarios.begin(), row.scenarios.end(),
                  [&](const auto& scenario) { return contains(options.scenarios, scenario); });
  return active &&
         (options.client.empty() || row.clients.empty() || contains(row.clients, options.client));
}

bool active(const Capability& capability, const FirewallOptions& options) {
  const auto& own = capability.scenarios;
  return own.empty() || std::any_of(own.begin(), own.end(), [&](const auto& scenario) {
           return contains(options.scenarios, scenario);
         });
}

// Titles of what the row stands in for, where all that need it have it as a fallback.
std::vector<std::string> fallback_for(const TargetSet& set, const Requirement& row,
                                      const FirewallOptions& options) {
  std::vector<std::string> titles;
  for (const auto& capability : set.capabilities) {
    if (!active(capability, options)) continue;
    for (const auto& need : capability.needs) {
      for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
        if (!contains(need.alternatives[i], row.id)) continue;
        if (!need.is_fallback(i)) return {};
        for (const auto& first : need.alternatives.front()) {
          const auto* wanted = set.find_requirement(first);
          if (wanted != nullptr && wanted->id != row.id) add_once(titles, wanted->title);
        }
      }
    }
  }
  return titles;
}

// "${pbx}" as "your PBX address (--var pbx)": what nobody but the customer can fill in.
std::string in_words(const TargetSet& set, const std::string& text) {
  for (const auto& variable : set.variables) {
    if (text.find("${" + variable.name + '}') == std::string::npos) continue;
    auto title = variable.title;
    if (title.empty()) title = variable.name;
    return fmt::format("{} (yours: --var {}=...)", title, variable.name);
  }
  return text;
}

class Destinations {
 public:
  Destinations(const TargetSet& set, const FirewallOptions& options)
      : set_(set), options_(options) {}

  std::vector<FirewallDestination> of(const Requirement& row) {
    all_.clear();
    if (row.check == CheckKind::dns && !row.with.contains("server")) {
      // Its hosts are the names to ask for.
      all_.push_back({"your DNS servers", "yours", "", "", Lifecycle::current});
      return all_;
    }
    for (const auto& host : row.hosts) add_host(host, "name");
    for (const auto& wildcard : row.wildcards) {
      add(wildcard.pattern, "wildcard", "", "", Lifecycle::current);
    }
    static constexpr const char* kinds[] = {"address", "network", "range"};
    for (const auto& block : row.addresses) {
      add(block.to_string(), kinds[block.value.index()], block.region, block.note, block.lifecycle);
    }
    for (const auto& block : row.variable_addresses) {
      add(in_words(set_, block.text), "yours", block.region, block.note, block.lifecycle);
    }
    for (const auto& tag : row.service_tags) {
      add(tag, "service_tag", "", "", Lifecycle::current);
    }
    return all_;
  }

 private:
  void add_host(const Host& host, const char* kind) {
    const bool variable = host.name.find("${") != std::string::npos;
    add(in_words(set_, host.name), variable ? "yours" : kind, host.region, host.note,
        host.lifecycle);
  }

  void add(const std::string& text, const std::string& kind, const std::string& region,
           const std::string& note, Lifecycle lifecycle) {
    const auto& regions = options_.regions;
    const bool chosen = regions.empty() || region.empty() || contains(regions, region);
    if (chosen) all_.push_back({text, kind, region, note, lifecycle});
  }

  const TargetSet& set_;
  const FirewallOptions& options_;
  std::vector<FirewallDestination> all_;
};

// What a report says of a row: nothing of it was reached, or some endpoints were not.
struct Closed {
  bool whole = false;
  bool proved = false;          // something said no, or died where others passed
  std::set<std::string> hosts;  // not reached
  std::set<PortRange> ports;    // of these
  std::set<Transport> transports;
};

std::optional<Closed> closed_part(const Requirement& row, const FirewallOptions& options) {
  const auto result =
      std::find_if(options.missing->requirements.begin(), options.missing->requirements.end(),
                   [&](const RequirementResult& known) { return known.id == row.id; });
  if (result == options.missing->requirements.end()) return std::nullopt;
  Closed closed;
  std::set<std::string> open_hosts;
  bool any_open = false;
  for (const auto& probe : options.probes) {
    const auto& outcome = probe.observation.outcome;
    const auto& target = probe.probe.target;
    if (!contains(result->probes, probe.probe.id) || !target.route.direct()) continue;
    if (outcome == Outcome::skipped || outcome == Outcome::unresolved) continue;
    if (reached(outcome)) {
      any_open = true;
      continue;
    }
    // The far end's own refusal, and what broke after the connection, is no firewall's.
    const bool got_there = outcome == Outcome::refused || outcome == Outcome::denied;
    if (got_there) continue;
    closed.hosts.insert(target.host);
    closed.ports.insert(target.ports);
    closed.transports.insert(target.transport);
    closed.proved |= outcome == Outcome::rejected || outcome == Outcome::failed ||
                     is_dropped(probe.observation.detail) || result->status == Status::fail;
  }
  if (closed.hosts.empty()) return std::nullopt;
  closed.whole = !any_open;
  return closed;
}

std::string protocol_of(Transport transport, const Requirement& row) {
  if (transport == Transport::udp) return "UDP";
  // The same ports by TCP and by TLS are one line to a firewall.
  const auto& all = row.transports;
  const bool plain = std::find(all.begin(), all.end(), Transport::tcp) != all.end();
  return plain ? "TCP" : "TCP (TLS)";
}

// A row's lines, one for each protocol.
std::vector<FirewallRule> rules_of(const TargetSet& set, const Requirement& row,
                                   const FirewallOptions& options) {
  FirewallRule rule;
  rule.requirements = {row.id};
  rule.titles = {row.title};
  add_once(rule.purposes, row.purpose);
  rule.sources = {row.source};
  rule.clients = row.clients;
  add_once(rule.notes, row.note);
  rule.conditions = row.conditions;
  rule.severity = row.severity;
  rule.direction = row.direction;
  rule.lifecycle = row.lifecycle;
  rule.allow_by = row.allow_by;
  rule.proxy = row.proxy;
  for (const auto vantage : row.vantages) rule.vantages.emplace_back(to_string(vantage));
  for (const auto& range : row.source_ports) rule.source_ports.push_back(range.to_string());
  for (const auto& range : row.ports) rule.ports.push_back(range.to_string());
  for (const auto& text : row.variable_ports) rule.ports.push_back(in_words(set, text));
  rule.destinations = Destinations(set, options).of(row);
  rule.fallback_for = fallback_for(set, row, options);
  if (rule.destinations.empty()) add_once(rule.remarks, row.unprobed);
  std::vector<std::string> protocols;
  for (const auto transport : row.transports) add_once(protocols, protocol_of(transport, row));
  for (const auto& text : row.variable_transports) add_once(protocols, in_words(set, text));
  if (options.missing != nullptr) {
    const auto closed = closed_part(row, options);
    if (!closed) return {};
    rule.state = closed->proved ? "closed" : "not proved open";
    protocols.clear();
    for (const auto transport : closed->transports) {
      add_once(protocols, protocol_of(transport, row));
    }
    if (!closed->whole) {
      rule.destinations.clear();
      for (const auto& host : closed->hosts) {
        const char* kind = IpAddress::parse(host) ? "address" : "name";
        rule.destinations.push_back({host, kind, "", "", Lifecycle::current});
      }
      rule.ports.clear();
      for (const auto& range : closed->ports) rule.ports.push_back(range.to_string());
    }
  }
  if (protocols.empty()) protocols.emplace_back("any");
  std::vector<FirewallRule> rules;
  for (auto& protocol : protocols) {
    rules.push_back(rule);
    rules.back().protocol = std::move(protocol);
  }
  return rules;
}

auto key_of(const FirewallRule& rule) {
  return std::tie(rule.direction, rule.vantages, rule.protocol, rule.source_ports, rule.ports,
                  rule.severity, rule.lifecycle, rule.allow_by, rule.proxy, rule.fallback_for,
                  rule.state);
}

void merge(FirewallRule& into, const FirewallRule& from) {
  for (const auto& id : from.requirements) add_once(into.requirements, id);
  for (const auto& title : from.titles) add_once(into.titles, title);
  for (const auto& purpose : from.purposes) add_once(into.purposes, purpose);
  for (const auto& source : from.sources) add_once(into.sources, source);
  for (const auto& note : from.notes) add_once(into.notes, note);
  for (const auto& remark : from.remarks) add_once(into.remarks, remark);
  for (const auto& condition : from.conditions) add_once(into.conditions, condition);
  // A row for any client makes the whole rule one for any.
  if (into.clients.empty() || from.clients.empty()) {
    into.clients.clear();
  } else {
    for (const auto& client : from.clients) add_once(into.clients, client);
  }
  for (const auto& destination : from.destinations) {
    const bool known = std::any_of(into.destinations.begin(), into.destinations.end(),
                                   [&](const auto& one) { return one.text == destination.text; });
    if (!known) into.destinations.push_back(destination);
  }
}

void add(std::vector<FirewallRule>& rules, FirewallRule rule) {
  for (auto& known : rules) {
    // "Any destination" is a rule of its own: merged, it would swallow the list or vanish in it.
    const bool both_any = known.destinations.empty() == rule.destinations.empty();
    if (both_any && key_of(known) == key_of(rule)) {
      merge(known, rule);
      return;
    }
  }
  rules.push_back(std::move(rule));
}

// What people cannot do without comes first, and otherwise the document's order stays.
void sort_by_group(std::vector<FirewallRule>& rules) {
  using Group = std::tuple<Direction, std::vector<std::string>, bool>;
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

}  // namespace

bool stays_at_home(const FirewallRule& rule) {
  const auto& all = rule.destinations;
  return !all.empty() && std::all_of(all.begin(), all.end(), [](const auto& destination) {
    const auto address = IpAddress::parse(destination.text);  // a variable with its value
    return destination.kind == "yours" || (address && address->is_private());
  });
}

FirewallList firewall_rules(const TargetSet& set, const FirewallOptions& options) {
  FirewallList list;
  list.set = set.id;
  list.title = set.title;
  list.edition = set.edition;
  list.document = set.document;
  list.url = set.url;
  list.published = set.published;
  list.verified = set.verified;
  for (const auto& scenario : set.scenarios) {
    if (contains(options.scenarios, scenario.id)) {
      list.scenarios.push_back(scenario.title);
    } else {
      list.others.push_back(fmt::format("{} ({})", scenario.id, scenario.title));
    }
  }
  for (const auto& row : set.requirements) {
    if (!selected(row, options)) continue;
    const bool past = row.lifecycle == Lifecycle::removed;
    if (past && options.missing != nullptr) continue;
    for (auto& rule : rules_of(set, row, options)) {
      add(past ? list.removed : list.rules, std::move(rule));
    }
  }
  sort_by_group(list.rules);
  return list;
}

}  // namespace callready
