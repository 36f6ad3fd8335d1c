// What is left over of the matrix of hosts and ports, one by one (docs/design.md, "How neighbours
// are told apart", 6): not enough to generalise.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>

#include "probe/diagnosis/finding_flow_groups.hpp"
#include "probe/diagnosis/finding_udp_flows.hpp"
#include "probe/diagnosis/finding_words.hpp"

namespace callready::findings {
namespace {

// The ports of these that answer nowhere, whose hosts are alive and of two operators: it is not for
// two servers to be down at once. (docs/design.md, rule 6, when it is not a firewall of the
// site's.) With what is silent on such a port elsewhere, whether it is known to leave the site or
// not.
std::vector<const Flow*> lost_everywhere(const Facts& facts, bool udp,
                                         const std::vector<const Flow*>& leaving) {
  std::set<std::uint16_t> ports;
  for (const auto* flow : leaving) ports.insert(flow->port);
  std::map<std::uint16_t, std::vector<const Flow*>> lost;
  std::map<std::uint16_t, std::set<std::string>> parties;
  for (const auto& flow : facts.flows) {
    if (flow.udp != udp) continue;
    if (flow.way == Reachability::open || flow.way == Reachability::refused) ports.erase(flow.port);
    const bool leaves = std::find(leaving.begin(), leaving.end(), &flow) != leaving.end();
    const bool answers_all = flow.samples.front().responder;
    if (!leaves && (flow.way != Reachability::lost || !answers_all)) continue;
    lost[flow.port].push_back(&flow);
    if (facts.alive(flow.host)) parties[flow.port].insert(flow.party);
  }
  std::vector<const Flow*> found;
  for (const auto port : ports) {
    if (parties[port].size() < 2) continue;
    found.insert(found.end(), lost[port].begin(), lost[port].end());
  }
  return found;
}

// What was sent, how far it got, and that nothing came back.
void add_what_they_saw(std::vector<FindingEvidence>& list, const std::vector<const Flow*>& flows) {
  constexpr std::size_t most = 8;
  for (const auto* flow : flows) {
    for (const auto& sample : flow->samples) {
      if (list.size() < most) list.push_back(what_it_saw(sample));
    }
  }
}

Cause lost_at_the_provider(const Diagnosis& context, const std::vector<const Flow*>& flows) {
  Cause cause;
  cause.explained = probes_of(context, flows);
  std::set<std::uint16_t> ports;
  for (const auto* flow : flows) ports.insert(flow->port);
  auto& finding = cause.finding;
  const bool udp = flows.front()->udp;
  finding.code =
      udp ? FindingCode::firewall_udp_port_blocked : FindingCode::firewall_tcp_port_blocked;
  finding.title = phrase("{} to {} is lost beyond this site, whatever the destination",
                         udp ? "UDP" : "TCP", named_ports({ports.begin(), ports.end()}));
  finding.owner = Owner::network;
  finding.confidence = Confidence::likely;
  finding.fix = phrase(
      "Ask the Internet provider to allow, with return traffic: {1}. This site lets it out{0}.{2}",
      udp ? phrase(" (check the firewall's log for dropped replies)") : "",
      flows_in_words(context.facts, cause.explained),
      where_the_list_is(context.facts, cause.explained));
  add_what_they_saw(finding.evidence, flows);
  if (const auto alive = reachable_port_of_same_host(context.facts, *flows.front())) {
    finding.evidence.push_back(*alive);
  }
  return cause;
}

// Packets leave the site, and whoever should answer everybody does not: the site is not to blame.
// Whether the provider drops them or the server is down cannot be told from here.
Causes find_lost_beyond(const Diagnosis& context) {
  const auto& facts = context.facts;
  std::map<bool, std::vector<const Flow*>> by_transport;  // true: UDP
  for (const auto& flow : facts.flows) {
    const bool lost = any_sample(flow, [&](const FlowSample& sample) {
      return sample.way == Reachability::lost && sample.responder &&
             facts.asked_for(*sample.result);
    });
    const bool leaves = flow.way == Reachability::left || peer_also_silent(facts, flow);
    if (!leaves || !lost) continue;
    const auto open = context.open_probes(flow);
    if (!context.breaks_capability(open) && !context.fails_required_row(open)) continue;
    by_transport[flow.udp].push_back(&flow);
  }
  Causes causes;
  std::vector<const Flow*> rest;
  for (const auto& [udp, flows] : by_transport) {
    const auto everywhere = lost_everywhere(facts, udp, flows);
    if (!everywhere.empty()) causes.push_back(lost_at_the_provider(context, everywhere));
    std::copy_if(flows.begin(), flows.end(), std::back_inserter(rest), [&](const Flow* flow) {
      return std::find(everywhere.begin(), everywhere.end(), flow) == everywhere.end();
    });
  }
  if (rest.empty()) return causes;
  Cause cause;
  cause.explained = probes_of(context, rest);
  auto& finding = cause.finding;
  finding.code = FindingCode::firewall_flow_blocked;
  const auto hosts = hosts_of(cause.explained);
  std::size_t subjects = 0;
  const auto subject = flows_in_subject(rest, subjects);
  finding.title = subjects > 1 ? phrase("{} are lost beyond this site", subject)
                               : phrase("{} is lost beyond this site", subject);
  finding.owner = Owner::vendor;
  finding.confidence = Confidence::possible;
  finding.fix = phrase(
      "Ask the operator of {} whether {} there; if so, ask the Internet provider to allow: {}. "
      "This site lets the traffic out.",
      listed(hosts), hosts.size() == 1 ? phrase("it answers") : phrase("they answer"),
      flows_in_words(facts, cause.explained));
  add_what_they_saw(finding.evidence, rest);
  causes.push_back(std::move(cause));
  return causes;
}

bool sampled_by(const Flow& flow, const ProbeResult& probe) {
  return any_sample(flow, [&](const FlowSample& sample) { return sample.result == &probe; });
}

// Ranges of which other ports get out, and these would be in it, too.
std::vector<const ProbeResult*> other_ranges_with(const Facts& facts,
                                                  const std::vector<const Flow*>& dead) {
  std::vector<const ProbeResult*> found;
  for (const auto& result : facts.report.probes) {
    if (result.probe.check != CheckKind::udp_range || failing(result)) continue;
    const auto& target = result.probe.target;
    const bool holds = std::any_of(dead.begin(), dead.end(), [&](const Flow* flow) {
      return flow->udp && flow->way == Reachability::blocked && flow->host == target.host &&
             target.ports.first <= flow->port && flow->port <= target.ports.last &&
             !sampled_by(*flow, result);
    });
    if (holds) found.push_back(&result);
  }
  return found;
}

// Over the same protocol, to other ports of that host.
bool some_get_out_beside(const Facts& facts, const Flow& flow) {
  return std::any_of(facts.flows.begin(), facts.flows.end(), [&](const Flow& other) {
    return other.udp == flow.udp && other.host == flow.host && out(other);
  });
}

}  // namespace

Causes find_flows(const Diagnosis& context) {
  const auto& facts = context.facts;
  auto causes = find_lost_beyond(context);
  std::set<const ProbeResult*> beyond;
  for (const auto& cause : causes) beyond.insert(cause.explained.begin(), cause.explained.end());
  // Flows that are left over, by operator: what several of them share is one cause.
  std::map<std::tuple<std::string, bool, bool, bool, bool>, std::vector<const Flow*>> by_party;
  // Who turns some of an operator's away with a word does not do so with others without one.
  std::set<std::string> told_no;
  for (const auto& flow : facts.flows) {
    if (any_sample(flow, [](const FlowSample& sample) { return !sample.by.empty(); })) {
      told_no.insert(flow.party);
    }
  }
  // Of the many ports of a range that gets out some may die by chance.
  const auto beside_others = [&](const Flow& flow) {
    return std::any_of(facts.flows.begin(), facts.flows.end(), [&](const Flow& other) {
      return out(other) && any_sample(other, [&](const FlowSample& sample) {
               return of_a_range(sample) && sampled_by(flow, *sample.result);
             });
    });
  };
  for (const auto& flow : facts.flows) {
    // Over UDP only who answers everybody is missed.
    const bool missed = flow.way == Reachability::lost &&
                        any_sample(flow, [](const FlowSample& sample) { return sample.responder; });
    if (flow.way != Reachability::blocked && !missed) continue;
    auto probes = context.open_probes(flow);
    std::erase_if(probes, [&](const ProbeResult* result) { return beyond.contains(result); });
    if (!context.affects_requirement(probes)) continue;
    if (flow.way == Reachability::lost && !context.breaks_capability(probes)) continue;
    const bool by_chance = missed && facts.line_loses();
    if (by_chance && times_lost(flow) < 3) continue;  // see find_loss
    const bool once = flow.way == Reachability::blocked && !firmly_blocked(facts, flow);
    const bool unlike_others = missed && told_no.contains(flow.party);
    by_party[{flow.party, once, by_chance, once && beside_others(flow), unlike_others}].push_back(
        &flow);
  }
  for (const auto& [kind, flows] : by_party) {
    Cause cause;
    cause.explained = probes_of(context, flows);
    cause.contradicted = other_ranges_with(facts, flows);
    auto& finding = cause.finding;
    const auto rule = flows_in_words(facts, cause.explained);
    finding.code = FindingCode::firewall_flow_blocked;
    std::size_t subjects = 0;
    const auto subject = flows_in_subject(flows, subjects);
    const bool several = subjects > 1;
    if (any_blocked(flows)) {
      finding.title = several ? phrase("{} do not get through", subject)
                              : phrase("{} does not get through", subject);
    } else {
      finding.title =
          several ? phrase("{} are not answered", subject) : phrase("{} is not answered", subject);
    }
    finding.owner = Owner::network;
    const auto many = std::count_if(flows.begin(), flows.end(), [&](const Flow* flow) {
      return flow->way == Reachability::blocked && !beside_others(*flow);
    });
    // So many die by chance, too, where a line loses packets and others of that host get out.
    const bool may_be_lost = facts.line_loses() && some_get_out_beside(facts, *flows.front());
    const bool sure = (many > 2 && !may_be_lost) ||
                      std::any_of(flows.begin(), flows.end(),
                                  [&](const Flow* flow) { return firmly_blocked(facts, *flow); });
    finding.confidence = sure ? Confidence::likely : Confidence::possible;
    finding.fix = phrase(
        "Look in the firewall's log for dropped packets from this computer, and allow {}, with "
        "return traffic: {}.{}",
        from_users(facts), rule,
        any_blocked(flows)
            ? ask_the_device(device_of(flows))
            : phrase(" If the log shows that the packets leave, ask the server's operator "
                     "whether it is up."));
    finding.evidence = evidence_for(flows, 6);
    if (const auto alive = reachable_port_of_same_host(facts, *flows.front())) {
      finding.evidence.push_back(*alive);
    }
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace callready::findings
