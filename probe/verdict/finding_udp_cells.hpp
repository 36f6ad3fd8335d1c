// What the rules about UDP ask of its cells (finding_facts.hpp).
#pragma once

#include "probe/verdict/finding_cells.hpp"

namespace callready::findings {

inline constexpr std::uint16_t dns_port = 53;

// All over UDP but DNS.
std::vector<const Cell*> udp_cells(const Facts& facts);

// A port of a media range that was sampled, beside a service's own port. A cell can be both.
bool of_a_range(const Contact& contact);
bool in_a_range(const Cell& cell);
bool has_service(const Cell& cell);

// Blocked contacts of these cells, then lost ones.
std::vector<FindingEvidence> udp_evidence(const std::vector<const Cell*>& cells, std::size_t most);

// The first that gets out, preferring the given host: the control that gives the others a meaning.
std::optional<FindingEvidence> control_for(const Facts& facts, const std::string& host);

// The devices that refused, with the networks for which each did it.
std::map<std::string, std::set<std::string>> refusals(const std::vector<const Cell*>& cells);

// Probes in the order in which they came, each once.
class ProbeList {
 public:
  void add(const ProbeResult* result) {
    if (known_.insert(result).second) list_.push_back(result);
  }
  void add(const Case& of, const Cell& cell) {
    for (const auto* result : of.open_probes(cell)) add(result);
  }
  const std::vector<const ProbeResult*>& list() const { return list_; }

 private:
  std::vector<const ProbeResult*> list_;
  std::set<const ProbeResult*> known_;
};

}  // namespace callready::findings
