// UDP: single ports, where others get out (docs/design.md, "How neighbours are told apart", 2).
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/finding_flow_groups.hpp"
#include "probe/diagnosis/finding_udp_flows.hpp"
#include "probe/diagnosis/finding_words.hpp"

namespace callready::findings {
namespace {

// On a port that is shut others are silent for that reason, too, whether they answer everybody or
// not: those that were sent what died there.
void add_silent_alike(const std::vector<const Flow*>& flows, std::vector<const Flow*>& dead) {
  std::set<Payload> shut;
  for (const auto* flow : dead) {
    for (const auto& sample : flow->samples) {
      if (sample.way == Reachability::blocked) shut.insert(inspected_as(sample));
    }
  }
  for (const auto* flow : flows) {
    const bool known = std::find(dead.begin(), dead.end(), flow) != dead.end();
    const bool alike = any_sample(*flow, [&](const FlowSample& sample) {
      return sample.way == Reachability::lost && !of_a_range(sample) &&
             shut.contains(inspected_as(sample));
    });
    if (!known && alike && flow->way == Reachability::lost) dead.push_back(flow);
  }
}

}  // namespace

Causes find_udp_ports(const Diagnosis& context) {
  const auto& facts = context.facts;
  std::map<std::uint16_t, std::vector<const Flow*>> by_port;
  for (const auto* flow : udp_cells(facts)) {
    if (has_service(*flow)) by_port[flow->port].push_back(flow);
  }
  const auto all = udp_cells(facts);
  const bool udp_works =
      std::any_of(all.begin(), all.end(), [](const Flow* flow) { return out(*flow); });
  if (!udp_works) return {};
  Cause cause;
  std::vector<std::uint16_t> ports;
  std::vector<const Flow*> closed;
  std::set<Payload> spoken;  // what is answered anywhere
  for (const auto* flow : all) {
    for (const auto& sample : flow->samples) {
      if (sample.way == Reachability::open) spoken.insert(inspected_as(sample));
    }
  }
  auto confidence = Confidence::certain;
  for (const auto& [port, flows] : by_port) {
    std::vector<const Flow*> dead;
    std::set<std::string> silent_parties;
    std::set<Payload> payloads;
    bool works = false, named = false;
    int firm = 0;  // once to two hosts, or twice to one
    for (const auto* flow : flows) {
      works |= out(*flow);
      // What died with its host says nothing of the port.
      if (flow->way == Reachability::blocked && context.open_probes(*flow).empty()) continue;
      if (once_beside_refusals(facts, flows, *flow)) continue;
      if (flow->way == Reachability::blocked) {
        firm += firmly_blocked(facts, *flow) ? 2 : 1;
        dead.push_back(flow);
      }
      for (const auto& sample : flow->samples) {
        named |= !sample.by.empty();
        if (sample.way != Reachability::lost || !sample.responder) continue;
        silent_parties.insert(flow->party);
        payloads.insert(inspected_as(sample));
        if (flow->way == Reachability::lost) dead.push_back(flow);
      }
    }
    // Beside what died more often, a packet that a bad line may have lost is no part of it.
    const auto by_chance = [&](const Flow* flow) {
      return flow->way == Reachability::blocked && times_lost(*flow) < 2;
    };
    if (facts.line_loses() && !std::all_of(dead.begin(), dead.end(), by_chance)) {
      std::erase_if(dead, by_chance);
    }
    // Known responders of two operators, silent on this port alone: not where the protocol is
    // answered nowhere, which may be inspection.
    const bool spoken_elsewhere =
        std::any_of(payloads.begin(), payloads.end(),
                    [&](Payload payload) { return spoken.contains(payload); });
    const bool blocked = firm > 1;
    if (works || (!blocked && (silent_parties.size() < 2 || !spoken_elsewhere))) continue;
    if (blocked) add_silent_alike(flows, dead);
    ProbeList lost;
    for (const auto* flow : dead) lost.add(context, *flow);
    const auto& probes = lost.list();
    if (!context.affects_requirement(probes)) continue;
    ports.push_back(port);
    closed.insert(closed.end(), dead.begin(), dead.end());
    if (!named) confidence = Confidence::likely;
    cause.explained.insert(cause.explained.end(), probes.begin(), probes.end());
  }
  if (ports.empty()) return {};
  cause.contradicted = unmasked(closed);
  auto& finding = cause.finding;
  finding.code = FindingCode::firewall_udp_port_blocked;
  // Of one destination only, no more than that one is known.
  const bool one_host = std::all_of(closed.begin(), closed.end(), [&](const Flow* flow) {
    return flow->host == closed.front()->host;
  });
  finding.title = one_host ? phrase("The firewall blocks outgoing UDP to {} of {}",
                                    named_ports(ports), closed.front()->host)
                           : phrase("The firewall blocks outgoing UDP to {}", named_ports(ports));
  finding.owner = Owner::network;
  finding.confidence = confidence;
  finding.fix = phrase("Allow outgoing UDP (and return traffic) {}: {}.{}{}", from_users(facts),
                       asked_flows(facts, cause), ask_the_device(device_of(closed)),
                       where_the_list_is(facts, cause.explained));
  finding.evidence = udp_evidence(closed, 8);
  if (const auto control = control_for(facts, closed.front()->host)) {
    insert_second(finding.evidence, *control);
  }
  return {cause};
}

}  // namespace callready::findings
