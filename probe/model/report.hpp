// The one value that every renderer prints and that JSON holds whole (docs/design.md, "Report").
#pragma once

#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "probe/model/finding_code.hpp"
#include "probe/model/firewall_rule.hpp"
#include "probe/model/observation.hpp"
#include "probe/model/probe.hpp"
#include "probe/model/target_set.hpp"
#include "probe/model/text.hpp"
#include "probe/model/words.hpp"

namespace callready {

struct ToolInfo {
  std::string name = "callready";
  std::string version;
};

struct InterfaceInfo {
  std::string name;
  std::vector<IpAddress> addresses;
  bool default_route = false;  // carries traffic to the Internet
  bool tunnel = false;         // a VPN's, or another link without an Ethernet of its own
};

// A network adapter of this computer, connected or not; tunnels do not count.
struct LinkInfo {
  std::string name;
  LinkState state = LinkState::up;
  std::optional<bool> wireless;  // nothing: the system does not say
};

// A router to which this computer sends what is not for its own networks.
struct GatewayInfo {
  IpAddress address;
  std::string interface;
  // The last request for its hardware address; nothing: the system does not say.
  std::optional<bool> answers;
};

// A path of the probes' direct traffic out of this computer, according to the system's routes.
struct EgressPath {
  std::string interface;
  std::optional<IpAddress> gateway;  // none: no other hop on that link
  bool tunnel = false;
  bool default_route = false;      // all other traffic takes it, too
  std::vector<std::string> hosts;  // of the probes' targets, in their order
};

// A name server that is, by the system's routes, on a link of this computer over which no default
// route leads: a second network, or that of containers or virtual machines.
struct ResolverLink {
  std::string resolver;  // as in Site::resolvers
  std::string interface;
};

// A program that runs here and is known to carry or inspect the traffic of others: a fact, and
// never a cause by itself.
struct AgentInfo {
  std::string name;  // "Cloudflare WARP"
  std::string seen;  // by what: "process warp-svc"
};

// What an administrator has set for a browser of this computer, and affects calls.
struct BrowserPolicy {
  std::string browser;       // "Google Chrome"
  std::string name, value;   // as the browser's documents have them
  std::string place;         // the file or the registry key
  bool recommended = false;  // users may change it
};

// The place the run was made from. Empty optionals were not measured.
struct Site {
  std::string name;                            // --site
  std::string host;                            // this machine's host name
  std::vector<InterfaceInfo> interfaces;       // that are up
  std::optional<std::vector<LinkInfo>> links;  // nothing: a report without them
  std::vector<GatewayInfo> gateways;           // of the default routes, IPv4's first
  std::vector<EgressPath> ways;
  std::vector<std::string> resolvers;       // "192.0.2.53" or "192.0.2.53:5353"
  std::vector<ResolverLink> resolver_links;
  std::optional<std::string> proxy;         // without credentials
  bool proxy_sought = false;                // by --proxy auto, which found none
  std::vector<std::string> proxy_exceptions;  // the probes' hosts that go past it, by the settings
  std::vector<IpAddress> public_addresses;  // as STUN servers saw us
  // As the `nat` check has them, in RFC 4787's words; "not_measured" where it tried without
  // success.
  std::optional<std::string> nat_mapping, nat_filtering;
  std::optional<std::string> nat_port_preservation, nat_hairpin;
  std::optional<std::string> nat_translations;      // "none", "one", "two", "carrier"
  std::optional<std::string> nat_binding_lifetime;  // "20-30", ">180", "<10": seconds
  std::optional<Vantage> vantage;                   // --from; nothing: whatever a computer can send
  std::vector<std::string> own_hosts;  // of the probes' hosts, those that the user named, not a
                                       // vendor: from --var and from sets of the user's own
  std::vector<AgentInfo> agents;
  std::vector<BrowserPolicy> browser_policies;
  std::vector<std::string> unread_policies;  // "/etc/...: not JSON": places that could not be read
};

// Since when something has been so, run after run (probe/diagnosis/compare/compare.hpp).
struct Standing {
  WallTime since;      // the start of the first of these runs
  int runs = 1;        // in a row, this one too
  bool began = false;  // the run before them said otherwise; false: it may be older than they are
};

struct CapabilityResult {
  std::string id, title;
  Verdict verdict = Verdict::unknown;
  Text summary;
  std::vector<std::string> requirements;  // ids
  std::vector<Need> needs;                // as in the set; empty: an older report
  std::optional<Standing> standing;       // of the verdict; nothing: no earlier run is known
  bool calls = true;                      // false: calls work without it, as the set says
  bool fallback = false;                  // works, but only over what the set has as a fallback
};

struct RequirementResult {
  std::string id, title, source;
  Severity severity = Severity::required;
  Status status = Status::unknown;
  Text summary;
  Text sampled;                          // "4 of 158 hosts"; empty where all were tried
  int reached = 0;                       // probes that reached their endpoint
  int total = 0;                         // probes made for it
  std::vector<std::string> probes;       // ids
  bool left_out = false;                 // not tried; a larger run would
  bool elsewhere = false;                // measured from another place than the row is for
  bool poor = false;                     // reached, and below the vendor's quality figures
  std::vector<MissedFigure> missed;      // which, where a stream was measured
  std::optional<FindingCode> closed_by;  // the finding that closes it, where it was not tried
  bool impaired = false;  // reached, and a finding keeps it from working as it should
  bool lost = false;      // `warn`, and yet it failed: a row of the past or of an optional feature
  // What a firewall has to let through for it, according to the document. Empty if it only
  // measures, and in reports from before there were rules.
  std::vector<FirewallRule> rules;
  std::vector<std::string> error_texts;  // what users see without it, according to the document
  std::string of_set;                    // the set that it was taken from; empty: its own
};

// What the vendor's document asks for besides the rows.
struct SetAdvice {
  std::string id, text, source;
};

struct SetResult : SetText {
  Verdict verdict = Verdict::unknown;
  std::vector<Text> notes;  // staleness, "measured from a PC"
  std::vector<CapabilityResult> capabilities;
  std::vector<RequirementResult> requirements;
  std::vector<SetAdvice> advice;
  std::vector<SetHead> leans_on;     // the sets that its rows were taken from, too
  std::optional<Standing> standing;  // of the verdict; nothing: no earlier run is known
};

struct FindingAffects {
  std::string set;
  std::vector<std::string> capabilities;
};

struct FindingEvidence {
  std::string probe;  // id; empty where the sentence is about several
  Text text;
};

// Another cause that explains almost as well what a finding explains.
struct RunnerUp {
  Text cause;  // "a firewall rule against UDP 5060 to any destination"
  Text tells;  // what to do to find out
  friend bool operator==(const RunnerUp&, const RunnerUp&) = default;
};

struct Finding {
  FindingCode code = FindingCode::other;
  Text title;
  Confidence confidence = Confidence::possible;
  Owner owner = Owner::network;
  Text fix;
  std::vector<FindingAffects> affects;
  std::vector<std::string> explains;  // requirement ids, "rainbow/turn-udp"
  // What the fix asks to let through: the rules of the explained rows that are closed, whole as in
  // the document. Empty if nothing has to be opened.
  std::vector<FirewallRule> rules;
  std::vector<FindingEvidence> evidence;
  std::optional<RunnerUp> runner_up;
  std::vector<std::string> seen_from;  // in a merged report: the vantages that show it
  std::optional<Standing> standing;    // nothing: no earlier run is known
};

struct ProbeResult {
  Probe probe;
  Observation observation;
};

// Of a report that outlives them.
using Probes = std::vector<const ProbeResult*>;

// What a report says about its run, and a merged one about each run that it was made from.
struct RunReport {
  ToolInfo tool;
  WallTime started_at, finished_at;
  Milliseconds duration{0};
  bool complete = true;  // false: interrupted, or out of time
  // "--only turn-udp" if only a part was asked for; in a merged report "voice: --only turn-udp" if
  // that was so at some places only. Empty: everything. What --from left out is the site's vantage.
  std::vector<std::string> part;
  Site site;
  std::vector<SetResult> sets;
  std::vector<Finding> findings;
  std::vector<Text> notes;  // about the run: sampling, IPv6 missing
};

// One of the reports that a merged one was made from. Its probes are in the merged report, with
// this name in `Probe::vantage`.
struct VantageReport : RunReport {
  std::string name;
};

// What a run waited for longest: how much later these ended than everything else that had been sent
// by then.
struct LongestWait {
  Milliseconds took{0};
  CheckKind check = CheckKind::tcp;
  bool answered = true;  // false: nothing came
};

struct Report : RunReport {
  static constexpr std::string_view schema = "callready.report/1";
  // For how much of its duration this computer was too busy to read what came in; nothing: not
  // watched.
  std::optional<Milliseconds> loop_stall;
  std::optional<LongestWait> longest_wait;  // nothing: not watched, or nothing was sent
  std::vector<ProbeResult> probes;
  std::vector<VantageReport> vantages;  // of a merged report; empty: one run
  std::string redacted;  // names its pseudonyms' key (reports/privacy/redact.hpp); empty: none
};

// The rows of all sets.
inline auto rows_of(const std::vector<SetResult>& sets) {
  return sets | std::views::transform(&SetResult::requirements) | std::views::join;
}

// It works, or it was not tried.
inline bool is_well(const RequirementResult& row) {
  return row.status == Status::pass || row.status == Status::skip;
}

// The first with that id, of sets, capabilities or rows; null: none.
template <typename Item>
const Item* find_by_id(const std::vector<Item>& items, const std::string& id) {
  for (const auto& item : items) {
    if (item.id == id) return &item;
  }
  return nullptr;
}

// The same for many look-ups in a list that may be very long, as in a report that somebody wrote.
// A view: the list outlives it, and its items keep their places.
template <typename Item>
class Indexed {
 public:
  Indexed(const std::vector<Item>& items) : items_(items) {
    for (const auto& item : items) by_id_.try_emplace(item.id, &item);
  }
  // The first with that id; null: none.
  const Item* find(const std::string& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
  }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

 private:
  const std::vector<Item>& items_;
  std::unordered_map<std::string_view, const Item*> by_id_{};
};

// The finding's entry for that set; a new one where it has none.
FindingAffects& affected(Finding& finding, const std::string& set);

// The set by its title and edition, "Example Calls, Ed 3". It tells apart two texts with one id:
// another edition, or another service that has taken over the id.
std::string title_and_edition(const std::string& title, const std::string& edition);

// 0 for `ready`, and more the worse it is: blocked and degraded are known faults and outweigh what
// could not be decided.
int badness(Verdict verdict);
inline Verdict worse_of(Verdict one, Verdict other) {
  return badness(one) < badness(other) ? other : one;
}

// The verdict of the whole report: the worst of its sets.
Verdict overall(const Report& report);

// docs/design.md, exit status 0 ready, 1 blocked, 3 not decided or interrupted, 4 degraded.
int exit_status(const Report& report);

}  // namespace callready
