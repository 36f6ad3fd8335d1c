// What a firewall or a proxy has to let through, as the vendor's document has it: the rows of a set
// as rules. Pure; `callready firewall` prints them, and findings name those that are closed.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "probe/model/probe.hpp"
#include "probe/model/target_set.hpp"
#include "probe/model/text.hpp"

namespace callready {

// `yours`: only the customer knows it, and has not said it ("your PBX (yours: --var pbx=...)").
enum class PeerKind { name, wildcard, address, network, range, service_tag, yours };
template <>
std::span<const Word<PeerKind>> words();

// One entry of the far end: where the traffic goes to, or for inbound rules where it comes from.
struct RulePeer {
  std::string text;  // "turn.example.com", "192.0.2.0/24"
  PeerKind kind = PeerKind::name;
  std::string region, note;
  Lifecycle lifecycle = Lifecycle::current;
};

// What a report says about a rule.
enum class RuleState { not_asked, closed, not_proved_open };

// Rows that differ only in their peers are one rule.
struct FirewallRule {
  std::string set;  // id of the set that has these rows
  std::vector<std::string> requirements, titles, purposes, sources, clients, notes, conditions;
  Severity severity = Severity::required;
  Direction direction = Direction::out;
  Lifecycle lifecycle = Lifecycle::current;
  AllowBy allow_by = AllowBy::either;
  ProxyUse proxy = ProxyUse::never;
  SourceQuality evidence = SourceQuality::vendor_page;  // how good the rows' text is
  std::vector<Vantage> vantages;        // where the traffic starts (in: ends); empty: any device
  std::optional<Transport> transport;   // nothing: not given, or the customer's to choose
  std::string your_transport;           // in words, where it is the customer's to choose
  std::vector<PortRange> source_ports;  // empty: any
  std::vector<PortRange> ports;         // of the destination
  std::vector<std::string> your_ports;  // in words
  std::vector<RulePeer> peers;
  // Titles of the rows that it stands in for where they cannot be opened; empty: no fallback.
  std::vector<std::string> fallback_for;
  std::vector<std::string> remarks;  // why part of it is missing
  RuleState state = RuleState::not_asked;
  bool at_home = false;  // in a list for a firewall: it leads only to the customer's own servers
};

// True if the rule can be entered in a firewall: it has a far end, a transport and ports, or says
// that the customer fills these in. What the document leaves open must not become "any to any".
bool is_whole(const FirewallRule& rule);

// "UDP", "TCP", "TCP (TLS)", "any".
std::string protocol_in_words(const FirewallRule& rule);
// Without what TCP carries.
std::string protocol_in_short(const FirewallRule& rule);
// "443, 5000-5100"; "any" for none.
std::string ports_in_words(const FirewallRule& rule);
std::string source_ports_in_words(const FirewallRule& rule);
// "8 names, 1 wildcard".
Text peers_counted(const FirewallRule& rule);
// "UDP 3478 to 27 names (TURN servers over UDP); UDP 53 and TCP 80, 443 to www.example.com": a few
// peers are named. Many rules are summed up by their ports: "for rainbow: UDP 3478, 49152-65535 and
// TCP 5223; for zoom: UDP 8801-8810 (9 rules from the vendors' documentation)".
Text in_short(const std::vector<FirewallRule>& rules);
// True where in_short only counts peers, or names none.
bool is_cut_short(const std::vector<FirewallRule>& rules);

// A row's rules, one for each protocol; none for a row that only measures (NAT, SIP ALG), whose
// servers belong to no vendor. `scenarios`: the active ones, for `fallback_for`; `regions`: only
// peers of these regions, or of none; empty: all.
std::vector<FirewallRule> rules_of(const TargetSet& set, const Requirement& row,
                                   const std::vector<std::string>& scenarios,
                                   const std::vector<std::string>& regions = {});

// Merges many rules: those that differ only in their peers become one.
class RuleMerger {
 public:
  explicit RuleMerger(std::vector<FirewallRule> rules = {}) : rules_(std::move(rules)) {}
  void add(FirewallRule rule);
  std::vector<FirewallRule> take() && { return std::move(rules_); }

 private:
  std::vector<FirewallRule> rules_;
  // The texts of a rule's peers, once something has been added to it: a set has thousands.
  std::map<std::size_t, std::set<std::string>> peers_;
};

// Adds one rule as a RuleMerger would.
void add_rule(std::vector<FirewallRule>& rules, FirewallRule rule);

// The part of the rule that these endpoints belong to: whole entries of the document, never a
// single address or port sampled from one. The whole rule if none of them fits.
FirewallRule part_of(const FirewallRule& rule, const std::vector<const Target*>& endpoints);

}  // namespace callready
