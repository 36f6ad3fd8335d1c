#include "probe/verdict/finding_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "probe/verdict/finding_words.hpp"

namespace callready::findings {

bool gets_out(Way way) { return way == Way::open || way == Way::left; }

bool out(const Cell& cell) { return gets_out(cell.way); }

bool bad(const Cell& cell) {
  return cell.way == Way::blocked || cell.way == Way::lost ||
         (cell.way == Way::refused && !cell.left);
}

bool lost_like_a_sibling(const Facts& facts, const Cell& cell) {
  return cell.way == Way::lost &&
         std::any_of(facts.cells.begin(), facts.cells.end(), [&](const Cell& other) {
           const bool sibling = other.udp == cell.udp && other.port == cell.port &&
                                other.party == cell.party && other.way == Way::left;
           return sibling && std::any_of(other.contacts.begin(), other.contacts.end(),
                                         [](const Contact& contact) {
                                           return contact.way == Way::lost && contact.responder;
                                         });
         });
}

Working::Working(const Facts& facts) {
  for (const auto& cell : facts.cells) {
    if (out(cell)) hosts_[{cell.udp, cell.port}].insert(cell.host);
  }
}

bool Working::elsewhere(const Cell& cell) const {
  const auto found = hosts_.find({cell.udp, cell.port});
  return found != hosts_.end() && found->second.size() > found->second.count(cell.host);
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

std::string cells_in_words(const std::vector<const Cell*>& cells) {
  using Ports = std::map<std::string_view, std::set<std::uint16_t>>;  // by transport
  std::vector<std::string> hosts;                                     // in order
  std::map<std::string, Ports> ports_of;
  for (const auto* cell : cells) {
    if (!ports_of.contains(cell->host)) hosts.push_back(cell->host);
    ports_of[cell->host][cell->udp ? "UDP" : "TCP"].insert(cell->port);
  }
  std::string text;
  std::set<Ports> said;
  for (const auto& host : hosts) {
    const auto& ports = ports_of[host];
    if (!said.insert(ports).second) continue;
    std::vector<std::string> flows, alike;
    for (const auto& [transport, numbers] : ports) {
      flows.push_back(
          fmt::format("{} {}", transport, ports_in_words({numbers.begin(), numbers.end()})));
    }
    std::copy_if(hosts.begin(), hosts.end(), std::back_inserter(alike),
                 [&](const std::string& other) { return ports_of[other] == ports; });
    text += fmt::format("{}{} to {}", text.empty() ? "" : "; ", listed(flows), listed(alike));
  }
  return text;
}

std::optional<FindingEvidence> living_neighbour(const Facts& facts, const Cell& dead) {
  for (const auto& cell : facts.cells) {
    if (cell.host != dead.host || cell.udp != dead.udp || cell.way != Way::open) continue;
    const auto& result = *cell.contacts.front().result;
    return FindingEvidence{result.probe.id, fmt::format("Port {} of the same host, {}, is reached.",
                                                        cell.port, cell.host)};
  }
  return std::nullopt;
}

}  // namespace callready::findings
