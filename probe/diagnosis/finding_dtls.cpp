// A device that lets STUN through and drops DTLS on the same flow: calls are set up, and stay mute.
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/finding_rules.hpp"
#include "probe/diagnosis/finding_words.hpp"

namespace callready::findings {
namespace {

std::optional<double> told_by(const Evidence* evidence, Fact fact) {
  return evidence == nullptr ? std::nullopt : number_fact(*evidence, fact);
}

}  // namespace

Causes find_dtls_filter(const Diagnosis& context) {
  Cause cause;
  auto& finding = cause.finding;
  std::set<std::string> ends;
  bool out = false, back = false;
  for (const auto& result : context.facts.report.probes) {
    if (result.probe.check != CheckKind::ice || context.explained(result)) continue;
    if (result.observation.detail != DetailCode::dtls_silent) continue;
    const auto* pair = evidence_of(result, EvidenceKind::ice_pair);
    if (pair == nullptr) continue;
    cause.explained.push_back(&result);
    const auto end = fmt::format("UDP {} of {}", told_by(pair, Fact::far_port).value_or(0),
                                 text_fact(*pair, Fact::far_address));
    ends.insert(end);
    const auto flights = told_by(evidence_of(result, EvidenceKind::call_handshake), Fact::flights);
    finding.evidence.push_back(
        {result.probe.id,
         fmt::format("To {} STUN goes there and back; the DTLS ClientHello, sent {} times on the "
                     "same flow, gets nothing.",
                     end, flights.value_or(0))});
    // The far end's own word: the second mechanism.
    const auto* arrived = evidence_of(result, EvidenceKind::call_arrived);
    const auto handshakes = told_by(arrived, Fact::handshakes_arrived);
    if (!handshakes) continue;
    out |= *handshakes == 0;
    back |= *handshakes > 0;
    finding.evidence.push_back(
        {result.probe.id,
         fmt::format("The far end says: {} STUN checks arrived, and {} packets of DTLS.",
                     told_by(arrived, Fact::checks_arrived).value_or(0), *handshakes)});
  }
  if (!context.affects_requirement(cause.explained)) return {};
  finding.code = "firewall.dtls_filtered";
  finding.title = fmt::format("The firewall lets STUN through, and drops DTLS{}: calls stay mute",
                              out && !back   ? " on the way out"
                              : back && !out ? " on the way back"
                                             : "");
  finding.owner = Owner::network;
  finding.confidence = out || back ? Confidence::certain : Confidence::likely;
  finding.fix = fmt::format(
      "Switch off the inspection that drops DTLS over UDP (application control, often called "
      "\"DTLS\", \"WebRTC\" or \"unknown UDP\") for the user network, and let it through in both "
      "directions: {}.",
      listed({ends.begin(), ends.end()}));
  return {cause};
}

namespace {

// Of a call's packets of media: sent, heard by the far end where it says so, and back here.
struct CallMedia {
  double sent = 0, back = 0;
  std::optional<double> arrived;
};

std::optional<CallMedia> media_of(const ProbeResult& result) {
  const auto* media = evidence_of(result, EvidenceKind::call_media);
  const auto sent = told_by(media, Fact::sent), back = told_by(media, Fact::back);
  if (!sent || !back || *sent <= 0) return std::nullopt;
  const auto arrived =
      told_by(evidence_of(result, EvidenceKind::call_arrived), Fact::media_arrived);
  return CallMedia{*sent, *back, arrived};
}

// Five of 25 get lost by chance on a line that loses 5 % in one run of a hundred and fifty.
bool loses(const CallMedia& media) {
  const double lost = media.sent - media.back;
  return lost >= 5 && lost * 5 >= media.sent;
}

std::string_view way_of(const CallMedia& media) {
  if (!media.arrived) return "";
  const double out = media.sent - *media.arrived, back = *media.arrived - media.back;
  return out > 4 * back ? " on the way out" : back > 4 * out ? " on the way back" : " both ways";
}

}  // namespace

// A call that connects, and whose media does not come back, or only some of it.
Causes find_call_media(const Diagnosis& context) {
  Cause cause;
  auto& finding = cause.finding;
  std::optional<CallMedia> worst;
  for (const auto& result : context.facts.report.probes) {
    const auto media = media_of(result);
    if (result.probe.check != CheckKind::ice || !media || !loses(*media)) continue;
    if (context.explained(result)) continue;
    cause.explained.push_back(&result);
    if (!worst || media->back < worst->back) worst = media;
    auto text = fmt::format("Of {} packets of a call to {} {} came back", media->sent,
                            result.probe.target.host, media->back);
    if (media->arrived) text += fmt::format("; the far end got {}", *media->arrived);
    finding.evidence.push_back({result.probe.id, text + "."});
  }
  const bool asked =
      std::any_of(cause.explained.begin(), cause.explained.end(),
                  [&](const ProbeResult* result) { return context.facts.asked_for(*result); });
  if (!worst || !asked) return {};
  finding.owner = Owner::network;
  finding.confidence =
      worst->arrived && worst->back == 0 ? Confidence::certain : Confidence::likely;
  if (worst->back > 0) {
    finding.code = "media.loss";
    finding.title =
        fmt::format("Packets of a call in a browser are lost{}: calls are choppy, or fall silent",
                    way_of(*worst));
    finding.fix =
        "Run it again by cable, without VPN, and while nobody else uses the line. Still so: look "
        "in the firewall's log for UDP to the far end that is cut off or limited; else give the "
        "Internet provider these figures.";
    return {cause};
  }
  finding.code = "media.one_way";
  finding.title = fmt::format("Calls in a browser connect, and their media (SRTP) is dropped{}",
                              way_of(*worst));
  finding.fix =
      "Switch off the inspection that drops RTP or UDP it does not know (application control) for "
      "the user network, and let the flow through in both directions: STUN and DTLS on the same "
      "flow do pass.";
  return {cause};
}

}  // namespace callready::findings
