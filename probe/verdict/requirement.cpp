#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>

#include "probe/model/describe.hpp"
#include "probe/verdict/judge.hpp"
#include "probe/verdict/routes.hpp"

namespace callready {
namespace {

enum class State { reached, bad, unknown, ignored };

State state_of_alg_test(const Observation& observation) {
  if (observation.detail == "not_needed") return State::ignored;
  const bool told = reached(observation.outcome) && observation.detail != "inconclusive";
  return told ? State::reached : State::unknown;
}

// What a probe that answered shows to be wrong all the same; empty: nothing.
std::string flaw_of(const ProbeResult& result) {
  const auto& detail = result.observation.detail;
  const bool rewritten = detail == "rewritten" || detail == "suspected";
  if (result.probe.check == "sip-alg" && rewritten) return outcome_in_words(result.observation);
  return {};
}

// Probes beside those of the row's own check: the names that its addresses have in reverse DNS, the
// SIP ALG test of a server of the user's own. They tell more of the row and never make it fail.
bool is_companion(const ProbeResult& result, const Requirement& requirement) {
  const auto& probe = result.probe;
  if (probe.check == requirement.check) return false;
  return probe.check == "sip-alg" || (probe.check == "dns" && probe.with.contains("type"));
}

std::string companion_flaw(const ProbeResult& result) {
  const auto& [probe, observation] = result;
  if (probe.check != "dns") return flaw_of(result);
  const auto name = probe.with.find("name");
  const auto address = name == probe.with.end() ? std::string() : name->second;
  if (observation.outcome == Outcome::unresolved) {
    return fmt::format("{} has no name in reverse DNS", address);
  }
  if (observation.detail == "unexpected_answer") {
    return fmt::format("{} has another name in reverse DNS than the document says", address);
  }
  return {};
}

// What one probe says of its endpoint. Silence is the hard case: it counts against a service that
// is known to answer everybody (STUN, TURN, NTP, DNS and whatever speaks TCP), and proves nothing
// of one that may ignore strangers (media ranges; SIP, over a connection too, unless the server
// answered us elsewhere).
State state_of(const ProbeResult& result, const Evidences& evidences) {
  const auto& [probe, observation] = result;
  // A packet that was to end beyond the edge and was answered nearer says nothing of the far end.
  if (observation.detail == "answered_on_the_way") return State::unknown;
  // Its row asks what happens to SIP on the way, not whether the server can be reached: `sip` does.
  if (probe.check == "sip-alg") return state_of_alg_test(observation);
  if (reached(observation.outcome)) return State::reached;
  if (observation.outcome == Outcome::skipped) {
    return observation.detail == "not_needed" ? State::ignored : State::unknown;
  }
  if (observation.detail == "sip_timed_out") {
    return evidences.answers_sip(probe.target.host) ? State::bad : State::unknown;
  }
  if (observation.outcome != Outcome::silent) return State::bad;
  // "dropped", "partly_dropped": the control passed where these packets died.
  if (probe.check == "udp-range" || probe.check == "hop") {
    return observation.detail.ends_with("dropped") ? State::bad : State::unknown;
  }
  if (probe.check == "sip" && probe.target.transport == Transport::udp) {
    return evidences.answers_sip(probe.target.host) ? State::bad : State::unknown;
  }
  return State::bad;
}

bool no_such_name(const ProbeResult& result, const Evidences& evidences) {
  return result.observation.outcome == Outcome::unresolved &&
         result.observation.detail == "no_such_name" && !evidences.names_are_hidden();
}

// An endpoint that several routes lead to is reached where one does.
struct Endpoint {
  State state = State::ignored;
  bool gone = true;                  // every route failed because the name does not exist
  const ProbeResult* why = nullptr;  // the first route that was not the way

  void add_route(const ProbeResult& result, State route, const Evidences& evidences) {
    if (route == State::ignored) return;
    gone = gone && no_such_name(result, evidences);
    if (route != State::reached && why == nullptr) why = &result;
    if (state == State::ignored || route == State::reached) {
      state = route;
    } else if (state != State::reached && route == State::unknown) {
      state = State::unknown;
    }
  }
};

// What weight a host has: one that the document is about to drop, or that only stands as an example
// for a wildcard, or is there for reverse DNS only, is never the only reason for a failure (DESIGN,
// "Target sets").
enum class Standing { current, fading, example };

// One host of the row.
struct HostState {
  std::string host;
  State state = State::ignored;
  bool gone = false;                 // the only thing wrong: its name does not exist
  const ProbeResult* why = nullptr;  // the first probe that was not reached
  Standing standing = Standing::current;
  std::string region;
};

// All endpoints of a host must be reached; where any endpoint of the row will do, one of its own.
void add_endpoint(HostState& host, const Endpoint& endpoint, bool any) {
  if (endpoint.state == State::ignored) return;
  const bool lost = endpoint.state != State::reached;
  if (lost && host.why == nullptr) host.why = endpoint.why;
  if (host.state == State::ignored) {
    host.state = endpoint.state;
    host.gone = lost && endpoint.gone;
    return;
  }
  const auto order = any ? std::array{State::reached, State::unknown, State::bad}
                         : std::array{State::bad, State::unknown, State::reached};
  const auto strength = [&](State state) { return std::find(order.begin(), order.end(), state); };
  if (strength(endpoint.state) < strength(host.state)) {
    host.state = endpoint.state;
    if (lost) host.why = endpoint.why;  // what decides is what the summary names
  }
  host.gone = host.state != State::reached && host.gone && (!lost || endpoint.gone);
}

Standing standing_of(const Requirement& requirement, const std::string& name) {
  const auto fading = [](Lifecycle lifecycle) { return lifecycle != Lifecycle::current; };
  for (const auto& host : requirement.hosts) {
    if (host.name == name) return fading(host.lifecycle) ? Standing::fading : Standing::current;
  }
  for (const auto& host : requirement.reverse_dns) {
    if (host.name == name) return Standing::fading;
  }
  for (const auto& wildcard : requirement.wildcards) {
    for (const auto& example : wildcard.examples) {
      if (example.name == name) return Standing::example;
    }
  }
  const auto address = IpAddress::parse(name);
  if (!address) return Standing::current;
  for (const auto& block : requirement.addresses) {
    const auto holds = [&](const auto& value) {
      if constexpr (std::is_same_v<std::decay_t<decltype(value)>, IpAddress>) {
        return value == *address;
      } else {
        return value.contains(*address);
      }
    };
    if (std::visit(holds, block.value)) {
      return fading(block.lifecycle) ? Standing::fading : Standing::current;
    }
  }
  return Standing::current;
}

// In the order of the plan; hosts of which nothing was needed are left out.
std::vector<HostState> host_states(const Requirement& requirement,
                                   const PlannedRequirement& planned, const Evidences& evidences) {
  std::vector<std::string> order;
  std::map<std::string, std::map<std::string, Endpoint>> hosts;
  std::map<std::string, std::string> regions;
  for (const auto& id : planned.probes) {
    const auto* result = evidences.find(id);
    if (result == nullptr || is_companion(*result, requirement)) continue;
    const auto& target = result->probe.target;
    if (!hosts.contains(target.host)) order.push_back(target.host);
    regions[target.host] = result->probe.region;
    const auto key = fmt::format("{}/{}", to_string(target.transport), target.ports.to_string());
    hosts[target.host][key].add_route(*result, state_of(*result, evidences), evidences);
  }
  std::vector<HostState> states;
  for (const auto& host : order) {
    HostState merged;
    merged.host = host;
    merged.standing = standing_of(requirement, host);
    merged.region = regions[host];
    const bool any = requirement.reach.kind == Reach::Kind::any;
    for (const auto& [key, endpoint] : hosts[host]) add_endpoint(merged, endpoint, any);
    if (merged.state != State::ignored) states.push_back(std::move(merged));
  }
  return states;
}

// How near a host is: by its own round trip, else as the nearest host of its region.
std::optional<Milliseconds> distance_of(const HostState& host, const Evidences& evidences) {
  const auto own = evidences.distance(host.host);
  return own ? own : evidences.distance_of_region(host.region);
}

// The nearest hosts, chosen before reachability: a blocked one must not hide behind the next.
struct Nearest {
  std::vector<HostState> chosen;
  // Left out with no idea of their distance: each of them may be nearer than the chosen ones.
  std::vector<HostState> doubtful;
};

Nearest nearest(std::vector<HostState> hosts, int count, const Evidences& evidences) {
  const auto measured = [&](const HostState& host) { return distance_of(host, evidences); };
  const auto far = std::stable_partition(hosts.begin(), hosts.end(), [&](const HostState& host) {
    return measured(host).has_value();
  });
  std::stable_sort(hosts.begin(), far, [&](const HostState& a, const HostState& b) {
    return *measured(a) < *measured(b);
  });
  std::stable_partition(far, hosts.end(),
                        [](const HostState& host) { return host.state == State::reached; });
  Nearest result;
  for (auto& host : hosts) {
    if (result.chosen.size() < static_cast<std::size_t>(count)) {
      result.chosen.push_back(std::move(host));
    } else if (!measured(host) && host.state != State::reached && !host.gone &&
               host.standing == Standing::current) {
      result.doubtful.push_back(std::move(host));
    }
  }
  return result;
}

// Hosts whose packets only go as far as the edge of the site, where the router there had no answer
// left for them: as if they had not been in the sample, while others of the row were reached and
// none was lost. How many.
std::size_t drop_unmeasured(std::vector<HostState>& hosts, const Requirement& requirement,
                            const Evidences& evidences) {
  const bool by_edge = requirement.check == "udp-range" || !requirement.listening;
  const auto has = [&](State state) {
    return std::any_of(hosts.begin(), hosts.end(),
                       [&](const HostState& host) { return host.state == state; });
  };
  if (!by_edge || !evidences.edge_answers() || !has(State::reached) || has(State::bad)) return 0;
  return std::erase_if(hosts, [](const HostState& host) {
    return host.state == State::unknown && host.why != nullptr &&
           host.why->observation.outcome == Outcome::silent;
  });
}

struct Count {
  int reached = 0, bad = 0, unknown = 0;
  int minor = 0;  // not reached, but no reason to fail: gone names, fading and example hosts
  int total() const { return reached + bad + unknown + minor; }
};

Count count(const std::vector<HostState>& hosts) {
  Count result;
  int gone = 0, fading = 0, examples = 0;
  for (const auto& host : hosts) {
    if (host.state == State::reached) ++result.reached;
    if (host.state == State::unknown) ++result.unknown;
    if (host.state != State::bad) continue;
    if (host.standing == Standing::fading) {
      ++fading;
    } else if (host.standing == Standing::example) {
      ++examples;
    } else {
      ++(host.gone ? gone : result.bad);
    }
  }
  const bool alone = result.reached == 0 && result.unknown == 0;
  // Names that do not exist while their siblings are there: the list is old, not the way closed.
  if (alone) {
    result.bad += gone;
    gone = 0;
  }
  // One example may have been retired by its owner. Two at once hardly are.
  if (alone && result.bad + examples > 1) {
    result.bad += examples;
    examples = 0;
  } else if (alone && result.bad == 0 && fading == 0) {
    result.unknown += examples;
    examples = 0;
  }
  result.minor = gone + fading + examples;
  return result;
}

Status status_by(const Reach& reach, const Count& counted) {
  if (counted.total() == 0) return Status::unknown;
  // Fewer hosts than the document has may be in the run (`--region`): then all of them.
  const int needed =
      std::min(reach.kind == Reach::Kind::any ? 1 : reach.count, counted.total() - counted.minor);
  switch (reach.kind) {
    case Reach::Kind::all:
    case Reach::Kind::nearest:
      if (counted.bad > 0) return Status::fail;
      if (counted.unknown > 0) return Status::unknown;
      break;
    case Reach::Kind::any:
    case Reach::Kind::at_least:
      if (counted.reached + counted.unknown < needed) return Status::fail;
      if (counted.reached < needed) return Status::unknown;
      break;
  }
  return counted.minor > 0 ? Status::warn : Status::pass;
}

std::string summarise(const std::vector<HostState>& hosts, const Count& counted) {
  std::string text;
  if (counted.total() == 1) {
    text = counted.reached == 1 ? "reached" : "not reached";
  } else {
    text = fmt::format("{} of {} reached", counted.reached, counted.total());
  }
  std::size_t listed = 0;
  for (const auto& host : hosts) {
    if (host.state == State::reached) continue;
    if (listed == 3) {
      text += "; ...";
      break;
    }
    text += fmt::format("{}{}: {}", listed == 0 ? ": " : "; ",
                        endpoint_in_words(host.why->probe.target),
                        outcome_in_words(host.why->observation));
    ++listed;
  }
  return text;
}

}  // namespace

RequirementResult judge_requirement(const Requirement& requirement,
                                    const PlannedRequirement& planned, const Evidences& evidences) {
  RequirementResult result;
  result.id = requirement.id;
  result.title = requirement.title;
  result.source = requirement.source;
  result.severity = requirement.severity;
  result.probes = planned.probes;
  result.sampled = planned.sampled;
  result.elsewhere = planned.elsewhere;
  if (!planned.skipped.empty()) {
    result.status = planned.open_question ? Status::unknown : Status::skip;
    result.summary = planned.skipped;
    return result;
  }
  int needless = 0;
  std::vector<std::string> flaws;
  const auto note_flaw = [&flaws](std::string flaw) {
    if (!flaw.empty()) flaws.push_back(std::move(flaw));
  };
  for (const auto& id : planned.probes) {
    const auto* probe = evidences.find(id);
    if (probe == nullptr) continue;
    if (is_companion(*probe, requirement)) {
      note_flaw(companion_flaw(*probe));
      continue;
    }
    note_flaw(flaw_of(*probe));
    if (state_of(*probe, evidences) == State::ignored) {
      ++needless;
      continue;
    }
    ++result.total;
    if (reached(probe->observation.outcome)) ++result.reached;
  }
  auto hosts = host_states(requirement, planned, evidences);
  if (hosts.empty() && needless > 0) {
    result.status = Status::skip;
    result.summary = "not needed: the first choice answered";
    return result;
  }
  std::string prefix, suffix;
  std::vector<HostState> doubtful;
  if (requirement.reach.kind == Reach::Kind::nearest) {
    auto [chosen, others] = nearest(std::move(hosts), requirement.reach.count, evidences);
    hosts = std::move(chosen);
    doubtful = std::move(others);
    for (const auto& host : hosts) prefix += (prefix.empty() ? "nearest: " : ", ") + host.host;
    if (!prefix.empty()) prefix += "; ";
  }
  const auto left_out = drop_unmeasured(hosts, requirement, evidences);
  const auto counted = count(hosts);
  result.status = status_by(requirement.reach, counted);
  if (left_out > 0) {
    suffix += fmt::format(
        "; {} more could not be measured: the router at the site's edge gives few answers",
        left_out);
  }
  if (result.status == Status::pass && !doubtful.empty()) {
    const bool unmeasured =
        std::any_of(doubtful.begin(), doubtful.end(),
                    [](const HostState& host) { return host.state == State::unknown; });
    result.status = unmeasured ? Status::unknown : Status::warn;
    suffix += fmt::format("; {} may be nearer: {}", endpoint_in_words(doubtful[0].why->probe.target),
                         outcome_in_words(doubtful[0].why->observation));
    if (doubtful.size() > 1) suffix += fmt::format(" (and {} more)", doubtful.size() - 1);
    suffix += "; name your region with --region to be sure";
  }
  result.summary = prefix + summarise(hosts, counted) + suffix;
  const auto routes = compare_routes(planned, evidences);
  if (!routes.empty()) result.summary += "; " + routes;
  if (!flaws.empty()) {
    if (result.status == Status::pass) result.status = Status::warn;
    result.summary += "; " + flaws.front();
    if (flaws.size() > 1) result.summary += fmt::format(" (and {} more)", flaws.size() - 1);
  }
  // A row of the document's past or of an optional feature is never the reason for a failure.
  if (result.status == Status::fail && requirement.lifecycle != Lifecycle::current) {
    result.status = Status::warn;
  }
  if (!planned.note.empty()) result.summary += "; " + planned.note;
  return result;
}

}  // namespace callready
