#include "reports/words/calls.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/words/phrases.hpp"

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
    const auto& host = probe.target.host;
    const auto said = fmt::format("{}.", fmt::join(parts, "; "));
    lines.push_back(host.empty() ? said : say("{}: {}", host, said));
  }
  return lines;
}

}  // namespace callready
