#include <fmt/format.h>

#include <algorithm>

#include "probe/model/describe.hpp"
#include "probe/verdict/judge.hpp"

namespace callready {
namespace {

enum class State { reached, bad, unknown, ignored };

// What one probe says of its endpoint. Silence is the hard case: it counts against a service that
// is known to answer everybody (STUN, TURN, NTP, DNS and whatever speaks TCP), and proves nothing
// of one that may ignore strangers (media ranges; SIP, unless the server answered us elsewhere).
State state_of(const ProbeResult& result, const Evidences& evidences) {
  const auto& [probe, observation] = result;
  if (reached(observation.outcome)) return State::reached;
  if (observation.outcome == Outcome::skipped) {
    return observation.detail == "not_needed" ? State::ignored : State::unknown;
  }
  if (observation.outcome != Outcome::silent) return State::bad;
  // "dropped", "partly_dropped": the control passed where these packets died.
  if (probe.check == "udp-range") {
    return observation.detail.ends_with("dropped") ? State::bad : State::unknown;
  }
  if (probe.check == "sip" && probe.target.transport == Transport::udp) {
    return evidences.answers_sip(probe.target.host) ? State::bad : State::unknown;
  }
  return State::bad;
}

// One host of the row: reached where all its endpoints are, each by any of its routes.
struct HostState {
  std::string host;
  State state = State::ignored;
  bool unresolved = false;           // the only thing wrong: its name does not exist
  const ProbeResult* why = nullptr;  // the first probe that was not reached
};

// An endpoint that several routes lead to is reached where one does.
State merge_routes(State a, State b) {
  if (a == State::reached || b == State::reached) return State::reached;
  if (a == State::ignored) return b;
  if (b == State::ignored) return a;
  return a == State::unknown || b == State::unknown ? State::unknown : State::bad;
}

State merge_endpoints(State a, State b) {
  if (a == State::ignored) return b;
  if (b == State::ignored) return a;
  if (a == State::bad || b == State::bad) return State::bad;
  return a == State::unknown || b == State::unknown ? State::unknown : State::reached;
}

std::vector<HostState> host_states(const PlannedRequirement& planned, const Evidences& evidences) {
  struct Endpoint {
    State state;
    const ProbeResult* why;
  };
  std::vector<std::string> order;
  std::map<std::string, std::map<std::string, Endpoint>> hosts;
  for (const auto& id : planned.probes) {
    const auto* result = evidences.find(id);
    if (result == nullptr) continue;
    const auto& target = result->probe.target;
    if (!hosts.contains(target.host)) order.push_back(target.host);
    const auto key = fmt::format("{}/{}", to_string(target.transport), target.ports.to_string());
    const auto state = state_of(*result, evidences);
    auto& endpoints = hosts[target.host];
    const auto [place, fresh] = endpoints.try_emplace(key, Endpoint{state, result});
    if (!fresh) place->second.state = merge_routes(place->second.state, state);
  }
  std::vector<HostState> states;
  for (const auto& host : order) {
    HostState merged{host, State::ignored, false, nullptr};
    for (const auto& [key, endpoint] : hosts[host]) {
      merged.state = merge_endpoints(merged.state, endpoint.state);
      const bool lost = endpoint.state == State::bad || endpoint.state == State::unknown;
      if (lost && merged.why == nullptr) merged.why = endpoint.why;
    }
    merged.unresolved = merged.state == State::bad &&
                        merged.why->observation.outcome == Outcome::unresolved &&
                        merged.why->observation.detail == "no_such_name";
    states.push_back(merged);
  }
  return states;
}

// The N nearest by measured round trip. A host whose distance is not known because nothing came
// back from it counts as near as the nearest host of its region, so that a blocked one cannot hide.
std::vector<HostState> nearest(const Requirement& requirement, std::vector<HostState> hosts,
                               int count, const Evidences& evidences) {
  const auto region_of = [&](const std::string& name) {
    for (const auto& host : requirement.hosts) {
      if (host.name == name) return host.region;
    }
    return std::string();
  };
  std::map<std::string, double> regions;
  for (const auto& host : hosts) {
    const auto distance = evidences.distance(host.host);
    const auto region = region_of(host.host);
    if (!distance || region.empty()) continue;
    const auto [place, fresh] = regions.try_emplace(region, distance->count());
    if (!fresh) place->second = std::min(place->second, distance->count());
  }
  constexpr double unknown = 1e9;
  const auto key = [&](const HostState& host) {
    if (const auto distance = evidences.distance(host.host)) return distance->count();
    const auto region = regions.find(region_of(host.host));
    return region == regions.end() ? unknown : region->second;
  };
  std::stable_sort(hosts.begin(), hosts.end(),
                   [&](const HostState& a, const HostState& b) { return key(a) < key(b); });
  hosts.resize(std::min(hosts.size(), static_cast<std::size_t>(count)));
  return hosts;
}

struct Count {
  int reached = 0, bad = 0, unknown = 0, gone = 0;
  int total() const { return reached + bad + unknown + gone; }
};

Count count(const std::vector<HostState>& hosts) {
  Count result;
  for (const auto& host : hosts) {
    if (host.state == State::reached) ++result.reached;
    if (host.state == State::unknown) ++result.unknown;
    if (host.state == State::bad) ++(host.unresolved ? result.gone : result.bad);
  }
  // Names that do not exist while their siblings are reached: the list is old, not the way closed.
  if (result.reached == 0) {
    result.bad += result.gone;
    result.gone = 0;
  }
  return result;
}

Status status_by(const Reach& reach, const Count& counted) {
  if (counted.total() == 0) return Status::unknown;
  const int needed = reach.kind == Reach::Kind::any ? 1 : reach.count;
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
  return counted.gone > 0 ? Status::warn : Status::pass;
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
    if (host.why == nullptr || host.state == State::reached) continue;
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
  if (!planned.skipped.empty()) {
    result.status = Status::skip;
    result.summary = planned.skipped;
    return result;
  }
  for (const auto& id : planned.probes) {
    const auto* probe = evidences.find(id);
    ++result.total;
    if (probe != nullptr && reached(probe->observation.outcome)) ++result.reached;
  }
  auto hosts = host_states(planned, evidences);
  const bool ignored =
      !hosts.empty() && std::all_of(hosts.begin(), hosts.end(),
                                    [](const auto& host) { return host.state == State::ignored; });
  if (ignored) {
    result.status = Status::skip;
    result.summary = "not needed: the first choice answered";
    return result;
  }
  std::string prefix;
  if (requirement.reach.kind == Reach::Kind::nearest) {
    hosts = nearest(requirement, std::move(hosts), requirement.reach.count, evidences);
    for (const auto& host : hosts) prefix += (prefix.empty() ? "nearest: " : ", ") + host.host;
    prefix += "; ";
  }
  const auto counted = count(hosts);
  result.status = status_by(requirement.reach, counted);
  result.summary = prefix + summarise(hosts, counted);
  // A row of the document's past or of an optional feature is never the reason for a failure.
  if (result.status == Status::fail && requirement.lifecycle != Lifecycle::current) {
    result.status = Status::warn;
  }
  if (!planned.note.empty()) result.summary += "; " + planned.note;
  return result;
}

}  // namespace callready
