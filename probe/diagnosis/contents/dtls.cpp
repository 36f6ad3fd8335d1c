// A device that lets STUN through and drops DTLS on the same flow, or only the second datagram of a
// greeting as long as a browser's: calls are set up, and stay mute.
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/words.hpp"

namespace callready::findings {
Causes find_dtls_filter(const Diagnosis& context) {
  Cause cause;
  auto& finding = cause.finding;
  std::set<Text> ends;
  bool out = false, back = false;
  for (const auto& result : context.facts.report.probes) {
    if (result.probe.check != CheckKind::ice || context.explained(result)) continue;
    if (result.observation.detail != DetailCode::dtls_silent) continue;
    const auto* pair = evidence_of(result, EvidenceKind::ice_pair);
    if (pair == nullptr) continue;
    cause.explained.push_back(&result);
    const auto end = far_end_of_call(result);
    ends.insert(end);
    const auto flights = told_by(evidence_of(result, EvidenceKind::call_handshake), Fact::flights);
    finding.evidence.push_back(
        {result.probe.id, phrase("STUN to {} is answered; the DTLS ClientHello, sent {} times "
                                 "on the same flow, is not.",
                                 end, flights.value_or(0))});
    // The far end's own word: the second mechanism.
    const auto* arrived = evidence_of(result, EvidenceKind::call_arrived);
    const auto handshakes = told_by(arrived, Fact::handshakes_arrived);
    if (!handshakes) continue;
    out |= *handshakes == 0;
    back |= *handshakes > 0;
    finding.evidence.push_back(
        {result.probe.id,
         phrase("The far end reports that {} STUN checks and {} DTLS packets arrived.",
                told_by(arrived, Fact::checks_arrived).value_or(0), *handshakes)});
  }
  if (!context.affects_requirement(cause.explained)) return {};
  finding.code = FindingCode::firewall_dtls_filtered;
  finding.title = out && !back ? phrase("The firewall drops DTLS on the way out: calls stay silent")
                  : back && !out
                      ? phrase("The firewall drops DTLS on the way back: calls stay silent")
                      : phrase("The firewall drops DTLS: calls stay silent");
  finding.owner = Owner::network;
  finding.confidence = out || back ? Confidence::certain : Confidence::likely;
  finding.fix = phrase(
      "Turn off the inspection that drops DTLS over UDP (application control, often called "
      "\"DTLS\", \"WebRTC\" or \"unknown UDP\") {}, and let it through in both directions: {}.",
      for_users(context.facts), listed_texts({ends.begin(), ends.end()}));
  return {cause};
}

Causes find_cut_greeting(const Diagnosis& context) {
  // By chance so many first datagrams do not come without any second one.
  constexpr double enough = 3;
  std::vector<const ProbeResult*> cut;
  Cause cause;
  auto& finding = cause.finding;
  for (const auto& result : context.facts.report.probes) {
    const auto* greeting = evidence_of(result, EvidenceKind::call_greeting);
    const auto first = told_by(greeting, Fact::first_parts).value_or(0);
    if (first < enough || told_by(greeting, Fact::later_parts) != 0.0) continue;
    cut.push_back(&result);
    finding.evidence.push_back(
        {result.probe.id, phrase("Call to {}: {}.", far_end_of_call(result), greeting->text)});
  }
  if (cut.empty()) return {};
  finding.code = FindingCode::dtls_long_hello_cut;
  finding.title = phrase("A device in the path drops part of each browser DTLS greeting");
  finding.owner = Owner::security;
  finding.confidence = Confidence::certain;
  finding.affects = sets_of(context.facts, cut);
  finding.fix = phrase(
      "Update the firmware or the inspection engine of the device that inspects UDP, or exempt the "
      "service's media from inspection. It must pass a DTLS ClientHello that comes in several "
      "datagrams (post-quantum key exchange, X25519MLKEM768).");
  finding.evidence.push_back({"", phrase("Short DTLS greetings get through, so calls from older "
                                         "programs work, as this call did.")});
  return {cause};
}

}  // namespace callready::findings
