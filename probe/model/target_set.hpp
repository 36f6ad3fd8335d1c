// A target set: what a vendor's document asks of a network, as facts with their source. Data only:
// targets/ reads it from YAML, probe/plan/plan expands it, reports/ print it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "probe/model/ip.hpp"
#include "probe/model/words.hpp"

namespace callready {

// A position in a file; 1-based, 0 if it came from no file.
struct Position {
  int line = 0, column = 0;
};

struct Scenario {
  std::string id, title;
  bool by_default = false;  // switched on when the user names no scenario
};

struct Region {
  std::string id, title;
};

// What only the customer knows: "sip_server", "hub_address".
struct Variable {
  std::string name, title;
  std::optional<std::string> fallback;  // used where the user gives none
  std::string example;
  bool optional = false;  // not everybody has one: without a value its rows are left out
};

// One host name, as the document prints it or with `${variable}` in it.
struct Host {
  std::string name;
  std::string region;  // empty: none
  Lifecycle lifecycle = Lifecycle::current;
  std::string note;
};

// "*.openrainbow.com": cannot be probed itself; `examples` are names to try in its place.
struct Wildcard {
  std::string pattern;
  std::vector<Host> examples;
};

// Addresses as the document lists them.
struct AddressBlock {
  std::variant<IpAddress, Network, AddressRange> value;
  std::string region;
  Lifecycle lifecycle = Lifecycle::current;
  std::string note;  // for instance the other reading of a row that contradicts itself
  std::string to_string() const;
  bool is_v4() const;
};

// An address that only the customer knows: `text` holds `${variable}` and becomes an address, a
// network or a range when the variable has a value (targets/expand_variables.hpp).
struct VariableAddress {
  std::string text;
  std::string region;
  Lifecycle lifecycle = Lifecycle::current;
  std::string note;
};

// How many of a requirement's endpoints must be reached.
struct Reach {
  enum class Kind { all, any, at_least, nearest } kind = Kind::all;
  int count = 1;  // more only for at_least and nearest
  std::string to_string() const;
};

// The vendor's figures for voice; absent means not given.
struct Thresholds {
  std::optional<double> one_way_delay_ms, jitter_ms, loss_percent, bandwidth_kbps;
  std::optional<double> round_trip_ms, burst_loss_percent, reordering_percent;
};

// What the vendor asks of the line for a capability; absent means not given. `source` says where.
struct MediaQuality : Thresholds {
  // For one call or participant. `bandwidth_kbps` is for both directions, if the text does not tell
  // them apart.
  std::optional<double> bandwidth_up_kbps, bandwidth_down_kbps;
  struct Bandwidth {
    std::string what;  // "HD video": one way to use it
    std::optional<double> up_kbps, down_kbps;
  };
  std::vector<Bandwidth> bandwidths;  // where the text has a figure for each
  std::string dscp;                   // as printed: "EF (46) for audio, AF41 (34) for video"
  std::string source;
};

// One row of the vendor's table.
struct Requirement {
  std::string id, title, purpose, source, note;
  Severity severity = Severity::required;
  Direction direction = Direction::out;
  Lifecycle lifecycle = Lifecycle::current;
  ProxyUse proxy = ProxyUse::never;
  AllowBy allow_by = AllowBy::either;
  std::optional<Priority> priority;
  Reach reach;
  std::vector<std::string> scenarios;  // empty: every scenario
  std::vector<Vantage> vantages;       // empty: any
  std::vector<std::string> clients;    // "web", "desktop"; empty: any
  std::vector<PortRange> source_ports;

  std::optional<CheckKind> check;  // nothing: cannot be probed, see `unprobed`
  std::string unprobed;  // why no probe can test this row; non-empty exactly where `check` is empty
  std::vector<Transport> transports;
  std::vector<PortRange> ports;
  std::map<std::string, std::string> with;  // the check's own parameters; may hold `${variable}`
  // What the customer fills in, as text with `${variable}` in it; besides `transports` and `ports`.
  std::vector<std::string> variable_transports, variable_ports;

  std::vector<Host> hosts;
  std::vector<Host> reverse_dns;  // names given "for reverse DNS only": never connected to
  std::vector<Wildcard> wildcards;
  std::vector<AddressBlock> addresses;
  std::vector<VariableAddress> variable_addresses;
  std::vector<std::string> service_tags;  // "AzureCloud.centralus"
  std::vector<std::string> local_peers;   // at the site itself: "the desktop apps of other users"
  std::string feed;       // the entry of a vendor's feed that `callready import` refreshes it from
  bool listening = true;  // false: the addresses have no known listener; never scanned

  std::vector<std::string> conditions;   // footnotes that cannot be resolved, in our words
  std::vector<std::string> error_texts;  // what users see without it, in the product's own words
  Thresholds thresholds;
  std::optional<SourceQuality> evidence;  // of this row's text; nothing: as the set's
  std::string of_set;  // the id of the set that the row was taken from; empty: its own
  Position position;
};

// What the document says that no probe can test.
struct Advice {
  std::string id, text, source;
  std::vector<std::string> scenarios;
  std::vector<Vantage> vantages;
};

// One thing a capability needs: ordered alternatives, each a list of requirements that must all
// hold. The first is wanted; a later one means `degraded`, unless `equal` says they are equals.
struct Need {
  std::vector<std::vector<std::string>> alternatives;
  bool equal = false;
  // If not all are equals: how many of the first are; those after them are fallbacks.
  std::size_t preferred = 1;

  bool is_fallback(std::size_t alternative) const { return !equal && alternative >= preferred; }
};

struct Capability {
  std::string id, title;
  std::vector<std::string> scenarios;  // empty: every scenario
  std::vector<Need> needs;
  bool calls = true;  // false: not for calls (push, files, set-up of phones): these work without it
  std::optional<MediaQuality> quality;
  bool sign_in = false;  // people, or their phones, sign in with it
  Position position;
};

// The rows that it names: ids, each once, in their order.
std::vector<std::string> row_ids_of(const Capability& capability);

// Another set that this one leans on: what that one asks for, this one asks for, too.
struct NeededSet {
  std::string set;                        // id
  std::vector<std::string> capabilities;  // of that set; empty: what it asks for by default
  std::vector<std::string> scenarios;     // of the set that leans on it; empty: every scenario
  Position position;
};

// What a set says about itself and its source; its results hold this, too.
struct SetText {
  std::string id, title, edition, document;
  std::string published;  // YYYY-MM-DD, YYYY-MM or YYYY; empty: undated
  std::string verified;   // YYYY-MM-DD; empty: unknown
  SourceQuality evidence = SourceQuality::vendor_page;
  std::string evidence_note;  // what the source lacks, or who has copied it from whom
  std::string sha256;  // of the set's bytes, in hexadecimal; empty: the report does not have it
};

// Enough to list it and to find it by name.
struct SetHead : SetText {
  std::string vendor, url;
  std::vector<std::string> aliases;       // ids that name it too
  std::vector<std::string> former_names;  // what the service was called before
  std::optional<ServiceKind> kind;
  std::vector<NeededSet> needs_sets;
  bool control = false;  // anchors: not the vendor's, never judged
  std::string origin;    // the file it came from, "built in" or "downloaded"
};

// People sign in to it, or their phones do: meetings, telephony, contact centers.
bool is_signed_in_to(const SetHead& set);

struct TargetSet : SetHead {
  std::vector<Scenario> scenarios;
  std::vector<Variable> variables;
  std::vector<Region> regions;
  std::vector<Capability> capabilities;
  std::vector<Requirement> requirements;
  std::vector<Advice> advice;
  std::vector<SetHead> leans_on;  // the sets whose rows it holds too (targets/needed_sets.hpp)

  // True for its own id and for those of `leans_on`.
  bool holds(std::string_view set_id) const;
  // The set that the row was taken from: one of `leans_on`, or this one.
  const SetHead& head_of(const Requirement& requirement) const;

  const Requirement* find_requirement(std::string_view requirement_id) const;
};

}  // namespace callready
