// A device in the path takes connections in everybody's name, and carries none on.
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/finding_flow_groups.hpp"
#include "probe/diagnosis/finding_rules.hpp"
#include "probe/diagnosis/finding_words.hpp"

namespace callready::findings {
namespace {

// The connection stood, and the greeting got no answer.
bool is_mute(const ProbeResult& result) {
  const auto& seen = result.observation;
  return seen.round_trip && seen.outcome == Outcome::failed &&
         (seen.detail == DetailCode::tls_timed_out || seen.detail == DetailCode::sip_timed_out ||
          seen.detail == DetailCode::timed_out);
}

// The shortest round trip to anybody who answered over TCP.
std::optional<Milliseconds> usual_round_trip(const Facts& facts) {
  std::optional<Milliseconds> shortest;
  for (const auto& result : facts.report.probes) {
    const auto& seen = result.observation;
    const bool answered = seen.outcome == Outcome::answered && seen.round_trip;
    if (!answered || is_udp(result) || !is_direct(result) || facts.inside(result)) continue;
    if (!shortest || *seen.round_trip < *shortest) shortest = *seen.round_trip;
  }
  return shortest;
}

}  // namespace

Causes find_taken_connections(const Diagnosis& context) {
  const auto& facts = context.facts;
  std::vector<const ProbeResult*> proof, mute;
  std::set<std::uint16_t> answering, taken;  // ports
  for (const auto& result : facts.report.probes) {
    const auto port = result.probe.target.port();
    if (is_taken_near(result)) {
      proof.push_back(&result);
      taken.insert(port);
    }
    if (is_udp(result) || !is_direct(result) || facts.inside(result)) continue;
    if (result.observation.outcome == Outcome::answered) answering.insert(port);
    if (is_mute(result) && !context.explained(result)) mute.push_back(&result);
  }
  if (proof.empty()) return {};
  const auto usual = usual_round_trip(facts);
  std::erase_if(mute, [&](const ProbeResult* result) {
    const auto port = result->probe.target.port();
    // Nobody out there is so much nearer than all others.
    const bool too_near = usual && *result->observation.round_trip * 4 < *usual;
    return answering.contains(port) || (!taken.contains(port) && !too_near);
  });
  if (mute.empty() || !context.affects_requirement(mute)) return {};
  std::set<std::uint16_t> ports;
  for (const auto* result : mute) ports.insert(result->probe.target.port());
  Cause cause;
  cause.explained = mute;
  auto& finding = cause.finding;
  finding.code = "firewall.tcp_port_blocked";
  finding.title = fmt::format("A device in the path answers TCP to {} itself and passes nothing on",
                              named_ports({ports.begin(), ports.end()}));
  finding.owner = Owner::network;
  finding.confidence = hosts_of(mute).size() > 1 ? Confidence::certain : Confidence::likely;
  finding.fix = fmt::format(
      "Exempt this traffic from the firewall's transparent proxy or inspection, and allow from the "
      "user network, with return traffic: {}.{}",
      flows_in_words(facts, cause.explained), where_the_list_is(facts, cause.explained));
  for (const auto* result : proof) {
    if (finding.evidence.size() == 2) break;
    const auto* hop = evidence_of(*result, EvidenceKind::hop);
    if (hop != nullptr) finding.evidence.push_back({result->probe.id, hop->text + "."});
  }
  add_what_they_saw(finding.evidence, mute, 6);
  return {cause};
}

}  // namespace callready::findings
