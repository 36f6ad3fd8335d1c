// TCP by a matrix of hosts and ports (DESIGN, "How neighbours are told apart", 4 and 6).
#include <fmt/format.h>

#include <algorithm>

#include "probe/model/describe.hpp"
#include "probe/verdict/finding_rules.hpp"
#include "probe/verdict/finding_words.hpp"

namespace callready::findings {
namespace {

bool is_web(std::uint16_t port) { return port == 80 || port == 443; }

bool out(const Cell& cell) { return cell.way == Way::open || cell.way == Way::left; }

// Not reached, and nothing says that the far end did it. A reset counts where several have it.
bool bad(const Cell& cell) {
  return cell.way == Way::blocked || cell.way == Way::lost ||
         (cell.way == Way::refused && !cell.left);
}

std::string device_of(const std::vector<const Cell*>& cells) {
  for (const auto* cell : cells) {
    for (const auto& contact : cell->contacts) {
      if (!contact.by.empty()) return contact.by;
    }
  }
  return {};
}

bool any_blocked(const std::vector<const Cell*>& cells) {
  return std::any_of(cells.begin(), cells.end(),
                     [](const Cell* cell) { return cell->way == Way::blocked; });
}

// The strongest first: what a device said, packets that died on the way, then silence.
std::vector<FindingEvidence> evidence_for(const std::vector<const Cell*>& cells, std::size_t most) {
  std::vector<FindingEvidence> strong, weak;
  for (const auto* cell : cells) {
    for (const auto& contact : cell->contacts) {
      if (!failing(*contact.result)) continue;
      (contact.way == Way::blocked ? strong : weak).push_back(what_it_saw(contact));
    }
  }
  strong.insert(strong.end(), weak.begin(), weak.end());
  if (strong.size() > most) strong.resize(most);
  return strong;
}

std::vector<const ProbeResult*> probes_of(const Case& of, const std::vector<const Cell*>& cells) {
  std::vector<const ProbeResult*> probes;
  for (const auto* cell : cells) {
    const auto open = of.open_probes(*cell);
    probes.insert(probes.end(), open.begin(), open.end());
  }
  return probes;
}

// "443 of the same host works": the contrast that makes a closed port of a living host.
std::optional<FindingEvidence> living_neighbour(const Facts& facts, const Cell& dead) {
  for (const auto& cell : facts.cells) {
    if (cell.host != dead.host || cell.udp != dead.udp || cell.way != Way::open) continue;
    const auto& result = *cell.contacts.front().result;
    return FindingEvidence{result.probe.id, fmt::format("Port {} of the same host, {}, is reached.",
                                                        cell.port, cell.host)};
  }
  return std::nullopt;
}

}  // namespace

Causes find_web_only(const Case& of) {
  const auto& facts = of.facts;
  const auto udp = udp_is_blocked(facts);
  if (!udp) return {};
  std::set<std::string> secure;
  for (const auto& cell : facts.cells) {
    if (cell.udp || cell.port != 443) continue;
    for (const auto& contact : cell.contacts) {
      const auto& result = *contact.result;
      const bool tls = result.probe.target.transport == Transport::tls;
      // Whoever signs: a sign-in page, which shows none, was judged before.
      if (tls && !chain_of(result).empty()) secure.insert(cell.network);
    }
  }
  const auto others =
      facts.select([](const Cell& cell) { return !cell.udp && !is_web(cell.port); });
  std::set<std::uint16_t> ports;
  std::set<std::string> networks;
  for (const auto* cell : others) {
    if (!bad(*cell)) return {};
    ports.insert(cell->port);
    networks.insert(cell->network);
  }
  if (secure.size() < 2 || ports.size() < 3 || networks.size() < 2) return {};
  Cause cause;
  cause.explained = probes_of(of, others);
  const auto lost_udp = failing_udp(of);
  cause.explained.insert(cause.explained.end(), lost_udp.begin(), lost_udp.end());
  if (!of.matters(cause.explained)) return {};
  auto& finding = cause.finding;
  finding.code = "firewall.web_only";
  finding.title = "The firewall lets only web traffic out (TCP 80 and 443)";
  finding.owner = Owner::network;
  finding.confidence = udp->confidence;
  finding.fix = fmt::format("Allow outgoing from the user network, with the replies: {}.{}",
                            flows_in_words(facts, cause.explained),
                            where_the_list_is(facts, cause.explained));
  finding.evidence.push_back(
      {"", fmt::format("HTTPS to {} networks works; TCP {} to {} networks does not.", secure.size(),
                       ports_in_words({ports.begin(), ports.end()}), networks.size())});
  finding.evidence.insert(finding.evidence.end(), udp->evidence.begin(), udp->evidence.end());
  const auto more = evidence_for(others, 4);
  finding.evidence.insert(finding.evidence.end(), more.begin(), more.end());
  return {cause};
}

Causes find_tcp_ports(const Case& of) {
  const auto& facts = of.facts;
  std::map<std::uint16_t, std::vector<const Cell*>> by_port;
  for (const auto& cell : facts.cells) {
    if (!cell.udp) by_port[cell.port].push_back(&cell);
  }
  // A missing rule rarely misses one port: all closed ports are one cause, and one ticket.
  Cause cause;
  std::vector<const Cell*> closed;
  std::vector<std::uint16_t> ports;
  std::set<std::string> all_networks;
  bool proved = true;
  for (const auto& [port, cells] : by_port) {
    std::vector<const Cell*> dead;
    std::set<std::string> networks, resetting;
    bool works = false;
    for (const auto* cell : cells) {
      works |= out(*cell) || (cell->way == Way::refused && cell->left);
      const bool alive = facts.alive(cell->host) || cell->way == Way::blocked;
      if (!bad(*cell) || !alive) continue;
      dead.push_back(cell);
      networks.insert(cell->network);
      if (cell->way == Way::refused && !facts.refuses_itself(cell->host)) {
        resetting.insert(cell->party);
      }
    }
    // Resets of one operator may be its own; of two, on one port, they are not.
    const bool all_resets = std::all_of(dead.begin(), dead.end(),
                                        [](const Cell* cell) { return cell->way == Way::refused; });
    if (works || networks.size() < 2 || (all_resets && resetting.size() < 2)) continue;
    const auto probes = probes_of(of, dead);
    if (!of.matters(probes)) continue;
    ports.push_back(port);
    closed.insert(closed.end(), dead.begin(), dead.end());
    cause.explained.insert(cause.explained.end(), probes.begin(), probes.end());
    all_networks.insert(networks.begin(), networks.end());
    proved &= any_blocked(dead);
  }
  if (ports.empty()) return {};
  auto& finding = cause.finding;
  finding.code = "firewall.tcp_port_blocked";
  finding.title = fmt::format("The firewall lets no TCP out to port {}", ports_in_words(ports));
  finding.owner = Owner::network;
  finding.confidence = proved ? Confidence::certain : Confidence::likely;
  finding.fix =
      fmt::format("Allow outgoing TCP from the user network, with the replies: {}.{}{}",
                  flows_in_words(facts, cause.explained), ask_the_device(device_of(closed)),
                  where_the_list_is(facts, cause.explained));
  finding.evidence = evidence_for(closed, 8);
  if (const auto alive = living_neighbour(facts, *closed.front())) {
    finding.evidence.insert(finding.evidence.begin() + 1, *alive);
  }
  finding.evidence.push_back({"", fmt::format("It is the same to {} networks, and no connection to "
                                              "port {} came about anywhere.",
                                              all_networks.size(), ports_in_words(ports))});
  return {cause};
}

namespace {

// What is shut off as a whole: all of an operator's hosts, or one host of one that is reached
// elsewhere.
using Destination = std::vector<const Cell*>;

std::vector<Destination> destinations(const Facts& facts) {
  // Of a host in whose name a device on the way resets, no reset is its own.
  std::set<std::string> impersonated;
  for (const auto& cell : facts.cells) {
    for (const auto& contact : cell.contacts) {
      const bool forged = contact.result->observation.detail == "refused_on_the_way";
      if (forged) impersonated.insert(cell.host);
    }
  }
  const auto heard = [&](const Cell& cell) {
    return out(cell) || (cell.way == Way::refused && !impersonated.contains(cell.host));
  };
  std::set<std::string> reached_parties;
  for (const auto& cell : facts.cells) {
    if (heard(cell)) reached_parties.insert(cell.party);
  }
  std::map<std::string, Destination> found;
  std::set<std::string> reached_hosts;
  for (const auto& cell : facts.cells) {
    if (heard(cell)) reached_hosts.insert(cell.host);
    found[reached_parties.contains(cell.party) ? cell.host : cell.party].push_back(&cell);
  }
  std::vector<Destination> dead;
  for (auto& [name, cells] : found) {
    if (!reached_hosts.contains(cells.front()->host)) dead.push_back(std::move(cells));
  }
  return dead;
}

}  // namespace

Causes find_destinations(const Case& of) {
  const auto& facts = of.facts;
  const auto works_elsewhere = [&](const Cell& cell) {
    return std::any_of(facts.cells.begin(), facts.cells.end(), [&](const Cell& other) {
      return other.udp == cell.udp && other.port == cell.port && other.host != cell.host &&
             out(other);
    });
  };
  Cause cause;
  std::vector<const Cell*> closed;
  std::set<std::uint16_t> ports;
  bool proved = true;
  for (const auto& cells : destinations(facts)) {
    std::vector<const Cell*> dead;
    std::set<std::pair<bool, std::uint16_t>> dead_ports;
    for (const auto* cell : cells) {
      // A media port or a SIP server that says nothing is no evidence.
      const bool heard =
          cell->way == Way::blocked || (cell->way == Way::lost && cell->contacts.front().responder);
      if (!heard || !works_elsewhere(*cell)) continue;
      dead.push_back(cell);
      dead_ports.insert({cell->udp, cell->port});
    }
    const auto probes = probes_of(of, cells);
    if (dead_ports.size() < 2 || !of.matters(probes)) continue;
    if (!any_blocked(dead) && !of.hurts(probes)) continue;
    proved &= any_blocked(dead);
    closed.insert(closed.end(), dead.begin(), dead.end());
    for (const auto& [udp, port] : dead_ports) ports.insert(port);
    cause.explained.insert(cause.explained.end(), probes.begin(), probes.end());
  }
  if (closed.empty()) return {};
  const auto hosts = hosts_of(cause.explained);
  auto& finding = cause.finding;
  finding.code = "firewall.destination_blocked";
  finding.title = fmt::format("Nothing gets through to {}", listed(hosts));
  finding.owner = Owner::network;
  finding.confidence = proved ? Confidence::certain : Confidence::likely;
  finding.fix = fmt::format(
      "Remove the block of {} (by address, by name, by country or by category) on the firewall and "
      "on any web filter, and allow from the user network, with the replies: {}.{}{}",
      hosts.size() == 1 ? "this destination" : "these destinations",
      flows_in_words(facts, cause.explained), ask_the_device(device_of(closed)),
      where_the_list_is(facts, cause.explained));
  finding.evidence = evidence_for(closed, 8);
  const FindingEvidence contrast{"", fmt::format("The same ports ({}) of other hosts are reached.",
                                                 ports_in_words({ports.begin(), ports.end()}))};
  finding.evidence.insert(finding.evidence.begin() + 1, contrast);
  return {cause};
}

namespace {

// Packets leave the site, and whoever should answer everybody does not: the site is not to blame.
// Whether the provider drops them or the server is down cannot be told from here.
Causes find_lost_beyond(const Case& of) {
  const auto& facts = of.facts;
  std::map<bool, std::vector<const Cell*>> by_transport;  // true: UDP
  for (const auto& cell : facts.cells) {
    const bool lost =
        std::any_of(cell.contacts.begin(), cell.contacts.end(), [&](const Contact& contact) {
          return contact.way == Way::lost && contact.responder && facts.asked_for(*contact.result);
        });
    if (cell.way != Way::left || !lost || !of.hurts(of.open_probes(cell))) continue;
    by_transport[cell.udp].push_back(&cell);
  }
  Causes causes;
  for (const auto& [udp, cells] : by_transport) {
    Cause cause;
    cause.explained = probes_of(of, cells);
    std::set<std::uint16_t> ports;
    for (const auto* cell : cells) ports.insert(cell->port);
    auto& finding = cause.finding;
    const auto hosts = listed(hosts_of(cause.explained));
    finding.code = "firewall.flow_blocked";
    finding.title = fmt::format("{} {} to {} gets lost beyond this site", udp ? "UDP" : "TCP",
                                ports_in_words({ports.begin(), ports.end()}), hosts);
    finding.owner = Owner::vendor;
    finding.confidence = Confidence::possible;
    finding.fix = fmt::format(
        "This site lets it out. Ask the vendor whether {} is up; if it is, ask the Internet "
        "provider to let through: {}.",
        hosts, flows_in_words(facts, cause.explained));
    for (const auto* cell : cells) {
      for (const auto& contact : cell->contacts) finding.evidence.push_back(what_it_saw(contact));
    }
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace

Causes find_flows(const Case& of) {
  const auto& facts = of.facts;
  // Cells that are left over, by operator: what several of them share is one cause.
  std::map<std::pair<bool, std::string>, std::vector<const Cell*>> by_party;
  for (const auto& cell : facts.cells) {
    const bool lost_tcp = !cell.udp && cell.way == Way::lost;
    if (cell.way != Way::blocked && !lost_tcp) continue;
    const auto probes = of.open_probes(cell);
    if (!of.matters(probes)) continue;
    if (cell.way == Way::lost && !of.hurts(probes)) continue;
    by_party[{cell.udp, cell.party}].push_back(&cell);
  }
  Causes causes;
  for (const auto& [key, cells] : by_party) {
    Cause cause;
    cause.explained = probes_of(of, cells);
    auto& finding = cause.finding;
    const auto hosts = listed(hosts_of(cause.explained));
    const auto flows = flows_in_words(facts, cause.explained);
    std::set<std::uint16_t> ports;
    for (const auto* cell : cells) ports.insert(cell->port);
    finding.code = "firewall.flow_blocked";
    finding.title = fmt::format("{} {} to {} does not get through", key.first ? "UDP" : "TCP",
                                ports_in_words({ports.begin(), ports.end()}), hosts);
    finding.owner = Owner::network;
    finding.confidence = any_blocked(cells) ? Confidence::likely : Confidence::possible;
    finding.fix = fmt::format(
        "Look in the firewall's log for dropped packets from this computer to {}, and allow from "
        "the "
        "user network, with the replies: {}.{}",
        hosts, flows,
        any_blocked(cells) ? ask_the_device(device_of(cells))
                           : " If the log shows that the packets leave, ask the vendor whether the "
                             "server is up.");
    finding.evidence = evidence_for(cells, 6);
    if (const auto alive = living_neighbour(facts, *cells.front())) {
      finding.evidence.push_back(*alive);
    }
    causes.push_back(std::move(cause));
  }
  for (auto& beyond : find_lost_beyond(of)) causes.push_back(std::move(beyond));
  return causes;
}

}  // namespace callready::findings
