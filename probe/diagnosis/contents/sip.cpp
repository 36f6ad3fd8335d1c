// SIP servers that answer with an error of their own; and SIP messages over UDP that are too long
// for one packet, which get lost on the way or at the server.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"
#include "probe/model/describe.hpp"

namespace callready::findings {
namespace {

// 501 and 505 are about our OPTIONS, not about the server's health (RFC 3261 section 21.5).
bool is_server_error(const Observation& seen) {
  const int status = seen.outcome == Outcome::answered ? seen.detail.status() : 0;
  return status >= 500 && status < 600 && status != 501 && status != 505;
}

}  // namespace

Causes find_sip_errors(const Diagnosis& context) {
  // One service's servers that say the same are one cause.
  std::map<std::string, Probes> by_service;
  for (const auto& result : context.report.probes) {
    if (result.probe.check != CheckKind::sip || !is_server_error(result.observation)) continue;
    const auto sets = context.sets_of(result);
    if (sets.empty()) continue;
    by_service[sets.front() + ' ' + result.observation.detail.text()].push_back(&result);
  }
  Causes causes;
  for (const auto& [service, probes] : by_service) {
    auto& cause = causes.emplace_back(probes);
    const auto hosts = listed(hosts_of(probes));
    const auto status = probes.front()->observation.detail.text();
    // Over TLS with a certificate that holds, it is the server that says so.
    const bool proved = std::ranges::any_of(probes, [](const ProbeResult* result) {
      return result->probe.target.transport == Transport::tls && !has_foreign_root(*result);
    });
    cause.name(FindingCode::sip_server_error, proved ? certain : likely);
    cause.title = phrase("SIP error {0} from {1}", status, hosts);
    cause.fix = phrase(
        "Tell the operator of {} that SIP is answered with {}, at {}. The path there is open: "
        "change nothing on the network.",
        hosts, status, endpoint_in_words(probes.front()->probe.target));
    for (const auto* result : probes) {
      const auto* reply = evidence_of(*result, EvidenceKind::sip_reply);
      cause.tell(phrase("{}: {}", endpoint_in_words(result->probe.target),
                        reply == nullptr ? outcome_in_words(result->observation) : reply->text),
                 result);
    }
    cause.affects = sets_of(context, probes);
  }
  return causes;
}

Causes find_lost_long_sip(const Diagnosis& context) {
  // Full-size packets vanish: so does the first part of a long message, for its size.
  const bool mtu_explains = context.any_probe([](const ProbeResult& result) {
    return result.probe.check == CheckKind::path &&
           result.observation.detail == DetailCode::black_hole;
  });
  if (mtu_explains) return {};
  Causes causes;
  for (const auto& result : context.report.probes) {
    if (result.observation.detail != DetailCode::long_sip_lost) continue;
    const bool own = result.probe.with.contains("mirror");  // it answers long ones
    bool over_stream = false;  // the long one is answered there: the server takes it
    bool way_back = false;     // long ones arrive, and no reply as long comes back
    auto& cause = causes.emplace_back();
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != EvidenceKind::sip_size) continue;
      const bool answered = flag_fact(evidence, Fact::answered) == true;
      over_stream |= answered && text_fact(evidence, Fact::transport) != "udp";
      way_back |= !answered && flag_fact(evidence, Fact::back) == true;
      cause.tell(phrase("{}: {}.", result.probe.target.host, evidence.text), &result);
    }
    cause.name(FindingCode::sip_fragments_lost, context.line_loses() ? possible
                                                : own                ? certain
                                                : over_stream        ? likely
                                                                     : possible);
    cause.title = phrase("Long SIP messages over UDP get lost (IP fragments)");
    // SIP over UDP to that server: what is longer than the question of these rows gets lost.
    cause.affects = sets_of(context, context.probes_that([&](const ProbeResult& other) {
      return other.probe.check == CheckKind::sip && is_udp(other) &&
             other.probe.target.host == result.probe.target.host;
    }));
    cause.fix = phrase(
        "Allow IP fragments of UDP through the firewall, in both directions, to and from the SIP "
        "servers. If that cannot be done, use SIP over TCP or TLS (RFC 3261, section 18.1.1). "
        "Until then, offer fewer codecs, so that each message fits in one packet.");
    if (own) {
      cause.tell(
          way_back
              ? phrase("Long requests arrive, but equally long replies are lost on the way back.")
              : phrase("The far end answers long requests, so they are lost on the way out."),
          &result);
    } else if (!over_stream) {
      cause.tell(phrase("It is not known whether the server answers such long messages at all."),
                 &result);
    } else {
      cause.tell(phrase("The device that drops them may be at this site or next to the server."));
    }
  }
  return causes;
}

}  // namespace callready::findings
