#include "probe/plan/extra_probes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "probe/model/canary.hpp"
#include "probe/model/report.hpp"
#include "probe/plan/candidates.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

// Made only where the probe `given` reached its endpoint.
void add_control_given(ProbeList& probes, Probe probe, std::string given) {
  const auto id = probe_id(probe);
  probes.add_control(std::move(probe));
  probes.at(id).given = {std::move(given)};
}

// Public STUN servers tell what kind of NAT there is. If the site allows traffic to nobody but the
// vendor, two servers that the set's other rows meet anyway are asked instead.
void add_own_nat_servers(ProbeList& probes, Row& row) {
  if (row.requirement.check != CheckKind::nat || row.planned.probes.empty()) return;
  const auto public_servers = row.planned.probes;
  std::vector<Target> own;  // of different hosts
  for (const auto& id : probes.of_set(*row.set)) {
    const auto& probe = probes.at(id).probe;
    const auto& target = probe.target;
    const bool answers = probe.check == CheckKind::stun || probe.check == CheckKind::turn;
    if (!answers || target.transport != Transport::udp || !target.route.direct()) continue;
    const bool known = std::any_of(own.begin(), own.end(),
                                   [&](const Target& other) { return other.host == target.host; });
    if (!known && own.size() < 2) own.push_back(target);
  }
  if (own.size() < 2) return;
  Probe test;
  test.check = CheckKind::nat;
  test.target = own[0];
  test.with = {{"other", authority(own[1].host, own[1].port())}};
  // The row may ask these two itself, and a probe must not wait for its own end.
  if (contains(public_servers, probe_id(test))) return;
  probes.add(row, std::move(test));
  auto& planned = probes.at(row.planned.probes.back());
  if (planned.unless.empty()) planned.unless = public_servers;
}

// What a browser would gather here from the set's own servers: it informs, and decides nothing.
void add_candidates_of(ProbeList& probes, const TargetSet& set) {
  const Target *stun = nullptr, *turn = nullptr;
  for (const auto& id : probes.of_set(set)) {
    const auto& probe = probes.at(id).probe;
    const auto& target = probe.target;
    if (!target.route.direct()) continue;
    const bool udp = target.transport == Transport::udp;
    const bool relays = probe.check == CheckKind::turn;
    // TURN servers answer Binding requests, too (RFC 8656 section 2).
    if (udp && (probe.check == CheckKind::stun || (relays && stun == nullptr))) stun = &target;
    const bool better = turn == nullptr || udp ||
                        (target.transport == Transport::tcp && turn->transport == Transport::tls);
    if (relays && better) turn = &target;
  }
  if (stun == nullptr) return;
  Probe probe;
  probe.check = CheckKind::ice;
  probe.target.transport = Transport::tls;
  probe.with = {{"only_gather", "true"}, {"stun", authority(stun->host, stun->port())}};
  if (turn != nullptr) {
    probe.with.emplace("turn", fmt::format("{}/{}", authority(turn->host, turn->port()),
                                           to_string(turn->transport)));
  }
  probes.add_control(std::move(probe));
}

// A stream like a call's between two relays of the set's own TURN server. It belongs to a row over
// UDP, and is judged by what that row's capabilities ask of a line.
void add_stream_of(ProbeList& probes, const TargetSet& set, std::vector<Row>& rows) {
  const auto is_turn = [](const Probe& probe) {
    return probe.check == CheckKind::turn && probe.target.route.direct() && !probe.control();
  };
  const auto of_set = [&](const Row& row) { return row.set == &set; };
  const bool has_one = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
    return of_set(row) && row.requirement.check == CheckKind::media && !row.planned.probes.empty();
  });
  if (has_one) return;
  for (auto& row : rows) {
    if (!of_set(row)) continue;
    for (const auto& id : row.planned.probes) {
      const auto by_udp = probes.at(id).probe;
      if (!is_turn(by_udp) || by_udp.target.transport != Transport::udp) continue;
      const auto stream = std::find_if(
          probes.plan.probes.begin(), probes.plan.probes.end(), [&](const PlannedProbe& other) {
            return is_turn(other.probe) && other.probe.target.transport != Transport::udp &&
                   other.probe.target.host == by_udp.target.host;
          });
      if (stream == probes.plan.probes.end()) continue;
      const auto& over = stream->probe.target;
      Probe probe;
      probe.check = CheckKind::media;
      probe.target = by_udp.target;
      probe.with = {{"turn", fmt::format("{}/{}", authority(over.host, over.port()),
                                         to_string(over.transport))}};
      probe.region = by_udp.region;
      probes.add(row, std::move(probe));
      return;
    }
  }
}

// "example.com" of "www.example.com". Of "www.example.co.uk" it is too short, which turns two
// operators into one.
std::string last_labels(const std::string& host) {
  const auto last = host.rfind('.');
  if (last == std::string::npos || last == 0) return host;
  const auto dot = host.rfind('.', last - 1);
  return dot == std::string::npos ? host : host.substr(dot + 1);
}

// A TLS greeting as long as a browser's, to the first web server of each set, and to a public one
// of another operator: if both lose it, it is lost on the way. Only if the usual one is answered.
void add_long_hellos(ProbeList& probes, const std::vector<const TargetSet*>& sets) {
  std::set<std::string> operators;
  const auto add_to = [&](const TargetSet& set) {
    const PlannedProbe* usual = nullptr;  // the first of those that matter most
    for (const auto& id : probes.of_set(set)) {
      const auto& planned = probes.at(id);
      const auto& [check, target] = std::tie(planned.probe.check, planned.probe.target);
      const bool web = check == CheckKind::tls && target.port() == 443 && target.route.direct();
      if (!web || IpAddress::parse(target.host)) continue;
      if (set.control && operators.contains(last_labels(target.host))) continue;
      if (usual == nullptr || planned.severity < usual->severity) usual = &planned;
    }
    if (usual == nullptr) return;
    Probe probe;
    probe.check = CheckKind::tls_hello;
    probe.target = usual->probe.target;
    operators.insert(last_labels(probe.target.host));
    add_control_given(probes, std::move(probe), usual->probe.id);
  };
  for (const bool control : {false, true}) {
    for (const auto* set : sets) {
      if (set->control == control) add_to(*set);
    }
  }
}

bool asks_udp_443(const Requirement& row) {
  return contains(row.transports, Transport::udp) &&
         (!row.check || row.check == CheckKind::udp_range) &&
         contains(row.ports, PortRange{443, 443});
}

// Whether QUIC is answered, which proves that UDP works both ways: for rows of UDP 443, from a host
// that the run meets anyway; one for each set, unless all are asked.
void add_quic(ProbeList& probes, const std::vector<Row>& rows, const PlanOptions& options) {
  std::set<std::string> met;
  for (const auto& planned : probes.plan.probes) {
    const auto& target = planned.probe.target;
    if (target.route.direct() && planned.nearest_of.empty()) met.insert(target.host);
  }
  std::set<const TargetSet*> asked;
  for (const auto& row : rows) {
    if (row.set->control || !asks_udp_443(row.requirement)) continue;
    for (const auto& candidate : candidates_of(*row.set, row.requirement, {})) {
      const bool name = !IpAddress::parse(candidate.host);
      if (!name || !met.contains(candidate.host)) continue;
      if (!asked.insert(row.set).second && !options.all) break;
      Probe probe;
      probe.check = CheckKind::quic;
      probe.target.host = candidate.host;
      probe.target.ports = {443, 443};
      probe.target.transport = Transport::udp;
      probe.region = candidate.region;
      probes.add_control(std::move(probe));
    }
  }
}

// Whether two of the set's web servers, of those that are reached, can be reached by IPv6, too: the
// first of those that matter most, and another one of the same operator.
void add_ipv6_of(ProbeList& probes, const TargetSet& set) {
  std::vector<const PlannedProbe*> webs;
  for (const auto& id : probes.of_set(set)) {
    const auto& planned = probes.at(id);
    const auto& [check, target] = std::tie(planned.probe.check, planned.probe.target);
    const bool web = (check == CheckKind::tls || check == CheckKind::http) &&
                     target.port() == 443 && target.route.direct();
    if (web && !IpAddress::parse(target.host)) webs.push_back(&planned);
  }
  std::stable_sort(webs.begin(), webs.end(), [](const auto* one, const auto* other) {
    return one->severity < other->severity;
  });
  if (webs.empty()) return;
  const auto& first = webs.front()->probe.target.host;
  const auto second = std::find_if(webs.begin(), webs.end(), [&](const auto* planned) {
    const auto& host = planned->probe.target.host;
    return host != first && last_labels(host) == last_labels(first);
  });
  std::vector<std::pair<Probe, std::string>> asked;
  const auto ask = [&](const PlannedProbe& given) {
    Probe probe;
    probe.check = CheckKind::ipv6;
    probe.target = given.probe.target;
    probe.target.transport = Transport::tcp;
    probe.with["service"] = "true";
    asked.emplace_back(std::move(probe), given.probe.id);
  };
  ask(*webs.front());
  if (second != webs.end()) ask(**second);
  for (auto& [probe, given] : asked) add_control_given(probes, std::move(probe), given);
}

// Holds a relay over each transport of one TURN server of the set: the one that is reached over the
// most of them, since the transports that survive show which device cut the others.
void add_held_relays(ProbeList& probes, const TargetSet& set) {
  std::vector<const PlannedProbe*> best;
  std::map<std::string, std::vector<const PlannedProbe*>> by_host;
  for (const auto& id : probes.of_set(set)) {
    const auto& planned = probes.at(id);
    const auto& probe = planned.probe;
    if (probe.check != CheckKind::turn || !probe.target.route.direct()) continue;
    if (!planned.nearest_of.empty()) continue;
    auto& relays = by_host[probe.target.host];
    const bool known = std::any_of(relays.begin(), relays.end(), [&](const auto* other) {
      return other->probe.target.transport == probe.target.transport;
    });
    if (!known) relays.push_back(&planned);
    if (relays.size() > best.size()) best = relays;
  }
  std::vector<std::pair<Probe, std::string>> held;
  for (const auto* planned : best) {
    auto probe = planned->probe;
    probe.with["hold"] = "true";
    held.emplace_back(std::move(probe), planned->probe.id);
  }
  for (auto& [probe, given] : held) add_control_given(probes, std::move(probe), given);
}

// Asks this computer's own resolvers about Firefox's canary domain. No host is met.
void add_canary(ProbeList& probes) {
  Probe probe;
  probe.check = CheckKind::dns;
  probe.target.transport = Transport::udp;
  probe.with = {{"name", std::string(canary_name)}};
  probes.add_control(std::move(probe));
}

// A set whose calls cannot be measured says so, and what would help.
void say_unmeasured(ProbeList& probes, const TargetSet& set, const PlanOptions& options) {
  const auto ids = probes.of_set(set);
  const auto is = [&](CheckKind kind) {
    return std::any_of(ids.begin(), ids.end(),
                       [&](const auto& id) { return probes.at(id).probe.check == kind; });
  };
  if (is(CheckKind::media)) return;
  const bool by_login = is(CheckKind::turn) && !options.turn_login;
  probes.plan.notes.push_back(phrase(
      "A call with {} was not measured: {}.", set.title,
      by_login
          ? phrase(
                "its TURN servers relay a call only with a login. Set CALLREADY_TURN_USER and "
                "CALLREADY_TURN_PASSWORD, or run `callready serve` on a host outside this network")
          : phrase("none of its servers sends a stream back. Run `callready serve`, which does, on "
                   "a host outside this network")));
}

}  // namespace

void add_extra_probes(ProbeList& probes, const std::vector<const TargetSet*>& sets,
                      std::vector<Row>& rows, const PlanOptions& options) {
  for (auto& row : rows) add_own_nat_servers(probes, row);
  add_long_hellos(probes, sets);
  add_quic(probes, rows, options);
  if (std::any_of(sets.begin(), sets.end(), [](const auto* set) { return set->control; })) {
    add_canary(probes);
  }
  for (const auto* set : sets) {
    if (!set->control && options.v4) add_ipv6_of(probes, *set);
  }
  for (const auto* set : sets) {
    if (!options.quality || set->control) continue;
    if (options.turn_login) add_held_relays(probes, *set);
    add_candidates_of(probes, *set);
    if (options.turn_login) add_stream_of(probes, *set, rows);
    say_unmeasured(probes, *set, options);
  }
}

namespace {

// What else is asked of a SIP server, directly.
struct BesideSip {
  bool busy = false;     // by SIP ALG tests over UDP
  bool mirrors = false;  // it sends back what it got
  std::string stream;    // over a connection: "5061/tls", TCP if there is both
};

std::map<std::string, BesideSip> sip_servers(const ProbeList& probes,
                                             const std::vector<std::string>& ids) {
  std::map<std::string, BesideSip> servers;
  for (const auto& id : ids) {
    const auto& probe = probes.at(id).probe;
    const auto& target = probe.target;
    if (!target.route.direct()) continue;
    auto& beside = servers[target.host];
    if (probe.check == CheckKind::sip_alg) {
      beside.busy |= target.transport == Transport::udp;
      beside.mirrors |= probe.with.contains("mirror");
    }
    const bool over_stream = probe.check == CheckKind::sip && target.transport != Transport::udp &&
                             (beside.stream.empty() || target.transport == Transport::tcp);
    if (over_stream)
      beside.stream = fmt::format("{}/{}", target.port(), to_string(target.transport));
  }
  return servers;
}

}  // namespace

void add_long_sip(ProbeList& probes, const std::vector<const TargetSet*>& sets) {
  const PlannedProbe* best = nullptr;
  BesideSip its;
  int most = -1;
  for (const auto* set : sets) {
    if (set->control) continue;
    const auto ids = probes.of_set(*set);
    auto servers = sip_servers(probes, ids);
    for (const auto& id : ids) {
      const auto& planned = probes.at(id);
      const auto& probe = planned.probe;
      const auto& target = probe.target;
      if (probe.check != CheckKind::sip || target.transport != Transport::udp) continue;
      if (probe.with.contains("srv")) continue;
      const auto& beside = servers[target.host];
      const bool conditional =
          !planned.unless.empty() || !planned.unless_all.empty() || !planned.nearest_of.empty();
      const int worth = (beside.mirrors ? 8 : 0) + (conditional ? 0 : 4) +
                        (beside.stream.empty() ? 0 : 2) + (beside.busy ? 0 : 1);
      if (worth <= most) continue;
      most = worth;
      best = &planned;
      its = beside;
    }
  }
  if (best == nullptr) return;
  Probe probe;
  probe.check = CheckKind::sip_long;
  probe.target = best->probe.target;
  const auto domain = best->probe.with.find("domain");
  if (domain != best->probe.with.end()) probe.with.insert(*domain);
  if (!its.stream.empty()) probe.with.emplace("stream", its.stream);
  if (its.mirrors) probe.with.emplace("mirror", "true");
  add_control_given(probes, std::move(probe), best->probe.id);
}

}  // namespace callready
