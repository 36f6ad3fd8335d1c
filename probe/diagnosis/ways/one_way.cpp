// Relays that we made ourselves, or a far end of our own, hear us, and what they send back does not
// come in.
#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/words.hpp"

namespace callready::findings {

Causes find_one_way_media(const Diagnosis& context) {
  Cause cause;
  auto& finding = cause.finding;
  for (const auto& result : context.facts.report.probes) {
    if (context.explained(result) || result.observation.detail != DetailCode::inbound_dropped)
      continue;
    cause.explained.push_back(&result);
    for (const auto& evidence : result.observation.evidence) {
      const bool one_way = flag_fact(evidence, Fact::inbound) == std::optional(false);
      if (evidence.kind != EvidenceKind::udp_port || !one_way || finding.evidence.size() >= 6)
        continue;
      finding.evidence.push_back(
          {result.probe.id, phrase("{}: {}", result.probe.target.host, evidence.text)});
    }
  }
  if (!context.affects_requirement(cause.explained)) return {};
  if (finding.evidence.empty()) add_what_they_saw(finding.evidence, cause.explained);
  finding.code = FindingCode::media_one_way;
  finding.title = phrase("Media gets out, but replies do not come in: one-way audio");
  finding.owner = Owner::network;
  finding.confidence = Confidence::certain;
  finding.fix = phrase(
      "Let in the replies to UDP sent {} (a stateful rule with a timeout of at least 120 s; with "
      "several Internet lines, over the same line that the packets left on): {}.{}",
      from_users(context.facts), flows_in_words(context.facts, cause.explained),
      where_the_list_is(context.facts, cause.explained));
  return {cause};
}

}  // namespace callready::findings
