// DNS over TCP (RFC 7766): without it the names with long answers are missing, and no others.
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/words.hpp"

namespace callready::findings {
namespace {

// A question to the system's own resolvers, by the way that leads there: bound to an interface it
// may not get to them.
bool asks_the_system(const ProbeResult& result) {
  const auto& with = result.probe.with;
  return result.probe.check == CheckKind::dns && is_direct(result) && !with.contains("server") &&
         !with.contains("interface");
}

// Something came back, although it is no help.
bool is_answer(const Detail& detail) {
  switch (detail.code()) {
    case DetailCode::unexpected_answer:
    case DetailCode::servfail:
    case DetailCode::refused:
    case DetailCode::formerr:
    case DetailCode::notimp:
    case DetailCode::other_rcode:
      return true;
    default:
      return false;
  }
}

bool works_over_udp(const Facts& facts) {
  return std::any_of(facts.report.probes.begin(), facts.report.probes.end(),
                     [&](const ProbeResult& result) {
                       return asks_the_system(result) && is_udp(result) &&
                              (result.observation.outcome == Outcome::answered ||
                               result.observation.detail == DetailCode::truncated);
                     });
}

}  // namespace

Causes find_dns_without_tcp(const Diagnosis& context) {
  const auto& facts = context.facts;
  Cause cause;
  std::set<std::string> lost, parties;
  for (const auto& result : facts.report.probes) {
    if (!asks_the_system(result) || context.explained(result) || !failing(result)) continue;
    const auto& seen = result.observation;
    const bool too_long = seen.detail == DetailCode::truncated;
    const bool by_tcp =
        !is_udp(result) && seen.outcome != Outcome::unresolved && !is_answer(seen.detail);
    if (!too_long && !by_tcp) continue;
    if (too_long) {
      lost.insert(name_asked_for(result.probe));
      parties.insert(registrable_domain(name_asked_for(result.probe)));
    }
    cause.explained.push_back(&result);
  }
  if (cause.explained.empty() || !works_over_udp(facts)) return {};
  const auto asked = cause.explained;
  // Not every name that is missing was asked for again: those of the same owner are as long.
  for (const auto& result : facts.report.probes) {
    const auto& host = result.probe.target.host;
    const auto& detail = result.observation.detail;
    const bool missing =
        result.observation.outcome == Outcome::unresolved &&
        (detail == DetailCode::dns_failed || detail == DetailCode::dns_unreachable);
    if (result.probe.check == CheckKind::dns || !is_direct(result) || context.explained(result))
      continue;
    if (!missing || !parties.contains(registrable_domain(host))) continue;
    lost.insert(host);
    cause.explained.push_back(&result);
  }
  if (!context.affects_requirement(cause.explained)) return {};
  auto& finding = cause.finding;
  finding.code = FindingCode::dns_unreachable;
  finding.title = phrase("This site's DNS works over UDP only: long answers do not arrive");
  finding.owner = Owner::dns;
  finding.confidence = Confidence::certain;
  finding.fix = phrase(
      "Allow TCP port 53 as well as UDP on this site's DNS servers ({}) and every firewall in "
      "between: answers too long for one packet come over TCP only (RFC 7766).",
      resolvers_in_words(facts));
  add_what_they_saw(finding.evidence, asked, 4);
  if (!lost.empty()) {
    finding.evidence.push_back(
        {"", phrase("Without it, these names are missing: {}.",
                    listed(std::vector<std::string>(lost.begin(), lost.end())))});
  }
  return {cause};
}

}  // namespace callready::findings
