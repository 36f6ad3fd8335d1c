// The rules to request from a firewall team, from target sets: what `callready firewall` prints.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/firewall_rule.hpp"
#include "probe/model/report.hpp"
#include "probe/model/target_set.hpp"
#include "reports/format.hpp"

namespace callready {

// True for the customer's own servers: PBX, gateway, DNS servers.
bool stays_at_home(const RulePeer& peer);
// True if it leads only to these.
bool stays_at_home(const FirewallRule& rule);

struct FirewallList {
  std::string set, title, edition, document, url, published, verified;
  SourceQuality evidence = SourceQuality::vendor_page;
  std::string evidence_note;
  std::string too_old;                 // in words; empty if neither the list nor its document is
  std::vector<std::string> needed_by;  // titles of the sets that depend on this one
  std::vector<std::string> scenarios;  // titles of those included in the list
  std::vector<std::string> others;     // "ID (title)" of those not included
  // Grouped by direction, vantage and whose the far end is: groups with something required first;
  // within a group by severity.
  std::vector<FirewallRule> rules;
  // What the document asks for without naming both ends or the ports: not a rule "any to any", but
  // for the customer to complete.
  std::vector<FirewallRule> unfinished;
  std::vector<FirewallRule> removed;  // from the document's past: rules that can be deleted
  std::size_t not_required = 0;       // rows left out by `required_only`
};

struct FirewallOptions {
  std::vector<std::string> scenarios;  // the active ones
  std::string client;                  // only rules for this client or for any client
  std::vector<std::string> regions;    // only destinations in these regions or in none
  bool required_only = false;          // neither recommended nor optional rows
  // Only what this report has not seen open: whole rules of which nothing was reached, and the
  // unreached endpoints of the others. nullptr: everything.
  const SetResult* missing = nullptr;
  std::span<const ProbeResult> probes;  // of the report
  std::span<const Finding> findings;    // of the report: what they ask for is missing, tried or not
  std::string today;                    // YYYY-MM-DD; empty: nothing counts as too old
};

// A set that is not among those here, as far as the report has it: its rows, with their rules.
// Nothing if the report is from before these were in it.
std::optional<TargetSet> set_of_report(const SetResult& seen);
// Adds the rows that the run took from sets that `set` does not need here: a sign-in of one's own.
void add_rows_of_report(TargetSet& set, const SetResult& seen);

// The rules of `set`, its variables filled in as far as they have values. Without rows that come
// from other sets.
FirewallList firewall_rules(const TargetSet& set, const FirewallOptions& options);

// Adds a list for the set, if it has rows of its own, and one for each set that it depends on. If
// `lists` has the latter already, because another set depends on it too, the two are merged.
void add_firewall_lists(std::vector<FirewallList>& lists, const TargetSet& set,
                        const FirewallOptions& options);

// What a format gets in addition to the rules.
struct FirewallPage {
  RenderOptions page;
  std::string date;           // YYYY-MM-DD, of writing; empty: not stated
  bool only_missing = false;  // the rules are what a report did not see open
  std::string nft_table = "inet filter", nft_chain = "forward";  // the customer's own
};

// One row in the table of formats: what --format takes.
struct FirewallFormat {
  std::string_view name, description;
  std::string (*render)(const std::vector<FirewallList>&, const FirewallPage&);
  bool for_devices = false;  // a device can load it
  bool no_comments = false;  // devices accept no comments in it: the notes on a file go elsewhere
};
std::span<const FirewallFormat> firewall_formats();
const FirewallFormat* find_firewall_format(std::string_view name);

// The whole list, for people to read.
std::string firewall_text(const std::vector<FirewallList>&, const FirewallPage&);
std::string firewall_markdown(const std::vector<FirewallList>&, const FirewallPage&);
// One row per rule and peer.
std::string firewall_csv(const std::vector<FirewallList>&, const FirewallPage&);
std::string firewall_json(const std::vector<FirewallList>&, const FirewallPage&);

// What no format for devices can express, in words, rule by rule: what only the customer knows,
// service tags, and patterns such as "files-*.example.com".
std::vector<std::string> left_to_the_customer(const std::vector<FirewallList>& lists);
// The same, and what else is left out: unfinished rules, scenarios that are not active, rows that
// are not required.
std::vector<std::string> left_out_of(const std::vector<FirewallList>& lists);

// The name of a rule's list of peers in every format: "rainbow-3". Rules with the same peers share
// the first one's.
std::string list_name(const FirewallList& list, std::size_t number);
std::size_t list_owner(const FirewallList& list, const FirewallRule& rule);  // counted from 1

// More peers than this do not fit on a line and get a list of their own.
inline constexpr std::size_t few_in_a_line = 4;

// Why to double-check the whole list, in words: it is second-hand, or old.
std::vector<std::string> doubts_of(const FirewallList& list);

// "Network Requirements, published 2026-05"; "Network Requirements, undated".
std::string document_and_date(const FirewallList& list);

// "From PC, phone to the Internet"
std::string group_title(const FirewallRule& rule);
// "optional feature; or through the web proxy": how it has to be allowed.
std::string how_to_allow(const FirewallRule& rule);

}  // namespace callready
