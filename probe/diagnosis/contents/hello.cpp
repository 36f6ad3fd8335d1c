// TLS greetings that are longer than one packet, as browsers send them, are cut off on the way.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

Probes hellos(const Facts& facts, Outcome outcome) {
  return facts.probes_that([&](const ProbeResult& result) {
    return result.probe.check == CheckKind::tls_hello && result.observation.outcome == outcome;
  });
}

}  // namespace

Causes find_cut_hello(const Diagnosis& context) {
  const auto cut = hellos(context, Outcome::failed);
  if (cut.empty()) return {};
  const auto pass = hellos(context, Outcome::answered);
  const bool split = std::ranges::all_of(cut, [](const ProbeResult* result) {
    return result->observation.detail == DetailCode::split_hello_cut;
  });
  const bool everywhere = parties_of(cut).size() > 1 && pass.empty();
  // Small packets were tried, too: what they lose is not lost for its size.
  const bool small_too = std::ranges::all_of(cut, [](const ProbeResult* result) {
    return std::ranges::any_of(result->observation.evidence, [](const Evidence& evidence) {
      return evidence.kind == EvidenceKind::hello &&
             text_fact(evidence, Fact::payload) == "long_in_segments";
    });
  });
  Cause cause;
  cause.name(FindingCode::tls_long_hello_cut, everywhere && small_too ? likely : possible);
  cause.title = phrase("A device in the path cuts off browsers' TLS greetings");
  // TLS to the same servers, or to all: what a browser asks there gets no answer.
  cause.affects = sets_of(context, context.probes_that([&](const ProbeResult& result) {
    const auto& target = result.probe.target;
    const bool there = everywhere || std::ranges::any_of(cut, [&](const ProbeResult* other) {
                         return other->probe.target.host == target.host &&
                                other->probe.target.port() == target.port();
                       });
    return there && target.transport == Transport::tls && is_direct(result);
  }));
  cause.fix = phrase(
      "Update the firmware or the inspection engine of the device that inspects TLS, or exempt the "
      "service's hosts from inspection{}. It must accept a TLS ClientHello that spans several TCP "
      "segments (post-quantum key exchange, X25519MLKEM768).",
      everywhere ? "" : ": " + listed(hosts_of(cut)));
  for (const auto* result : cut) {
    cause.tell(phrase("{}: a short TLS greeting is answered; one {} was cut off twice.",
                      result->probe.target.host,
                      split ? phrase("in more than one packet") : phrase("as long as a browser's")),
               result);
  }
  if (!pass.empty()) {
    cause.contrast({pass.front()->probe.id,
                    phrase("A long TLS greeting is answered by {}.", listed(hosts_of(pass)))});
  }
  if (!small_too) {
    cause.tell(phrase(
        "On this system, programs cannot choose the packet size: the path MTU may be the cause."));
  }
  cause.tell(phrase(
      "Programs with short greetings still connect, so the other rows of this report cannot show "
      "it."));
  return {cause};
}

}  // namespace callready::findings
