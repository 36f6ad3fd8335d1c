// The rules to ask a firewall team for, from target sets: what `callready firewall` prints.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/firewall_rule.hpp"
#include "probe/model/report.hpp"
#include "probe/model/target_set.hpp"
#include "reports/format.hpp"

namespace callready {

// True where it leads to the customer's own servers only: PBX, gateway, DNS servers.
bool stays_at_home(const FirewallRule& rule);

struct FirewallList {
  std::string set, title, edition, document, url, published, verified;
  SourceQuality evidence = SourceQuality::vendor_page;
  std::string evidence_note;
  std::string too_old;                 // in words, where the list or its document is; else empty
  std::vector<std::string> needed_by;  // titles of the sets that lean on this one
  std::vector<std::string> scenarios;  // titles of those that are in the list
  std::vector<std::string> others;     // "ID (title)" of those that are not
  // By direction, vantage and whose the far end is: groups with something required first; in a
  // group by severity.
  std::vector<FirewallRule> rules;
  // What the document asks for without saying from where to where, or by which port: no rule "any
  // to any", but for the customer to fill in.
  std::vector<FirewallRule> unfinished;
  std::vector<FirewallRule> removed;  // of the document's past: rules that can be deleted
  std::size_t not_required = 0;       // rows that `required_only` left out
};

struct FirewallOptions {
  std::vector<std::string> scenarios;  // the active ones
  std::string client;                  // only rules for this client, or for any
  std::vector<std::string> regions;    // only destinations of these, or of none
  bool required_only = false;          // no recommended and no optional rows
  // Only what this report has not seen open: rules of which nothing was reached whole, of others
  // the endpoints that were not. nullptr: everything.
  const SetResult* missing = nullptr;
  std::span<const ProbeResult> probes;  // of the report
  std::span<const Finding> findings;    // of the report: what they ask for is missing, tried or not
  std::string today;                    // YYYY-MM-DD; empty: nothing is too old
};

// `set` with its variables filled in as far as they have values. Without the rows of other sets.
FirewallList firewall_rules(const TargetSet& set, const FirewallOptions& options);

// A list for the set, where it has rows of its own, and one for each that it leans on. What is
// among `lists` already, another set's need of the same rows, becomes one with it.
void add_firewall_lists(std::vector<FirewallList>& lists, const TargetSet& set,
                        const FirewallOptions& options);

// What a form is told beside the rules.
struct FirewallPage {
  RenderOptions page;
  std::string date;           // YYYY-MM-DD, of writing; empty: not said
  bool only_missing = false;  // the rules are what a report did not see open
  std::string nft_table = "inet filter", nft_chain = "forward";  // the customer's own
};

// One row in the table of formats: what --format takes.
struct FirewallFormat {
  std::string_view name, description;
  std::string (*render)(const std::vector<FirewallList>&, const FirewallPage&);
  bool for_devices = false;  // what a device loads
  bool no_comments =
      false;  // a device takes no comment in it: what a file has to say is said aside
};
std::span<const FirewallFormat> firewall_formats();
const FirewallFormat* find_firewall_format(std::string_view name);

// The whole list, to be read.
std::string firewall_text(const std::vector<FirewallList>&, const FirewallPage&);
std::string firewall_markdown(const std::vector<FirewallList>&, const FirewallPage&);
// One row per rule and peer.
std::string firewall_csv(const std::vector<FirewallList>&, const FirewallPage&);
std::string firewall_json(const std::vector<FirewallList>&, const FirewallPage&);

// What none of the formats for devices can hold, in words, rule by rule: what only the customer
// knows, service tags, and patterns such as "files-*.example.com".
std::vector<std::string> left_to_the_customer(const std::vector<FirewallList>& lists);
// The same, and what the options leave out: unfinished rules, scenarios, rows that are not
// required.
std::vector<std::string> left_out_of(const std::vector<FirewallList>& lists);

// What a rule's list of peers is called in every form: "rainbow-3". Rules with the same peers share
// the first one's.
std::string list_name(const FirewallList& list, std::size_t number);
std::size_t list_owner(const FirewallList& list, const FirewallRule& rule);  // counted from 1

// More peers than these do not fit into a line: they get a list of their own.
inline constexpr std::size_t few_in_a_line = 4;

// Why to look twice at the whole list: it is second-hand, or old. In words.
std::vector<std::string> doubts_of(const FirewallList& list);

// "Network Requirements, published 2026-05"; "Network Requirements, undated".
std::string document_and_date(const FirewallList& list);

// "From PC, phone to the Internet"
std::string group_title(const FirewallRule& rule);
// "optional feature; or through the web proxy": how it has to be allowed.
std::string how_to_allow(const FirewallRule& rule);

}  // namespace callready
