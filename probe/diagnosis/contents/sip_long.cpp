// SIP messages over UDP that are too long for one packet get lost, on the way or at the server.
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/words.hpp"

namespace callready::findings {
namespace {

bool is_lost(const ProbeResult& result) {
  return result.probe.check == CheckKind::sip_long &&
         result.observation.outcome == Outcome::failed &&
         result.observation.detail == DetailCode::long_sip_lost;
}

// Full-size packets vanish: so does the first part of a long message, for its size.
bool mtu_explains(const Facts& facts) {
  return std::any_of(facts.report.probes.begin(), facts.report.probes.end(),
                     [](const ProbeResult& result) {
                       return result.probe.check == CheckKind::path &&
                              result.observation.detail == DetailCode::black_hole;
                     });
}

// SIP over UDP to that server: what is longer than the question of these rows gets lost.
std::vector<const ProbeResult*> behind(const Facts& facts, const ProbeResult& lost) {
  std::vector<const ProbeResult*> found;
  for (const auto& result : facts.report.probes) {
    if (result.probe.check == CheckKind::sip && is_udp(result) &&
        result.probe.target.host == lost.probe.target.host) {
      found.push_back(&result);
    }
  }
  return found;
}

struct Contrasts {
  bool over_stream = false;  // the long one is answered there: the server takes it
  bool way_back = false;     // long ones arrive, and no reply as long comes back
};

Contrasts contrasts_of(const ProbeResult& lost) {
  Contrasts seen;
  for (const auto& evidence : lost.observation.evidence) {
    if (evidence.kind != EvidenceKind::sip_size) continue;
    const bool answered = flag_fact(evidence, Fact::answered).value_or(false);
    seen.over_stream |= answered && text_fact(evidence, Fact::transport) != "udp";
    seen.way_back |= !answered && flag_fact(evidence, Fact::back).value_or(false);
  }
  return seen;
}

}  // namespace

Causes find_lost_long_sip(const Diagnosis& context) {
  const auto& facts = context.facts;
  if (mtu_explains(facts)) return {};
  Causes causes;
  for (const auto& result : facts.report.probes) {
    if (!is_lost(result)) continue;
    const auto seen = contrasts_of(result);
    const bool own = result.probe.with.contains("mirror");  // it answers long ones
    Cause cause;
    auto& finding = cause.finding;
    finding.code = FindingCode::sip_fragments_lost;
    finding.title = phrase("Long SIP messages over UDP get lost (IP fragments)");
    finding.owner = Owner::network;
    finding.confidence = facts.line_loses() ? Confidence::possible
                         : own              ? Confidence::certain
                         : seen.over_stream ? Confidence::likely
                                            : Confidence::possible;
    finding.affects = sets_of(facts, behind(facts, result));
    finding.fix = phrase(
        "Allow IP fragments of UDP through the firewall, in both directions, to and from the SIP "
        "servers. Use SIP over TCP or TLS where that cannot be done (RFC 3261, section 18.1.1). "
        "Offer fewer codecs until then, so that each message fits in one packet.");
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != EvidenceKind::sip_size) continue;
      finding.evidence.push_back(
          {result.probe.id, phrase("{}: {}.", result.probe.target.host, evidence.text)});
    }
    if (own) {
      finding.evidence.push_back(
          {result.probe.id,
           seen.way_back
               ? phrase("Long requests arrive, but equally long replies are lost on the way back.")
               : phrase("The far end answers long requests, so they are lost on the way "
                        "out.")});
    } else if (!seen.over_stream) {
      finding.evidence.push_back(
          {result.probe.id,
           phrase("It is not known whether the server answers such long messages at all.")});
    } else {
      finding.evidence.push_back(
          {"", phrase("The device that drops them may be at this site or next to the server.")});
    }
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace callready::findings
