// What is left over of the matrix of hosts and ports, one by one (DESIGN, "How neighbours are told
// apart", 6): not enough to generalise.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "probe/verdict/finding_cells.hpp"
#include "probe/verdict/finding_words.hpp"

namespace callready::findings {
namespace {

// The ports of these that answer nowhere, whose hosts are alive and of two operators: it is not for
// two servers to be down at once. (DESIGN, rule 6, of what is no firewall of the site's.) With what
// is silent on such a port elsewhere, whether it is known to leave the site or not.
std::vector<const Cell*> lost_everywhere(const Facts& facts, bool udp,
                                         const std::vector<const Cell*>& leaving) {
  std::set<std::uint16_t> ports;
  for (const auto* cell : leaving) ports.insert(cell->port);
  std::map<std::uint16_t, std::vector<const Cell*>> lost;
  std::map<std::uint16_t, std::set<std::string>> parties;
  for (const auto& cell : facts.cells) {
    if (cell.udp != udp) continue;
    if (cell.way == Way::open || cell.way == Way::refused) ports.erase(cell.port);
    const bool leaves = std::find(leaving.begin(), leaving.end(), &cell) != leaving.end();
    const bool answers_all = cell.contacts.front().responder;
    if (!leaves && (cell.way != Way::lost || !answers_all)) continue;
    lost[cell.port].push_back(&cell);
    if (facts.alive(cell.host)) parties[cell.port].insert(cell.party);
  }
  std::vector<const Cell*> found;
  for (const auto port : ports) {
    if (parties[port].size() < 2) continue;
    found.insert(found.end(), lost[port].begin(), lost[port].end());
  }
  return found;
}

// What was sent, how far it got, and that nothing came back.
void add_what_they_saw(std::vector<FindingEvidence>& list, const std::vector<const Cell*>& cells) {
  constexpr std::size_t most = 8;
  for (const auto* cell : cells) {
    for (const auto& contact : cell->contacts) {
      if (list.size() < most) list.push_back(what_it_saw(contact));
    }
  }
}

Cause lost_at_the_provider(const Case& of, const std::vector<const Cell*>& cells) {
  Cause cause;
  cause.explained = probes_of(of, cells);
  std::set<std::uint16_t> ports;
  for (const auto* cell : cells) ports.insert(cell->port);
  auto& finding = cause.finding;
  const bool udp = cells.front()->udp;
  finding.code = udp ? "firewall.udp_port_blocked" : "firewall.tcp_port_blocked";
  finding.title = fmt::format("{} to port {} gets lost beyond this site, wherever it goes",
                              udp ? "UDP" : "TCP", ports_in_words({ports.begin(), ports.end()}));
  finding.owner = Owner::network;
  finding.confidence = Confidence::likely;
  finding.fix = fmt::format(
      "This site lets it out{}: ask the Internet provider to let through, with the replies: {}.{}",
      udp ? " (look in the firewall's log whether it drops the replies)" : "",
      flows_in_words(of.facts, cause.explained), where_the_list_is(of.facts, cause.explained));
  add_what_they_saw(finding.evidence, cells);
  if (const auto alive = living_neighbour(of.facts, *cells.front())) {
    finding.evidence.push_back(*alive);
  }
  return cause;
}

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
    const bool leaves = cell.way == Way::left || lost_like_a_sibling(facts, cell);
    if (!leaves || !lost || !of.hurts(of.open_probes(cell))) continue;
    by_transport[cell.udp].push_back(&cell);
  }
  Causes causes;
  std::vector<const Cell*> rest;
  for (const auto& [udp, cells] : by_transport) {
    const auto everywhere = lost_everywhere(facts, udp, cells);
    if (!everywhere.empty()) causes.push_back(lost_at_the_provider(of, everywhere));
    std::copy_if(cells.begin(), cells.end(), std::back_inserter(rest), [&](const Cell* cell) {
      return std::find(everywhere.begin(), everywhere.end(), cell) == everywhere.end();
    });
  }
  if (rest.empty()) return causes;
  Cause cause;
  cause.explained = probes_of(of, rest);
  auto& finding = cause.finding;
  finding.code = "firewall.flow_blocked";
  const auto hosts = hosts_of(cause.explained);
  finding.title = cells_in_words(rest) + " gets lost beyond this site";
  finding.owner = Owner::vendor;
  finding.confidence = Confidence::possible;
  finding.fix = fmt::format(
      "This site lets it out. Ask whoever runs {} whether {} there; if so, ask the Internet "
      "provider to let through: {}.",
      listed(hosts), hosts.size() == 1 ? "it answers" : "they answer",
      flows_in_words(facts, cause.explained));
  add_what_they_saw(finding.evidence, rest);
  causes.push_back(std::move(cause));
  return causes;
}

}  // namespace

Causes find_flows(const Case& of) {
  const auto& facts = of.facts;
  auto causes = find_lost_beyond(of);
  std::set<const ProbeResult*> beyond;
  for (const auto& cause : causes) beyond.insert(cause.explained.begin(), cause.explained.end());
  // Cells that are left over, by operator: what several of them share is one cause.
  std::map<std::string, std::vector<const Cell*>> by_party;
  for (const auto& cell : facts.cells) {
    // Over UDP only who answers everybody is missed.
    const bool missed = cell.way == Way::lost &&
                        std::any_of(cell.contacts.begin(), cell.contacts.end(),
                                    [](const Contact& contact) { return contact.responder; });
    if (cell.way != Way::blocked && !missed) continue;
    auto probes = of.open_probes(cell);
    std::erase_if(probes, [&](const ProbeResult* result) { return beyond.contains(result); });
    if (!of.matters(probes)) continue;
    if (cell.way == Way::lost && !of.hurts(probes)) continue;
    by_party[cell.party].push_back(&cell);
  }
  for (const auto& [party, cells] : by_party) {
    Cause cause;
    cause.explained = probes_of(of, cells);
    auto& finding = cause.finding;
    const auto hosts = listed(hosts_of(cause.explained));
    const auto flows = flows_in_words(facts, cause.explained);
    finding.code = "firewall.flow_blocked";
    finding.title =
        cells_in_words(cells) + (any_blocked(cells) ? " does not get through" : " is not answered");
    finding.owner = Owner::network;
    finding.confidence = any_blocked(cells) ? Confidence::likely : Confidence::possible;
    finding.fix = fmt::format(
        "Look in the firewall's log for dropped packets from this computer to {}, and allow from "
        "the user network, with the replies: {}.{}",
        hosts, flows,
        any_blocked(cells) ? ask_the_device(device_of(cells))
                           : " If the log shows that the packets leave, ask whoever runs the "
                             "server whether it is up.");
    finding.evidence = evidence_for(cells, 6);
    if (const auto alive = living_neighbour(facts, *cells.front())) {
      finding.evidence.push_back(*alive);
    }
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace callready::findings
