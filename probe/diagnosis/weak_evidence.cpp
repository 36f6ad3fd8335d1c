#include "probe/diagnosis/weak_evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "probe/diagnosis/finding_flow_groups.hpp"
#include "probe/diagnosis/finding_rules.hpp"
#include "probe/diagnosis/finding_udp_flows.hpp"
#include "probe/diagnosis/silence.hpp"

namespace callready::findings {
namespace {

using Endpoint = std::pair<std::string, std::uint16_t>;

Endpoint endpoint_of(const Probe& probe) { return {probe.target.host, probe.target.port()}; }

// TCP ports on which somebody near takes connections in everybody's name: a packet that was to end
// on the way was answered, or TLS is opened. Of two ports: all of them.
std::set<std::uint16_t> taken_ports(const Facts& facts) {
  std::set<std::uint16_t> ports;
  for (const auto& result : facts.report.probes) {
    const bool opened = is_direct(result) && !is_udp(result) && has_foreign_root(result);
    if (opened || is_taken_near(result)) ports.insert(result.probe.target.port());
  }
  return ports;
}

// Connections stand and say nothing, to hosts of which the same is answered on another port:
// perhaps somebody on the way takes them. Who opens TLS is mute for a reason of its own.
bool mute_where_it_answers(const Facts& facts) {
  constexpr std::size_t enough = 3;  // hosts; two servers may have a port out of order
  auto turn = turn_over_connections(facts);
  std::erase_if(turn.mute, [&](const auto& host) {
    return !turn.plain.contains(host) && !turn.tls.contains(host);
  });
  return turn.mute.size() >= enough;
}

// Where packets to a host died on ports of a range, none of which got out.
struct Deaths {
  std::uint16_t first = 65'535, last = 0;
  std::int64_t ttl = 0;  // of the router that they were to reach; 0: not known
};

// How far out a router was that was asked, and how far out packets to a host died, by the second
// round's packets, which tell.
struct Depths {
  explicit Depths(const Facts& facts) {
    for (const auto& flow : facts.flows) {
      for (const auto& sample : flow.samples) {
        const auto* hop = evidence_of(*sample.result, EvidenceKind::hop);
        const std::int64_t ttl =
            hop == nullptr ? 0
                           : static_cast<std::int64_t>(number_fact(*hop, Fact::ttl).value_or(0));
        if (!sample.left_at.empty() && hop != nullptr) routers.emplace(sample.left_at, ttl);
        const bool died = flow.udp && flow.way == Reachability::blocked && sample.by.empty() &&
                          sample.way == Reachability::blocked && !sample.forged;
        if (!died) continue;
        auto& there = deaths[flow.host];
        there.first = std::min(there.first, flow.port);
        there.last = std::max(there.last, flow.port);
        there.ttl = std::max(there.ttl, ttl);
      }
    }
  }

  // A host to which packets to the same ports died further out than these were seen; or empty.
  std::string died_further_out(const ProbeResult& result) const {
    std::int64_t seen_at = 0;
    for (const auto& evidence : result.observation.evidence) {
      if (detail_fact(evidence, Fact::result) != DetailCode::left_site) continue;
      const auto known = routers.find(text_fact(evidence, Fact::by));
      if (known == routers.end()) return {};
      seen_at = std::max(seen_at, known->second);
    }
    const auto& ports = result.probe.target.ports;
    for (const auto& [host, there] : deaths) {
      const bool same = host != result.probe.target.host && ports.first <= there.last &&
                        there.first <= ports.last && there.first < there.last;
      if (seen_at > 0 && same && there.ttl > seen_at) return host;
    }
    return {};
  }

  std::map<std::string, std::int64_t> routers;  // the TTL that ends there
  std::map<std::string, Deaths> deaths;         // by host
};

// A port of a range that could not be measured, where its neighbours are blocked; 0: none.
std::int64_t unmeasured_beside(const ProbeResult& result, const std::vector<PortRange>& blocked) {
  for (const auto& evidence : result.observation.evidence) {
    const auto port = number_fact(evidence, Fact::port).value_or(0);
    const bool silent = evidence.kind == EvidenceKind::udp_port &&
                        detail_fact(evidence, Fact::result) == DetailCode::silent;
    const bool beside = std::any_of(blocked.begin(), blocked.end(), [&](const PortRange& range) {
      return range.first <= port && port <= range.last;
    });
    if (silent && beside) return static_cast<std::int64_t>(port);
  }
  return 0;
}

// UDP ports on which packets to two networks died, and none got out.
std::set<std::uint16_t> ports_shut_for_all(const Facts& facts) {
  std::map<std::uint16_t, std::set<std::string>> died;  // networks
  std::set<std::uint16_t> open;
  for (const auto& flow : facts.flows) {
    if (!flow.udp) continue;
    if (flow.way != Reachability::blocked && flow.way != Reachability::lost) open.insert(flow.port);
    if (flow.way == Reachability::blocked) died[flow.port].insert(flow.network);
  }
  std::set<std::uint16_t> ports;
  for (const auto& [port, networks] : died) {
    if (networks.size() > 1 && !open.contains(port)) ports.insert(port);
  }
  return ports;
}

// One of these within the range that was asked for; 0: none.
std::uint16_t shut_within(const ProbeResult& result, const std::set<std::uint16_t>& shut) {
  if (result.probe.check != CheckKind::udp_range) return 0;
  const auto& ports = result.probe.target.ports;
  const auto found = shut.lower_bound(ports.first);
  return found != shut.end() && *found <= ports.last ? *found : std::uint16_t{0};
}

// The shortest round trips to hosts that answered.
std::map<std::string, Milliseconds> distances(const Facts& facts) {
  std::map<std::string, Milliseconds> shortest;
  for (const auto& result : facts.report.probes) {
    const auto& seen = result.observation;
    const bool spoke = seen.outcome == Outcome::answered || seen.outcome == Outcome::connected;
    if (!spoke || !seen.round_trip || !is_direct(result)) continue;
    const auto known = shortest.try_emplace(result.probe.target.host, *seen.round_trip).first;
    known->second = std::min(known->second, *seen.round_trip);
  }
  return shortest;
}

// A refusal in the host's name that came in a fraction of what its own answers take.
bool too_soon(const ProbeResult& refused, const std::map<std::string, Milliseconds>& distances) {
  constexpr double fraction = 3, least_ms = 20;
  const auto known = distances.find(refused.probe.target.host);
  const auto& took = refused.observation.round_trip;
  if (known == distances.end() || !took || !only_refused(refused)) return false;
  const auto own = known->second.count();
  return own > fraction * took->count() && own - took->count() > least_ms;
}

// The router that saw the packets, where none did that does not stop others for sure; else empty.
std::string no_farther_than(const Facts& facts, const ProbeResult& result) {
  std::string ours;
  for (const auto& evidence : result.observation.evidence) {
    const auto router = text_fact(evidence, Fact::by);
    if (detail_fact(evidence, Fact::result) != DetailCode::left_site || router.empty()) continue;
    if (!facts.proves_no_way(router, is_udp(result))) return {};
    ours = router;
  }
  return ours;
}

// Packets that died on the way once, and what refusals in the server's name turned out to be a
// device's: of these no row says more than that it is not known. `after_all`: what got out when it
// was asked again.
void doubt_single_proofs(const Facts& facts, const std::set<std::string>& explained,
                         const std::set<std::string>& after_all,
                         std::map<std::string, Text>& reasons) {
  constexpr std::size_t most_by_chance = 2;
  using Host = std::pair<std::string, bool>;
  std::map<Host, std::size_t> died;  // ports of a host over UDP (true) or TCP
  std::map<std::string, Host> once;  // of a probe
  std::set<std::string> firm;
  for (const auto& flow : facts.flows) {
    for (const auto& sample : flow.samples) {
      if (sample.way != Reachability::blocked) continue;
      const auto& id = sample.result->probe.id;
      if (sample.refusal && !failing(*sample.result)) {
        reasons.emplace(id, phrase("a device in the path sends refusals in the server's name"));
      } else if (firmly_blocked(facts, flow) || sample.turned_away()) {
        firm.insert(id);
      } else {
        const Host host{flow.host, flow.udp};
        ++died[host];
        once.emplace(id, host);
        for (const auto& other : flow.samples) {
          if (other.result->observation.outcome != Outcome::passed) continue;
          reasons.emplace(other.result->probe.id,
                          phrase("packets to port {} were dropped in transit", flow.port));
        }
      }
    }
  }
  for (const auto& [id, host] : once) {
    if (died[host] > most_by_chance || firm.contains(id) || explained.contains(id)) continue;
    if (after_all.contains(id)) continue;
    reasons.emplace(id, phrase("one packet was lost, as can happen on any poor line"));
  }
}

// Granted, and what was sent through it came neither here nor there: a firewall may drop what goes
// to the relay's port, and no second relay showed more.
bool carried_nothing(const ProbeResult& result) {
  const auto* trip = evidence_of(result, EvidenceKind::relay_trip);
  return result.observation.outcome == Outcome::answered &&
         result.observation.detail == DetailCode::allocated && trip != nullptr &&
         flag_fact(*trip, Fact::outbound) == std::optional(false) &&
         flag_fact(*trip, Fact::inbound) == std::optional(false);
}

// Greetings that were answered the second time, by a check that looks at no certificate.
void doubt_unseen_certificates(const Facts& facts, const std::set<std::string>& after_all,
                               std::map<std::string, Text>& reasons) {
  std::set<Endpoint> seen;
  for (const auto& result : facts.report.probes) {
    const bool again = result.probe.purpose == Purpose::repeat && !chain_of(result).empty();
    if (again) seen.insert(endpoint_of(result.probe));
  }
  for (const auto& result : facts.report.probes) {
    const auto& id = result.probe.id;
    const bool tls = result.probe.target.transport == Transport::tls && after_all.contains(id);
    if (tls && !seen.contains(endpoint_of(result.probe))) {
      reasons.emplace(id, phrase("its certificate was not checked then"));
    }
  }
}

}  // namespace

std::map<std::string, Text> doubted(const Facts& facts, const std::set<std::string>& explained) {
  std::map<std::string, Text> reasons;
  const auto after_all = got_out_after_all(facts);
  doubt_single_proofs(facts, explained, after_all, reasons);
  doubt_unseen_certificates(facts, after_all, reasons);
  const Silence silence(facts, explained);
  const bool limited = new_flows_are_limited(facts);
  const auto taken = taken_ports(facts);
  const bool others_are_mute = mute_where_it_answers(facts);
  const auto blocked = perhaps_blocked(facts);
  const Depths depths(facts);
  const auto trips = distances(facts);
  const auto shut_for_all = ports_shut_for_all(facts);
  for (const auto& result : facts.report.probes) {
    if ((facts.line_loses() || limited) && got_no_answer(result) &&
        !explained.contains(result.probe.id)) {
      reasons.insert_or_assign(result.probe.id, limited && is_udp(result)
                                                    ? phrase("this network limits new flows")
                                                    : phrase("this line loses packets"));
    }
    if (carried_nothing(result)) {
      reasons.emplace(result.probe.id, phrase("it granted a relay, but no data came through it"));
    }
    if (!is_direct(result)) continue;
    const bool on_taken_port = taken.size() > 1 || taken.contains(result.probe.target.port());
    const bool stands = result.observation.outcome == Outcome::connected && !is_udp(result);
    if (stands && !facts.inside(result) && (on_taken_port || others_are_mute)) {
      reasons.emplace(result.probe.id,
                      on_taken_port ? phrase("a device in the path answers every connection itself")
                                    : phrase("other connections also open but carry nothing, "
                                             "although the same servers answer on another port"));
    }
    if (result.observation.outcome != Outcome::passed && !after_all.contains(result.probe.id)) {
      continue;
    }
    const auto router = no_farther_than(facts, result);
    auto reason = router.empty()
                      ? silence.about(result)
                      : phrase("no packet was seen farther out than {}, {}", router,
                               facts.may_be_ours(router) ? phrase("which may be this site's own")
                               : facts.may_stop_others(router)
                                   ? phrase("which stops other packets")
                                   : phrase("beyond which other packets are stopped"));
    if (reason.empty() && too_soon(result, trips)) {
      reason = phrase("the refusal in the name of {} comes sooner than its own answer could",
                      result.probe.target.host);
    }
    if (reason.empty() && facts.udp_refusals_are_forged() && only_refused(result)) {
      reason = phrase("a device in the path was seen sending refusals in another host's name");
    }
    const auto unmeasured = unmeasured_beside(result, blocked);
    if (reason.empty() && unmeasured != 0) {
      reason = phrase("port {} could not be measured, and ports beside it are blocked", unmeasured);
    }
    const auto shut_port = shut_within(result, shut_for_all);
    if (reason.empty() && shut_port != 0) {
      reason = phrase("packets to port {} on other hosts were dropped in transit", shut_port);
    }
    const auto shut = depths.died_further_out(result);
    if (reason.empty() && !shut.empty()) {
      reason = phrase(
          "packets to the same ports on {} were dropped farther out than these were seen", shut);
    }
    if (!reason.empty()) reasons.emplace(result.probe.id, std::move(reason));
  }
  return reasons;
}

std::set<std::string> got_out_after_all(const Facts& facts) {
  std::set<std::string> gone, open;
  for (const auto& flow : facts.flows) {
    for (const auto& sample : flow.samples) {
      const bool died = sample.way == Reachability::blocked && sample.by.empty() && !sample.forged;
      const bool passed = any_sample(flow, [&](const FlowSample& other) {
        const bool out = other.way == Reachability::open || other.way == Reachability::left;
        return out && inspected_as(other) == inspected_as(sample);  // it may drop one only
      });
      // Who was named stands, whatever died beside.
      const bool turned_away = sample.way == Reachability::blocked && !died;
      if (died || turned_away) (died && passed ? open : gone).insert(sample.result->probe.id);
    }
  }
  for (const auto& id : gone) open.erase(id);
  std::set<std::tuple<CheckKind, std::string, Transport, std::uint16_t>> answered;  // the 2nd time
  // TLS that is opened to see how large packets get is TLS.
  const auto key = [](const Probe& probe) {
    const auto& target = probe.target;
    const bool tls = probe.check == CheckKind::path && target.transport == Transport::tls;
    return std::tuple(tls ? CheckKind::tls : probe.check, target.host, target.transport,
                      target.port());
  };
  for (const auto& [probe, seen] : facts.report.probes) {
    if (probe.purpose == Purpose::repeat && reached(seen.outcome)) answered.insert(key(probe));
  }
  for (const auto& result : facts.report.probes) {
    if (got_no_answer(result) && is_direct(result) && answered.contains(key(result.probe))) {
      open.insert(result.probe.id);
    }
  }
  return open;
}

}  // namespace callready::findings
