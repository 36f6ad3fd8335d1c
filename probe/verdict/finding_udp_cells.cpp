#include "probe/verdict/finding_udp_cells.hpp"

#include <algorithm>

#include "probe/verdict/finding_words.hpp"

namespace callready::findings {

bool of_a_range(const Contact& contact) {
  const auto& probe = contact.result->probe;
  return probe.check == "udp-range" && !probe.target.ports.single();
}

bool in_a_range(const Cell& cell) {
  return std::any_of(cell.contacts.begin(), cell.contacts.end(), of_a_range);
}
bool has_service(const Cell& cell) {
  const bool range = in_a_range(cell);
  return std::any_of(cell.contacts.begin(), cell.contacts.end(), [&](const Contact& contact) {
    // A second round asks for a range's ports by themselves.
    return !of_a_range(contact) && !(range && contact.result->probe.check == "hop");
  });
}

std::vector<const Cell*> udp_cells(const Facts& facts) {
  return facts.select([](const Cell& cell) { return cell.udp && cell.port != dns_port; });
}

std::vector<FindingEvidence> udp_evidence(const std::vector<const Cell*>& cells, std::size_t most) {
  std::vector<FindingEvidence> strong, weak;
  for (const auto* cell : cells) {
    for (const auto& contact : cell->contacts) {
      if (contact.way == Way::blocked) strong.push_back(what_it_saw(contact));
      if (contact.way == Way::lost) weak.push_back(what_it_saw(contact));
    }
  }
  strong.insert(strong.end(), weak.begin(), weak.end());
  if (strong.size() > most) strong.resize(most);
  return strong;
}

std::optional<FindingEvidence> control_for(const Facts& facts, const std::string& host) {
  const Cell* best = nullptr;
  for (const auto* cell : udp_cells(facts)) {
    if (!out(*cell)) continue;
    if (best == nullptr || (cell->host == host && best->host != host)) best = cell;
  }
  if (best == nullptr) return std::nullopt;
  for (const auto& contact : best->contacts) {
    if (gets_out(contact.way)) return what_it_saw(contact);
  }
  return std::nullopt;
}

std::map<std::string, std::set<std::string>> refusals(const std::vector<const Cell*>& cells) {
  std::map<std::string, std::set<std::string>> found;
  for (const auto* cell : cells) {
    for (const auto& contact : cell->contacts) {
      if (!contact.by.empty()) found[contact.by].insert(cell->network);
    }
  }
  return found;
}

}  // namespace callready::findings
