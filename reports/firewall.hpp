// The rules to ask a firewall team for, from target sets: what `callready firewall` prints.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/report.hpp"
#include "probe/model/target_set.hpp"

namespace callready {

struct FirewallDestination {
  std::string text;  // "turn.example.com", "192.0.2.0/24", "your PBX (--var pbx)"
  std::string kind;  // name, wildcard, address, network, range, service_tag, yours, any
  std::string region, note;
  Lifecycle lifecycle = Lifecycle::current;
};

// One rule, or one line of a form: rows of the set that differ in their destinations only are one.
struct FirewallRule {
  std::vector<std::string> requirements, titles, purposes, sources, clients, notes, conditions;
  Severity severity = Severity::required;
  Direction direction = Direction::out;
  Lifecycle lifecycle = Lifecycle::current;
  AllowBy allow_by = AllowBy::either;
  ProxyUse proxy = ProxyUse::never;
  std::vector<std::string> vantages;      // where the traffic starts (in: ends); empty: any device
  std::string protocol;                   // "UDP", "TCP", "TCP (TLS)"; "any" where not given
  std::vector<std::string> source_ports;  // empty: any
  std::vector<std::string> ports;         // empty: any
  std::vector<FirewallDestination> destinations;  // in: the sources; empty: any
  // Titles of the rows that it stands in for where they cannot be opened; empty: no fallback.
  std::vector<std::string> fallback_for;
  std::vector<std::string> remarks;  // why there is no destination
  // What a report says of it: "closed", "not proved open"; empty where no report was asked.
  std::string state;
};

// True where it leads to the customer's own servers only: PBX, gateway, DNS servers.
bool stays_at_home(const FirewallRule& rule);

struct FirewallList {
  std::string set, title, edition, document, url, published, verified;
  std::vector<std::string> scenarios;  // titles of those that are in the list
  std::vector<std::string> others;     // "ID (title)" of those that are not
  // By direction, vantage and whose the far end is: groups with something required first; in a
  // group by severity.
  std::vector<FirewallRule> rules;
  std::vector<FirewallRule> removed;  // of the document's past: rules that can be deleted
};

struct FirewallOptions {
  std::vector<std::string> scenarios;  // the active ones
  std::string client;                  // only rules for this client, or for any
  std::vector<std::string> regions;    // only destinations of these, or of none
  // Only what this report has not seen open: rules of which nothing was reached whole, of others
  // the endpoints that were not. nullptr: everything.
  const SetResult* missing = nullptr;
  std::span<const ProbeResult> probes;  // of the report
};

// `set` with its variables filled in as far as they have values.
FirewallList firewall_rules(const TargetSet& set, const FirewallOptions& options);

std::string firewall_markdown(const std::vector<FirewallList>& lists);
// One row per rule and destination.
std::string firewall_csv(const std::vector<FirewallList>& lists);
std::string firewall_json(const std::vector<FirewallList>& lists);

}  // namespace callready
