// Only the web gets out, as worlds say; and TCP ports that are closed wherever they lead to, by a
// matrix of hosts and ports (docs/design.md, "How neighbours are told apart", 4 and 6).
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/by_worlds.hpp"
#include "probe/diagnosis/finding_udp_flows.hpp"
#include "probe/diagnosis/finding_words.hpp"

namespace callready::findings {
namespace {

bool is_web(std::uint16_t port) { return port == 80 || port == 443; }

// A rule that closes all UDP, and all TCP but the web's ports.
bool closes_all_but_web(const Diagnosis& context, const reach::Box& box) {
  const auto udp = [](const reach::Packet& packet) { return packet.udp; };
  const auto other_tcp = [](const reach::Packet& packet) {
    return !packet.udp && !is_web(packet.port);
  };
  reach::Packet https;
  https.port = 443;
  return box.ports.empty() && !loses(fate_of(box, https)) && closes_all(context, box, udp) &&
         closes_all(context, box, other_tcp);
}

// Networks whose servers showed a certificate on TCP 443, whoever signed it.
std::set<std::string> networks_of_https(const Facts& facts) {
  return facts.networks([](const Flow& flow) {
    return !flow.udp && flow.port == 443 && any_sample(flow, [](const FlowSample& sample) {
      return !chain_of(*sample.result).empty();
    });
  });
}

}  // namespace

// The web, and nothing else. What is less than likely is said of UDP and of the ports one by one.
Causes find_web_only(const Diagnosis& context) {
  const auto& facts = context.facts;
  std::vector<const ProbeResult*> lost_tcp;
  for (const auto& result : facts.report.probes) {
    const auto port = result.probe.target.port();
    const bool other = is_direct(result) && !is_udp(result) && !is_web(port) && port != 53;
    if (other && failing(result) && !facts.inside(result) && !context.explained(result))
      lost_tcp.push_back(&result);
  }
  const auto https = networks_of_https(facts);
  if (lost_tcp.empty() || https.size() < 2) return {};
  const auto told = told_by_worlds(
      context, [&](const reach::Box& box) { return closes_all_but_web(context, box); });
  if (!told || told->confidence() == Confidence::possible) return {};
  // Silence alone shows no device of the site's own.
  const bool seen = any_blocked(facts.select([](const Flow& flow) {
    return flow.udp ? flow.port != 53 : !is_web(flow.port) && flow.port != 53;
  }));
  if (!seen && !silence_tells(facts)) return {};
  const auto lost_udp = failing_udp(context);
  Cause cause;
  cause.explained = lost_tcp;
  cause.explained.insert(cause.explained.end(), lost_udp.begin(), lost_udp.end());
  if (!context.affects_requirement(cause.explained)) return {};
  const bool plain_web = std::any_of(facts.flows.begin(), facts.flows.end(), [](const Flow& flow) {
    return !flow.udp && flow.port == 80 && out(flow);
  });
  cause.closes = plain_web ? Closes::all_but_web : Closes::all_but_https;
  auto& finding = cause.finding;
  finding.code = FindingCode::firewall_web_only;
  finding.owner = Owner::network;
  finding.confidence = seen ? told->confidence() : std::max(told->confidence(), Confidence::likely);
  finding.title = phrase("The firewall lets only web traffic out (TCP {}443)",
                         plain_web ? phrase("80 and ") : "");
  finding.fix = phrase("Allow outgoing and return traffic {}: {}.{}", from_users(facts),
                       asked_flows(facts, cause), where_the_list_is(facts, cause.explained));
  const auto ports = ports_of(lost_tcp);
  const auto closed = facts.networks([&](const Flow& flow) {
    return !flow.udp && bad(flow) && std::binary_search(ports.begin(), ports.end(), flow.port);
  });
  finding.evidence.push_back(
      {"", phrase("HTTPS to {} networks works; TCP {} to {} networks does not.", https.size(),
                  ports_in_words(ports), closed.size())});
  add_what_udp_met(finding.evidence, facts);
  add_what_they_saw(finding.evidence, lost_tcp, 4);
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
