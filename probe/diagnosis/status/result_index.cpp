// What the probes of a run have shown together about hosts, ports and regions, whichever row asked.
#include <algorithm>
#include <set>

#include "probe/diagnosis/facts.hpp"
#include "probe/diagnosis/status/judge.hpp"

namespace callready {
namespace {

void keep_shorter(std::optional<Milliseconds>& place, Milliseconds distance) {
  if (!place || distance < *place) place = distance;
}

void keep_shorter_trip(HostNotes& notes, Milliseconds trip, bool udp) {
  keep_shorter(notes.distance, trip);
  if (udp) keep_shorter(notes.distance_by_udp, trip);
}

bool is_ipv6(const std::string& host) {
  const auto address = IpAddress::parse(host);
  return address && address->is_v6();
}

}  // namespace

ResultIndex::ResultIndex(const std::vector<ProbeResult>& results) {
  std::set<std::string> missing, found_elsewhere;
  // How long connections take says how far that device is, and not the host.
  const bool taken_near = std::ranges::any_of(results, findings::is_taken_near);
  by_id_.reserve(results.size());
  for (const auto& result : results) {
    const auto& [probe, seen] = result;
    const bool direct = probe.target.route.direct(), answered = seen.outcome == Outcome::answered;
    const bool unresolved = seen.outcome == Outcome::unresolved;
    if (unresolved && seen.detail == DetailCode::no_such_name) missing.insert(probe.target.host);
    const auto name = probe.with.find("name");
    if (asks_a_dns_server(probe) && name != probe.with.end() && answered)
      found_elsewhere.insert(name->second);
    // Something on the way answers for everybody: whether a name is really gone is not known.
    names_are_hidden |= findings::asks_nobody(probe) &&
                        findings::evidence_of(result, EvidenceKind::dns_answer) != nullptr;
    by_id_[probe.id] = &result;
    const auto& host = probe.target.host;
    auto& notes = hosts_[host];
    const bool names_host = !asks_system_resolvers(probe);
    const bool udp = findings::is_udp(result);
    const bool at_once =
        seen.round_trip && (udp || (!taken_near && *seen.round_trip < findings::second_syn));
    if (names_host && at_once && direct) {
      const bool near = probe.check == CheckKind::dns || probe.check == CheckKind::ntp ||
                        findings::is_inside(result);
      keep_shorter_trip(notes, *seen.round_trip, udp);
      if (!near) keep_shorter_trip(nearest, *seen.round_trip, udp);
    }
    proxy_carries |= !direct && reached(seen.outcome);
    without_ipv6 |= findings::has_no_route(result) && is_ipv6(host);
    notes.answers_sip |= probe.check == CheckKind::sip && answered;
    notes.died_on_the_way |= probe.check == CheckKind::hop && is_dropped(seen.detail);
    const bool by_ttl = probe.check == CheckKind::udp_range || probe.check == CheckKind::hop;
    // Most web servers do not speak QUIC.
    const bool unanswered = seen.outcome == Outcome::silent && probe.check != CheckKind::quic &&
                            (!by_ttl || is_dropped(seen.detail));
    const bool refused = seen.outcome == Outcome::refused || seen.outcome == Outcome::rejected;
    notes.troubled |= names_host && direct && (unanswered || refused);
    // A packet that was to end on the way has reached nobody there.
    notes.heard |= names_host && reached(seen.outcome) && seen.outcome != Outcome::passed;
    if (probe.check == CheckKind::quic && answered)
      quic_.try_emplace({host, probe.target.port()}, &result);
    if (probe.check == CheckKind::nat && answered && nat_test == nullptr) nat_test = &result;
    for (const auto& evidence : seen.evidence) {
      const bool way = evidence.kind == EvidenceKind::udp_port ||
                       evidence.kind == EvidenceKind::hop || evidence.kind == EvidenceKind::quic;
      if (!way) continue;
      // A question that found a router to go to says how far that is.
      notes.nobody_seen_on_the_way |= evidence.kind == EvidenceKind::hop &&
                                      seen.outcome == Outcome::silent &&
                                      !evidence.facts.contains(Fact::ttl);
      const auto fate = detail_fact(evidence, Fact::result);
      const bool left = fate == DetailCode::left_site;
      edge_answers |= left;
      if (left && probe.check == CheckKind::hop && probe.target.transport == Transport::tcp)
        syns_that_left_.try_emplace({host, probe.target.port()}, Departure{&result, &evidence});
      const auto port = port_fact(evidence, Fact::port);
      if (is_out(fate) && port && !findings::is_inside(result))
        left_.emplace(*port, Departure{&result, &evidence});
    }
  }
  names_are_hidden |= std::ranges::any_of(
      missing, [&](const std::string& name) { return found_elsewhere.contains(name); });
}

void ResultIndex::attribute(Attribution attribution) {
  static_cast<Attribution&>(*this) = std::move(attribution);
  for (const auto& entry : entries) {
    if (!has(entry.code, FindingTrait::shuts_hosts)) continue;
    for (const auto* result : results_of({entry.lost.begin(), entry.lost.end()}))
      hosts_[result->probe.target.host].closed = true;
  }
}

Probes ResultIndex::results_of(const std::vector<std::string>& ids) const {
  Probes results;
  for (const auto& id : ids) results.push_back(found_in(by_id_, id));
  std::erase(results, nullptr);
  return results;
}

const HostNotes& ResultIndex::notes_on(const std::string& host) const {
  static const HostNotes none;
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? none : found->second;
}

RegionDistances distances_of_regions(const std::vector<PlannedRequirement>& planned,
                                     const ResultIndex& index) {
  RegionDistances regions;
  for (const auto& row : planned) {
    for (const auto* result : index.results_of(row.probes)) {
      const auto& trip = result->observation.round_trip;
      if (!trip || !findings::is_direct(*result) || result->probe.region.empty()) continue;
      keep_shorter(regions[result->probe.region], *trip);
    }
  }
  return regions;
}

Departure ResultIndex::left_by_port(const PortRange& ports) const {
  const auto end = left_.upper_bound(ports.last);
  const auto sure = std::find_if(left_.lower_bound(ports.first), end, [&](const auto& left) {
    const auto& id = left.second.result->probe.id;
    return !loses(id) && doubt_about(id).empty();
  });
  return sure == end ? Departure() : sure->second;
}

Departure ResultIndex::syn_that_left(const std::string& host, std::uint16_t port) const {
  return found_in(syns_that_left_, {host, port});
}

const ProbeResult* ResultIndex::quic_answer(const Target& target) const {
  const bool one = target.transport == Transport::udp && target.ports.count() == 1;
  return one ? found_in(quic_, {target.host, target.port()}) : nullptr;
}

}  // namespace callready
