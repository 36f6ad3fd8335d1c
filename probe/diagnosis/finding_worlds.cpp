// Families of causes that worlds decide (reach/): each is a row of the table of rules, with words
// of its own. What an earlier rule has explained stays explained by that.
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/finding_rules.hpp"
#include "probe/diagnosis/finding_words.hpp"
#include "probe/diagnosis/reach/diagnose.hpp"

namespace callready::findings {

const reach::Diagnosis& Diagnosis::worlds() const {
  if (!worlds_) {
    std::vector<const Finding*> contents;
    for (const auto& finding : contents_) contents.push_back(&finding);
    worlds_ = std::make_shared<const reach::Diagnosis>(
        reach::find_worlds(facts.report, {}, std::move(contents)));
  }
  return *worlds_;
}

namespace {

// The worlds' cause of that family, without words; nothing where there is none, nobody misses what
// it closes, or it is one of several that are as good and nothing is lost by it. `may_fail_by_it`:
// probes that it is known to be behind; where none is, worlds need not be drawn.
template <typename Wanted>
std::optional<Cause> cause_by_worlds(const Diagnosis& context, reach::Code family,
                                     Wanted may_fail_by_it) {
  const auto& facts = context.facts;
  const auto open = [&](const ProbeResult& result) {
    return failing(result) && may_fail_by_it(result) && !context.explained(result);
  };
  const auto& probes = facts.report.probes;
  if (std::none_of(probes.begin(), probes.end(), open)) return std::nullopt;
  const auto& causes = context.worlds().explained.causes;
  const auto said = std::find_if(causes.begin(), causes.end(),
                                 [&](const reach::Cause& one) { return one.code == family; });
  if (said == causes.end() || !said->is_said()) return std::nullopt;
  Cause cause;
  for (const auto& id : said->lost) {
    const auto* result = facts.find(id);
    const auto& known = cause.explained;
    const bool fresh = std::find(known.begin(), known.end(), result) == known.end();
    if (result != nullptr && fresh && open(*result)) cause.explained.push_back(result);
  }
  auto& finding = cause.finding;
  finding.code = reach::words_of(family).finding;
  finding.owner = said->owner;
  finding.confidence = reach::confidence_of(said->sure);
  const bool weak = finding.confidence == Confidence::possible;
  if (!context.affects_requirement(cause.explained)) return std::nullopt;
  if (weak && !context.breaks_capability(cause.explained)) return std::nullopt;
  return cause;
}

std::vector<std::uint16_t> ports_of(const std::vector<const ProbeResult*>& probes) {
  std::set<std::uint16_t> ports;
  for (const auto* result : probes) ports.insert(result->probe.target.port());
  return {ports.begin(), ports.end()};
}

}  // namespace

// Only where a packet that was to end on the way was answered: a device that carries connections on
// is as near, and servers that answer no strangers are as mute.
Causes find_taken_connections(const Diagnosis& context) {
  const auto& facts = context.facts;
  const auto& probes = facts.report.probes;
  if (std::none_of(probes.begin(), probes.end(), is_taken_near)) return {};
  auto cause = cause_by_worlds(context, reach::Code::connections_taken,
                               [](const ProbeResult& result) {  // that stood, and died
                                 return !is_udp(result) && result.observation.round_trip;
                               });
  if (!cause) return {};
  auto& finding = cause->finding;
  finding.title = phrase("A device in the path answers TCP to {} itself and passes nothing on",
                         named_ports(ports_of(cause->explained)));
  finding.fix = phrase(
      "Exempt this traffic from the firewall's transparent proxy or inspection, and allow {}, with "
      "return traffic: {}.{}",
      from_users(facts), asked_flows(facts, *cause), where_the_list_is(facts, cause->explained));
  for (const auto& result : probes) {
    const auto* hop = is_taken_near(result) ? evidence_of(result, EvidenceKind::hop) : nullptr;
    if (hop == nullptr || finding.evidence.size() == 2) continue;
    finding.evidence.push_back({result.probe.id, hop->text + "."});
  }
  add_what_they_saw(finding.evidence, cause->explained, 6);
  return {*cause};
}

}  // namespace callready::findings
