// A stream like a call's that fell silent: the line, a device that ended the flow, or a NAT that
// gave it another port in the middle.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/status/media_quality.hpp"

namespace callready::findings {
namespace {

// The NAT's part in it, and how sure that is; nothing: it has none.
std::optional<Confidence> rebound(const ProbeResult* result) {
  const auto& outage = *result->observation.media->outage;
  if (!outage.to_the_end || !outage.new_session.value_or(false)) return std::nullopt;
  if (!outage.moved) return possible;  // nobody says what came
  return *outage.moved ? std::optional(certain) : std::nullopt;
}

void name_rebound(Cause& cause, Confidence confidence) {
  cause.name(FindingCode::nat_rebound, confidence);
  cause.title = confidence == possible
                    ? phrase("A call's flow dies mid-call, but a new one works: calls fall silent")
                    : phrase("The router changes a call's port mid-call: the call falls silent");
  cause.fix = phrase(
      "Check the router's or firewall's log for that time: did it switch to another Internet line "
      "(failover, load balancing), restart, or run out of NAT table entries? Have it keep each "
      "flow on one line and port for as long as packets flow (RFC 4787, REQ-6), with a UDP timeout "
      "of 120 s or more.");
}

void name_outage(Cause& cause, const MediaStream& stream) {
  cause.name(FindingCode::media_outage, likely);
  cause.title = phrase("Calls fall silent: {}", outage_in_words(stream));
  if (stream.outage->new_session.value_or(false)) {
    cause.owner = Owner::network;
    cause.fix = phrase(
        "Find the device that ended the flow (flood protection, a limit on a flow's packets or "
        "duration, a UDP timeout) in the firewall's log for that time, and exempt the service's "
        "media. A new flow worked at once.");
    return;
  }
  cause.fix = phrase(
      "Check the router's and firewall's logs for that time for a line that went down, a Wi-Fi "
      "device that roamed, or a device that restarted. Run this again on a wired connection. If it "
      "happens again, give the Internet provider the time and these figures.");
}

Text told_of(const MediaStream& stream) {
  const auto& outage = *stream.outage;
  auto said = outage_in_words(stream);
  if (outage.new_session) {
    said += *outage.new_session ? phrase("; a new session from another port was answered at once")
                                : phrase("; a new session was not answered either");
  }
  if (outage.moved.value_or(false)) {
    said +=
        phrase("; from then on, the packets reached the far end from a different address or port");
  }
  return said;
}

}  // namespace

// One line, one silence, in however many streams: one cause of each kind.
Causes find_outage(const Diagnosis& context) {
  const auto silent = context.probes_that([](const ProbeResult& result) {
    return result.observation.media && result.observation.media->outage;
  });
  Causes causes;
  for (const auto& streams :
       grouped(silent, [](const auto* result) { return rebound(result).has_value(); })) {
    auto& cause = causes.emplace_back(streams);
    const auto* surest = *std::ranges::min_element(streams, {}, rebound);
    if (const auto confidence = rebound(surest)) {
      name_rebound(cause, *confidence);
    } else {
      name_outage(cause, *surest->observation.media);
    }
    for (const auto* result : streams) {
      cause.tell(phrase("{}: {}.", result->probe.target.host, told_of(*result->observation.media)),
                 result);
    }
  }
  return causes;
}

}  // namespace callready::findings
