// TCP by a matrix of hosts and ports: ports that are closed wherever they lead to (docs/design.md,
// "How neighbours are told apart", 4 and 6).
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/finding_flow_groups.hpp"
#include "probe/diagnosis/finding_words.hpp"

namespace callready::findings {
namespace {

bool is_web(std::uint16_t port) { return port == 80 || port == 443; }

// Operators of which a port is closed that gets out to others, and of which nothing is reached.
std::set<std::string> shut_parties(const Facts& facts, const Working& works) {
  const auto hosts = shut_hosts(facts, works);
  std::set<std::string> shut;
  for (const auto& flow : facts.flows) {
    if (hosts.contains(flow.host)) shut.insert(flow.party);
  }
  for (const auto& flow : facts.flows) {
    if (facts.alive(flow.host)) shut.erase(flow.party);
  }
  return shut;
}

// Some got farther than others died, though not out for certain: a list is at work.
bool some_get_farther(const Facts& facts, const std::vector<const Flow*>& flows) {
  return any_blocked(flows) && std::any_of(facts.report.probes.begin(), facts.report.probes.end(),
                                           [](const ProbeResult& result) {
                                             const auto& target = result.probe.target;
                                             return result.probe.check == CheckKind::hop &&
                                                    is_direct(result) && !is_udp(result) &&
                                                    !is_web(target.port()) &&
                                                    result.observation.outcome == Outcome::passed;
                                           });
}

}  // namespace

Causes find_web_only(const Diagnosis& context) {
  const auto& facts = context.facts;
  const auto udp = udp_is_blocked(facts);
  if (!udp || udp->confidence == Confidence::possible) return {};
  std::set<std::string> secure;
  for (const auto& flow : facts.flows) {
    if (flow.udp || flow.port != 443) continue;
    for (const auto& sample : flow.samples) {
      const auto& result = *sample.result;
      const bool tls = result.probe.target.transport == Transport::tls;
      // Whoever signs: a sign-in page, which shows none, was judged before.
      if (tls && !chain_of(result).empty()) secure.insert(flow.network);
    }
  }
  const auto others =
      facts.select([](const Flow& flow) { return !flow.udp && !is_web(flow.port); });
  std::set<std::uint16_t> ports;
  std::set<std::string> networks, parties;
  // What is shut as a whole says nothing of its ports.
  const auto shut = shut_parties(facts, Working(facts));
  for (const auto* flow : others) {
    if (!bad(*flow)) return {};
    // Where we tried a port besides, the host need not answer.
    const bool guess = flow->way == Reachability::lost && !facts.asked_for(*flow);
    if (guess || shut.contains(flow->party)) continue;
    ports.insert(flow->port);
    networks.insert(flow->network);
    parties.insert(flow->party);
  }
  if (some_get_farther(facts, others)) return {};
  if (secure.size() < 2 || ports.size() < 3 || networks.size() < 2 || parties.size() < 2) return {};
  Cause cause;
  cause.explained = probes_of(context, others);
  const auto lost_udp = failing_udp(context);
  cause.explained.insert(cause.explained.end(), lost_udp.begin(), lost_udp.end());
  if (!context.affects_requirement(cause.explained)) return {};
  auto& finding = cause.finding;
  finding.code = FindingCode::firewall_web_only;
  const bool plain_web = std::any_of(facts.flows.begin(), facts.flows.end(), [](const Flow& flow) {
    return !flow.udp && flow.port == 80 && out(flow);
  });
  finding.title = phrase("The firewall lets only web traffic out (TCP {}443)",
                         plain_web ? phrase("80 and ") : "");
  cause.closes = plain_web ? Closes::all_but_web : Closes::all_but_https;
  finding.owner = Owner::network;
  finding.confidence = udp->confidence;
  finding.fix = phrase("Allow outgoing and return traffic {}: {}.{}", from_users(facts),
                       asked_flows(facts, cause), where_the_list_is(facts, cause.explained));
  finding.evidence.push_back(
      {"", phrase("HTTPS to {} networks works; TCP {} to {} networks does not.", secure.size(),
                  ports_in_words({ports.begin(), ports.end()}), networks.size())});
  finding.evidence.insert(finding.evidence.end(), udp->evidence.begin(), udp->evidence.end());
  const auto more = evidence_for(others, 4);
  finding.evidence.insert(finding.evidence.end(), more.begin(), more.end());
  return {cause};
}

Causes find_tcp_ports(const Diagnosis& context) {
  const auto& facts = context.facts;
  std::map<std::uint16_t, std::vector<const Flow*>> by_port;
  for (const auto& flow : facts.flows) {
    if (!flow.udp) by_port[flow.port].push_back(&flow);
  }
  const auto shut = shut_hosts(facts, Working(facts));
  // A missing rule rarely misses one port: all closed ports are one cause, and one ticket.
  Cause cause;
  std::vector<const Flow*> closed;
  std::vector<std::uint16_t> ports;
  std::set<std::string> all_networks;
  bool proved = true;
  for (const auto& [port, flows] : by_port) {
    std::vector<const Flow*> dead, silent;  // silent: by hosts that may be down
    std::set<std::string> networks, resetting;
    bool works = false;
    for (const auto* flow : flows) {
      works |= out(*flow) || (flow->way == Reachability::refused && flow->left);
      if (once_beside_refusals(facts, flows, *flow)) continue;
      const bool alive = facts.alive(flow->host) || flow->way == Reachability::blocked;
      if (!bad(*flow) || shut.contains(flow->host)) continue;
      (alive ? dead : silent).push_back(flow);
      const bool refused = alive && flow->way == Reachability::refused;
      if (refused && !facts.refuses_itself(flow->host)) resetting.insert(flow->party);
    }
    // Resets of one operator may be its own; of two, on one port, they are not.
    if (resetting.size() < 2) {
      std::erase_if(dead, [](const auto* flow) { return flow->way == Reachability::refused; });
    }
    for (const auto* flow : dead) networks.insert(flow->network);
    if (works || networks.size() < 2) continue;
    const bool proves = any_blocked(dead);
    if (proves) dead.insert(dead.end(), silent.begin(), silent.end());
    const auto probes = probes_of(context, dead);
    if (!context.affects_requirement(probes)) continue;
    ports.push_back(port);
    closed.insert(closed.end(), dead.begin(), dead.end());
    cause.explained.insert(cause.explained.end(), probes.begin(), probes.end());
    all_networks.insert(networks.begin(), networks.end());
    proved &= proves;
  }
  if (ports.empty()) return {};
  auto& finding = cause.finding;
  finding.code = FindingCode::firewall_tcp_port_blocked;
  finding.title = phrase("The firewall blocks outgoing TCP to {}", named_ports(ports));
  finding.owner = Owner::network;
  finding.confidence = proved ? Confidence::certain : Confidence::likely;
  // Where new flows are limited, connections that nobody refused may have died of that.
  if (new_flows_are_limited(facts) && device_of(closed).empty()) {
    finding.confidence = Confidence::possible;
  }
  finding.fix = phrase("Allow outgoing TCP (and return traffic) {}: {}.{}{}", from_users(facts),
                       asked_flows(facts, cause), ask_the_device(device_of(closed)),
                       where_the_list_is(facts, cause.explained));
  finding.evidence = evidence_for(closed, 8);
  if (const auto alive = reachable_port_of_same_host(facts, *closed.front())) {
    insert_second(finding.evidence, *alive);
  }
  finding.evidence.push_back(
      {"", phrase("The same is true of {} networks, and no connection to {} succeeded anywhere.",
                  all_networks.size(), named_ports(ports))});
  return {cause};
}

}  // namespace callready::findings
