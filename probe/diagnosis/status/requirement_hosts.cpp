#include "probe/diagnosis/status/requirement_hosts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "probe/model/route_pairs.hpp"

namespace callready {
namespace {

// What the probe says by itself.
State own_state(const ProbeResult& result, const ResultIndex& index) {
  const auto& [probe, observation] = result;
  const auto& notes = index.notes_on(probe.target.host);
  if (observation.detail == DetailCode::not_needed) return State::ignored;
  // A packet meant to end beyond the edge but answered nearer says nothing about the far end.
  if (observation.detail == DetailCode::answered_on_the_way) return State::unknown;
  // Its row asks what happens to SIP on the way, not whether the server can be reached: `sip` does.
  if (probe.check == CheckKind::sip_alg) {
    const bool told = reached(observation.outcome);
    return told && observation.detail != DetailCode::inconclusive ? State::reached : State::unknown;
  }
  if (reached(observation.outcome)) return State::reached;
  // The question is the site's NAT: a server that does not answer says nothing about it.
  if (probe.check == CheckKind::nat) return State::unknown;
  if (observation.outcome == Outcome::skipped) {
    // One port speaks for those of its kind (checks/hop.cpp), unless a cause closes them all.
    if (observation.detail == DetailCode::spared && probe.check == CheckKind::hop) {
      const bool lost = notes.died_on_the_way || index.loses(probe.id);
      return lost ? State::unknown : State::ignored;
    }
    if (observation.detail == DetailCode::no_room && notes.shut()) return State::bad;
    const bool shut = observation.detail == DetailCode::stopped && notes.closed;
    return shut ? State::bad : State::unknown;
  }
  const bool silent = observation.outcome == Outcome::silent;
  const bool over_udp = probe.target.transport == Transport::udp;
  if (observation.detail == DetailCode::sip_timed_out ||
      (silent && over_udp && probe.check == CheckKind::sip)) {
    return notes.answers_sip ? State::bad : State::unknown;
  }
  // "dropped", "partly_dropped": the control passed where these packets died.
  const bool by_ttl = probe.check == CheckKind::udp_range || probe.check == CheckKind::hop;
  return silent && by_ttl && !is_dropped(observation.detail) ? State::unknown : State::bad;
}

// What one probe says about its endpoint. Silence is the hard case: it counts against a service
// that is known to answer everybody (STUN, TURN, NTP, DNS and whatever speaks TCP), and proves
// nothing about one that may ignore strangers (media ranges; SIP, over a connection too, unless the
// server answered us elsewhere).
State state_of(const ProbeResult& result, const ResultIndex& index) {
  auto own = own_state(result, index);
  if (own == State::ignored) return own;
  const auto& id = result.probe.id;
  if (index.loses(id)) return only_measures(result.probe.check) ? State::ignored : State::bad;
  if (own == State::bad && index.got_out.contains(id)) own = State::reached;
  if (!index.doubt_about(id).empty()) return State::unknown;
  return own == State::unknown && index.given_up.contains(id) ? State::bad : own;
}

bool left_to_the_proxy(const ProbeResult& result, const Requirement& requirement,
                       const ResultIndex& index) {
  return result.probe.check == CheckKind::hop && result.probe.target.route.direct() &&
         requirement.proxy != ProxyUse::never && index.proxy_carries;
}

bool no_such_name(const ProbeResult& result, const ResultIndex& index) {
  return result.observation.outcome == Outcome::unresolved &&
         result.observation.detail == DetailCode::no_such_name && !index.names_are_hidden &&
         !index.loses(result.probe.id);
}

// The router that saw a packet that ended on the way: as far as it is known to have got.
std::string seen_by(const ProbeResult& result) {
  for (const auto& evidence : result.observation.evidence) {
    const bool step = evidence.kind == EvidenceKind::udp_port || evidence.kind == EvidenceKind::hop;
    if (step && detail_fact(evidence, Fact::result) == DetailCode::left_site)
      return text_fact(evidence, Fact::by);
  }
  return {};
}

// An endpoint with several routes is reached if one of them reaches it.
struct Endpoint {
  State state = State::ignored;
  bool answered = false;             // by any route: more than that packets leave the site
  bool again = false;                // but only when it was asked again
  std::string left_by;               // otherwise the router that saw them
  bool gone = true;                  // every route failed because the name does not exist
  const ProbeResult* why = nullptr;  // the first route that was not the way

  void add_route(const ProbeResult& result, State route, const ResultIndex& index) {
    if (route == State::ignored) return;
    const bool at_once =
        reached(result.observation.outcome) && result.observation.outcome != Outcome::passed;
    const bool later = answered_again(result, index);
    again = (again || !answered) && later && !at_once;
    answered = answered || at_once || later;
    if (left_by.empty()) left_by = seen_by(result);
    gone = gone && no_such_name(result, index);
    if (route != State::reached && why == nullptr) why = &result;
    state = std::max(state, route);
  }
};

// All endpoints of a host must be reached; if any endpoint of the row will do, one of the host's.
void add_endpoint(HostState& host, const Endpoint& endpoint, bool any) {
  if (endpoint.state == State::ignored) return;
  if (endpoint.state == State::reached && !endpoint.answered) {
    host.left = true;
    host.left_by = endpoint.left_by;
  }
  const bool lost = endpoint.state != State::reached;
  const bool decides = host.state == State::ignored ||
                       (any ? endpoint.state > host.state : endpoint.state < host.state);
  host.again |= endpoint.again && !lost;
  // What decides is what the summary names.
  if (lost && (decides || host.why == nullptr)) host.why = endpoint.why;
  if (decides) host.state = endpoint.state;
  host.gone = host.state != State::reached && host.gone && (!lost || endpoint.gone);
}

// The weight of each host of the row; the first entry counts. Looked up, since rows may be long.
class HostWeights {
 public:
  explicit HostWeights(const Requirement& row) {
    for (const auto& host : row.hosts) known_.try_emplace(host.name, by(host.lifecycle));
    for (const auto& host : row.reverse_dns) known_.try_emplace(host.name, HostWeight::fading);
    for (const auto& wildcard : row.wildcards) {
      for (const auto& example : wildcard.examples)
        known_.try_emplace(example.name, HostWeight::example);
    }
    for (const auto& block : row.addresses) {
      const auto weight = by(block.lifecycle);
      if (std::holds_alternative<IpAddress>(block.value)) {
        known_.try_emplace(block.to_string(), weight);
      } else {
        (weight == HostWeight::current ? current_ : fading_).push_back(&block);
      }
    }
  }

  HostWeight of(const std::string& name) const {
    const auto known = known_.find(name);
    if (known != known_.end()) return known->second;
    const auto address = IpAddress::parse(name);
    if (!address) return HostWeight::current;
    const auto holds = [&](const AddressBlock* block) {
      const auto* range = std::get_if<AddressRange>(&block->value);
      return range != nullptr ? range->contains(*address)
                              : std::get<Network>(block->value).contains(*address);
    };
    // A network that is listed both ways is current.
    const bool fading =
        std::ranges::any_of(fading_, holds) && std::ranges::none_of(current_, holds);
    return fading ? HostWeight::fading : HostWeight::current;
  }

 private:
  static HostWeight by(Lifecycle lifecycle) {
    return lifecycle == Lifecycle::current ? HostWeight::current : HostWeight::fading;
  }
  std::map<std::string, HostWeight> known_;
  std::vector<const AddressBlock*> current_, fading_;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

bool is_companion(const ProbeResult& result, const Requirement& requirement) {
  const auto& probe = result.probe;
  if (probe.check == requirement.check) return false;
  return probe.check == CheckKind::sip_alg || probe.check == CheckKind::media ||
         (probe.check == CheckKind::dns && probe.with.contains("type"));
}

bool answered_again(const ProbeResult& result, const ResultIndex& index) {
  const auto check = result.probe.check;
  return index.got_out.contains(result.probe.id) && check != CheckKind::hop &&
         check != CheckKind::udp_range;
}

RowOutcome row_outcome(const Requirement& requirement, const Probes& probes,
                       const ResultIndex& index) {
  RowOutcome row;
  std::vector<std::string> order;
  std::map<std::string, std::map<std::string, Endpoint>> hosts;
  std::map<std::string, std::string> regions;
  for (const auto* result : probes) {
    if (is_companion(*result, requirement)) continue;
    const auto& target = result->probe.target;
    if (!hosts.contains(target.host)) order.push_back(target.host);
    regions[target.host] = result->probe.region;
    auto state = state_of(*result, index);
    // Another question to the same port, which was answered.
    const auto* quic = index.quic_answer(target);
    if (state != State::ignored) {
      ++row.total;
      row.reached += state == State::reached || quic != nullptr;
    }
    row.needless |= result->observation.detail == DetailCode::not_needed;
    const bool for_the_proxy = left_to_the_proxy(*result, requirement, index);
    row.for_the_proxy |= for_the_proxy;
    if (state == State::bad && for_the_proxy) state = State::unknown;
    const auto key = fmt::format("{}/{}", to_string(target.transport), target.ports.to_string());
    auto& endpoint = hosts[target.host][key];
    endpoint.add_route(*result, state, index);
    if (quic != nullptr) endpoint.add_route(*quic, State::reached, index);
  }
  const HostWeights weights(requirement);
  for (const auto& host : order) {
    HostState merged;
    merged.host = host;
    merged.weight = weights.of(host);
    merged.region = regions[host];
    const bool any = requirement.reach.kind == Reach::Kind::any;
    for (const auto& [key, endpoint] : hosts[host]) add_endpoint(merged, endpoint, any);
    // An example may have been retired by its owner; one that a cause shuts off stands for what is
    // shut off with it.
    const bool shut =
        merged.state == State::bad && !merged.gone && index.loses(merged.why->probe.id);
    if (shut && merged.weight == HostWeight::example) merged.weight = HostWeight::current;
    if (merged.state != State::ignored) row.hosts.push_back(std::move(merged));
  }
  return row;
}

Text compare_routes(const Probes& probes) {
  struct Pair {
    std::optional<double> direct, proxied;
  };
  std::map<std::tuple<CheckKind, std::string, Transport, std::string>, Pair> endpoints;
  for (const auto* result : probes) {
    if (!reached(result->observation.outcome)) continue;
    const auto& target = result->probe.target;
    auto& pair =
        endpoints[{result->probe.check, target.host, target.transport, target.ports.to_string()}];
    (target.route.direct() ? pair.direct : pair.proxied) = set_up_ms(*result);
  }
  std::vector<double> direct, proxied;
  for (const auto& [endpoint, pair] : endpoints) {
    if (!pair.direct || !pair.proxied) continue;
    direct.push_back(*pair.direct);
    proxied.push_back(*pair.proxied);
  }
  if (direct.empty()) return {};
  return phrase("direct {} ms, through the proxy {} ms", whole(median(std::move(direct))),
                whole(median(std::move(proxied))));
}

}  // namespace callready
