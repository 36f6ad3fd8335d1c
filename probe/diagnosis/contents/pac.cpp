// The PAC file: programs that cannot use it go directly, or nowhere.
#include <fmt/format.h>

#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/words.hpp"
#include "probe/model/describe.hpp"

namespace callready::findings {

Causes find_pac_failure(const Diagnosis& context) {
  for (const auto& result : context.facts.report.probes) {
    if (result.probe.check != CheckKind::pac || !failing(result)) continue;
    const auto* evidence = evidence_of(result, EvidenceKind::pac);
    const auto place = evidence == nullptr ? std::string() : text_fact(*evidence, Fact::place);
    Cause cause;
    cause.explained.push_back(&result);
    auto& finding = cause.finding;
    finding.code = FindingCode::proxy_pac_failed;
    finding.title = phrase("The PAC file {} cannot be used", place);
    finding.owner = Owner::proxy;
    finding.confidence = Confidence::certain;
    finding.fix = phrase(
        "Correct the PAC file {}, or its address in the computers' settings: {}. Without it, "
        "programs bypass the proxy, or open pages only after a long wait.",
        place, outcome_in_words(result.observation));
    if (evidence != nullptr) finding.evidence.push_back({result.probe.id, evidence->text + "."});
    return {cause};
  }
  return {};
}

}  // namespace callready::findings
