// SIP servers that answer with an error of their own.
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/words.hpp"
#include "probe/model/describe.hpp"

namespace callready::findings {
namespace {

// 501 and 505 are about our OPTIONS, not about the server's health (RFC 3261 section 21.5).
bool is_server_error(const Observation& seen) {
  return seen.outcome == Outcome::answered && seen.detail.status() >= 500 &&
         seen.detail.status() < 600 && seen.detail != Detail::status(501) &&
         seen.detail != Detail::status(505);
}

}  // namespace

Causes find_sip_errors(const Diagnosis& context) {
  // One service's servers that say the same are one cause.
  std::map<std::string, std::vector<const ProbeResult*>> by_service;
  for (const auto& result : context.facts.report.probes) {
    if (result.probe.check != CheckKind::sip || !is_server_error(result.observation)) continue;
    const auto sets = context.facts.sets_of(result);
    if (sets.empty()) continue;
    by_service[sets.front() + ' ' + result.observation.detail.text()].push_back(&result);
  }
  Causes causes;
  for (const auto& [service, probes] : by_service) {
    Cause cause;
    cause.explained = probes;
    auto& finding = cause.finding;
    const auto hosts = listed(hosts_of(probes));
    const auto status = probes.front()->observation.detail.text();
    finding.code = FindingCode::sip_server_error;
    finding.title = phrase("SIP error {0} from {1}", status, hosts);
    finding.owner = Owner::vendor;
    // Over TLS with a certificate that holds, it is the server who says so.
    const bool proved = std::any_of(probes.begin(), probes.end(), [](const ProbeResult* result) {
      return result->probe.target.transport == Transport::tls;
    });
    finding.confidence = proved ? Confidence::certain : Confidence::likely;
    finding.fix = phrase(
        "Tell the operator of {} that SIP is answered with {}, at {}. The path there is open: "
        "change nothing on the network.",
        hosts, status, endpoint_in_words(probes.front()->probe.target));
    for (const auto* result : probes) {
      const auto* reply = evidence_of(*result, EvidenceKind::sip_reply);
      finding.evidence.push_back(
          {result->probe.id,
           phrase("{}: {}", endpoint_in_words(result->probe.target),
                  reply == nullptr ? outcome_in_words(result->observation) : reply->text)});
    }
    finding.affects = sets_of(context.facts, probes);
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace callready::findings
