// Media below the vendor's figures. From one end only the delay can be told, and from half of a
// round trip: an estimate, which the row makes (requirement.cpp) and this one explains.
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/finding_rules.hpp"
#include "probe/diagnosis/finding_words.hpp"

namespace callready::findings {
namespace {

// The one that answered fastest of those that `wanted` takes; null where none was timed.
template <typename Wanted>
const ProbeResult* nearest(const Facts& facts, Wanted wanted) {
  const ProbeResult* best = nullptr;
  for (const auto& result : facts.report.probes) {
    const auto& trip = result.observation.round_trip;
    if (!trip || !is_direct(result) || facts.inside(result) || !wanted(result)) continue;
    if (best == nullptr || *trip < *best->observation.round_trip) best = &result;
  }
  return best;
}

FindingEvidence trip_in_words(const ProbeResult& result) {
  return {result.probe.id, fmt::format("{} answers after {:.0f} ms.", result.probe.target.host,
                                       result.observation.round_trip->count())};
}

}  // namespace

Causes find_media_delay(const Diagnosis& context) {
  const auto& facts = context.facts;
  Cause cause;
  std::set<std::string> hosts;  // of the rows that are too slow; other rows may have timed them
  std::vector<FindingEvidence> rows;
  for (const auto& set : facts.report.sets) {
    for (const auto& row : set.requirements) {
      if (!row.poor) continue;
      for (const auto& id : row.probes) {
        const auto* result = facts.find(id);
        if (result == nullptr) continue;
        hosts.insert(result->probe.target.host);
        cause.explained.push_back(result);
      }
      rows.push_back({"", fmt::format("{}: {}.", row.title, row.summary)});
    }
  }
  // By UDP where that was timed: a satellite modem or a transparent proxy answers TCP by itself.
  const auto timed = [&](bool udp) {
    return nearest(facts, [&](const ProbeResult& result) {
      return hosts.contains(result.probe.target.host) && is_udp(result) == udp;
    });
  };
  const auto* server = timed(true) != nullptr ? timed(true) : timed(false);
  if (server == nullptr) return {};
  // Public services stand near everywhere: where they are as slow, it is the line. Like is compared
  // with like, and no name or time servers: routers answer in their place.
  const auto vendors = facts.hosts_asked_for();
  const auto* anchor = nearest(facts, [&](const ProbeResult& result) {
    const auto& check = result.probe.check;
    return result.probe.control && !vendors.contains(result.probe.target.host) &&
           is_udp(result) == is_udp(*server) && check != CheckKind::dns && check != CheckKind::ntp;
  });
  auto& finding = cause.finding;
  finding.code = "media.delay";
  finding.owner = Owner::network;
  finding.confidence = anchor == nullptr ? Confidence::possible : Confidence::likely;
  if (anchor == nullptr) {
    finding.title = "The service's nearest servers answer late: people will talk over each other";
    finding.fix =
        "Compare with other sites on the Internet, and run again by cable and without VPN: where "
        "they are as slow, ask the Internet provider; where they are not, ask the vendor for "
        "servers nearer to this site.";
  } else if (*anchor->observation.round_trip > *server->observation.round_trip / 2) {
    finding.title = "The line is slow: people will talk over each other";
    finding.fix =
        "Find what delays the packets: a full line, Wi-Fi, a VPN, a mobile or satellite link. Run "
        "again by cable, and without VPN; if it stays so, ask the Internet provider.";
  } else {
    finding.owner = Owner::vendor;
    finding.title = "The service's nearest servers are far away: people will talk over each other";
    finding.fix =
        "Nothing is to be changed on the network. Ask the vendor for servers nearer to this site, "
        "or whether the account belongs to the right region.";
  }
  finding.evidence.push_back(trip_in_words(*server));
  if (anchor != nullptr) finding.evidence.push_back(trip_in_words(*anchor));
  finding.evidence.insert(finding.evidence.end(), rows.begin(),
                          rows.begin() + std::min<std::ptrdiff_t>(std::ssize(rows), 4));
  return {cause};
}

}  // namespace callready::findings
