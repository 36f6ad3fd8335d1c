#include "reports/words/calls.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace callready {

std::vector<std::string> call_lines(const Report& report) {
  std::vector<std::string> lines;
  for (const auto& [probe, seen] : report.probes) {
    if (probe.check != CheckKind::ice) continue;
    std::vector<Text> parts;
    for (const auto& evidence : seen.evidence) {
      const bool call = evidence.kind == EvidenceKind::ice_pair ||
                        evidence.kind == EvidenceKind::call_handshake ||
                        evidence.kind == EvidenceKind::call_media;
      const bool gathered =
          evidence.kind == EvidenceKind::ice_candidates && probe.target.host.empty();
      if (call || gathered) parts.push_back(evidence.text);
    }
    if (parts.empty()) continue;
    const auto host = probe.target.host.empty() ? "" : probe.target.host + ": ";
    lines.push_back(fmt::format("{}{}.", host, fmt::join(parts, "; ")));
  }
  return lines;
}

}  // namespace callready
