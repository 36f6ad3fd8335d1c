// Destinations that are shut off as a whole, over TCP and UDP together (docs/design.md, "How
// neighbours are told apart", 6).
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/finding_flow_groups.hpp"
#include "probe/diagnosis/finding_udp_flows.hpp"
#include "probe/diagnosis/finding_words.hpp"
#include "probe/diagnosis/silence.hpp"

namespace callready::findings {
namespace {

// What is shut off as a whole: all of an operator's hosts, or one host of one that is reached
// elsewhere.
using Destination = std::vector<const Flow*>;

// A device on the way was caught turning this destination away, and not that port: of such a host
// no reset is its own.
bool impersonates(const Flow& flow, const Working& works) {
  return works.elsewhere(flow) &&
         any_sample(flow, [](const FlowSample& sample) { return sample.turned_away(); });
}

std::vector<Destination> destinations(const Facts& facts, const Working& works) {
  std::set<std::string> impersonated;
  for (const auto& flow : facts.flows) {
    if (impersonates(flow, works)) impersonated.insert(flow.host);
  }
  const auto heard = [&](const Flow& flow) {
    return out(flow) || (flow.way == Reachability::refused && !impersonated.contains(flow.host));
  };
  std::set<std::string> reached_parties;
  for (const auto& flow : facts.flows) {
    if (heard(flow)) reached_parties.insert(flow.party);
  }
  std::map<std::string, Destination> found;
  std::set<std::string> reached_hosts;
  for (const auto& flow : facts.flows) {
    if (heard(flow)) reached_hosts.insert(flow.host);
    found[reached_parties.contains(flow.party) ? flow.host : flow.party].push_back(&flow);
  }
  std::vector<Destination> dead;
  for (auto& [name, flows] : found) {
    if (!reached_hosts.contains(flows.front()->host)) dead.push_back(std::move(flows));
  }
  return dead;
}

struct Shut {
  std::vector<const Flow*> dead;  // what is reached elsewhere
  std::vector<const ProbeResult*> probes, unmasked;
  bool proved = false;  // something on the way was seen to block it
  bool guessed = true;  // but on one port: nobody said that anybody listens there, and it is silent
};

// The second round asks whether a host is alive on a port of which nobody said that it listens.
bool is_guess(const Flow& flow) {
  return std::all_of(flow.samples.begin(), flow.samples.end(), [](const FlowSample& sample) {
    return sample.result->probe.purpose == Purpose::neighbour;
  });
}

// Others whose same port fares no better: it may be the port.
std::set<std::string> shut_as_well(const Facts& facts, const Flow& flow) {
  std::set<std::string> hosts;
  for (const auto& other : facts.flows) {
    const bool same_port = other.udp == flow.udp && other.port == flow.port;
    if (same_port && other.host != flow.host && bad(other)) hosts.insert(other.host);
  }
  return hosts;
}

std::set<std::string> living_hosts(const Facts& facts) {
  std::set<std::string> hosts;
  for (const auto& flow : facts.flows) {
    if (out(flow)) hosts.insert(flow.host);
  }
  return hosts;
}

// What died there is of a kind that dies elsewhere as well, and gets out nowhere: it may be that.
bool kind_is_shut(const Facts& facts, const Flow& flow) {
  const auto is_shut = [&](const FlowSample& sample) {
    const auto kind = inspected_as(sample);
    return sample.way != Reachability::blocked ||
           (!facts.gets_out_as(kind) &&
            std::any_of(facts.flows.begin(), facts.flows.end(), [&](const Flow& other) {
              return other.udp && other.host != flow.host &&
                     any_sample(other, [&](const FlowSample& one) {
                       return one.way == Reachability::blocked && inspected_as(one) == kind;
                     });
            }));
  };
  return flow.udp && std::all_of(flow.samples.begin(), flow.samples.end(), is_shut);
}

// Nothing where that destination is not shut off, or nobody misses it.
std::optional<Shut> look_at(const Diagnosis& context, const Working& works,
                            const Destination& flows) {
  Shut shut;
  const auto living = living_hosts(context.facts);
  const bool device = std::any_of(flows.begin(), flows.end(),
                                  [&](const Flow* flow) { return impersonates(*flow, works); });
  // Ports that are reached elsewhere; and all on which a device was caught, which on one that is
  // reached elsewhere is after the destination.
  std::set<std::pair<bool, std::uint16_t>> dead_ports, refused_ports, named_ports;
  std::set<std::string> by_tcp;  // hosts
  for (const auto* flow : flows) {
    // A media port or a SIP server that says nothing is no evidence.
    const bool heard = flow->way == Reachability::blocked ||
                       (flow->way == Reachability::refused && device) ||
                       (flow->way == Reachability::lost && flow->samples.front().responder);
    const bool blocked = flow->way == Reachability::blocked && !kind_is_shut(context.facts, *flow);
    if (blocked && !context.open_probes(*flow).empty()) {
      const auto others = shut_as_well(context.facts, *flow);
      const bool some_live = std::any_of(others.begin(), others.end(),
                                         [&](const auto& host) { return living.contains(host); });
      const bool the_port = some_live && !works.elsewhere(*flow);
      if (!the_port) refused_ports.insert({flow->udp, flow->port});
      if (!flow->udp && others.empty()) by_tcp.insert(flow->host);
    }
    if (!heard || !works.elsewhere(*flow) || peer_also_silent(context.facts, *flow)) continue;
    shut.dead.push_back(flow);
    dead_ports.insert({flow->udp, flow->port});
    const bool silent_guess = is_guess(*flow) && flow->way == Reachability::lost;
    if (!silent_guess) named_ports.insert({flow->udp, flow->port});
  }
  named_ports.insert(refused_ports.begin(), refused_ports.end());
  shut.guessed = named_ports.size() < 2;
  // Where only UDP is seen to be shut, and on hosts of which nothing else is known, media ports and
  // SIP servers that say nothing may be reached.
  for (const auto* flow : shut.dead) {
    if (!flow->udp) by_tcp.insert(flow->host);
  }
  auto lost = flows;
  std::erase_if(lost, [&](const Flow* flow) {
    return !by_tcp.contains(flow->host) && flow->way == Reachability::lost &&
           !flow->samples.front().responder;
  });
  shut.probes = probes_of(context, lost);
  shut.unmasked = unmasked(flows);
  shut.proved = std::any_of(shut.dead.begin(), shut.dead.end(), [&](const Flow* flow) {
    return context.facts.line_loses() ? firmly_blocked(context.facts, *flow)
                                      : flow->way == Reachability::blocked;
  });
  // One port is no more than chance where packets to it died once.
  const bool sure = std::any_of(shut.dead.begin(), shut.dead.end(), [&](const Flow* flow) {
    return firmly_blocked(context.facts, *flow) || flow->way != Reachability::blocked;
  });
  const bool alike = dead_ports.size() > 1 || (sure && refused_ports.size() > 1);
  if (!alike || !context.affects_requirement(shut.probes)) return std::nullopt;
  if (!shut.proved && !context.breaks_capability(shut.probes)) return std::nullopt;
  return shut;
}

Cause say_shut(const Diagnosis& context, const Shut& shut) {
  const auto& facts = context.facts;
  Cause cause;
  cause.explained = shut.probes;
  cause.contradicted = shut.unmasked;
  const auto hosts = hosts_of(shut.probes);
  const auto is_by_udp = [](const ProbeResult* result) { return is_udp(*result); };
  const auto& probes = shut.probes;
  const Text what = std::all_of(probes.begin(), probes.end(), is_by_udp) ? phrase("No UDP")
                    : std::none_of(probes.begin(), probes.end(), is_by_udp)
                        ? phrase("No TCP connection")
                        : phrase("Nothing");
  auto& finding = cause.finding;
  finding.code = FindingCode::firewall_destination_blocked;
  finding.title = shut.proved ? phrase("{} gets through to {}", what, listed(hosts))
                              : phrase("Nothing comes back from {}", listed(hosts));
  finding.owner = Owner::network;
  // One server that is silent on all its ports may be off, one that is silent on one port and on
  // another that was guessed may be shut on that one; and where others answered only when they were
  // asked again, so may these.
  const bool doubtful = hosts.size() == 1 || shut.guessed || facts.line_loses();
  finding.confidence = shut.proved ? Confidence::certain
                       : doubtful  ? Confidence::possible
                                   : Confidence::likely;
  finding.fix = phrase(
      "Unblock {} on the firewall and on any web filter (by address, name, country or category), "
      "and allow {}, with return traffic: {}.{}{}",
      hosts.size() == 1 ? phrase("this destination") : phrase("these destinations"),
      from_users(facts), flows_in_words(facts, probes),
      shut.proved ? ask_the_device(device_of(shut.dead))
                  : phrase(" If the firewall's log shows that the packets leave, ask the servers' "
                           "operator whether they are up."),
      where_the_list_is(facts, probes));
  finding.evidence = evidence_for(shut.dead, 8);
  std::set<std::uint16_t> ports;
  for (const auto* flow : shut.dead) ports.insert(flow->port);
  const FindingEvidence contrast{"", phrase("The same ports ({}) of other hosts are reachable.",
                                            ports_in_words({ports.begin(), ports.end()}))};
  insert_second(finding.evidence, contrast);
  return cause;
}

void add(Shut& to, const Shut& more) {
  to.dead.insert(to.dead.end(), more.dead.begin(), more.dead.end());
  to.probes.insert(to.probes.end(), more.probes.begin(), more.probes.end());
  to.unmasked.insert(to.unmasked.end(), more.unmasked.begin(), more.unmasked.end());
  to.guessed &= more.guessed;
}

}  // namespace

Causes find_destinations(const Diagnosis& context) {
  const Working works(context.facts);
  std::vector<Shut> found;
  std::set<std::string> proved;  // operators
  for (const auto& flows : destinations(context.facts, works)) {
    auto shut = look_at(context, works, flows);
    if (!shut) continue;
    shut->proved &= !shut->guessed;
    if (shut->proved) proved.insert(flows.front()->party);
    found.push_back(std::move(*shut));
  }
  // What is only silent may be down: no part of the block, but where that is the same operator's
  // and more than a guess.
  Shut blocked, silent;
  blocked.proved = true;
  for (const auto& shut : found) {
    const bool same = proved.contains(shut.dead.front()->party) && !shut.guessed;
    add(same ? blocked : silent, shut);
  }
  Causes causes;
  for (const auto& shut : {blocked, silent}) {
    if (!shut.dead.empty()) causes.push_back(say_shut(context, shut));
  }
  return causes;
}

}  // namespace callready::findings
