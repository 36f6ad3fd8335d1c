// WebRTC calls of the check `ice` that are not answered, whose media is lost, that browsers would
// end, or that only a relay carries. What drops DTLS alone, or only the second datagram of a
// greeting as long as a browser's: calls are set up, and stay mute. And streams like a call's that
// fell silent: the line, a device that ended the flow, or a NAT that gave it another port in the
// middle.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/status/media_quality.hpp"

namespace callready::findings {
namespace {

// The calls that `wanted` takes and no earlier cause explains; at least one of them is a row's.
template <typename Wanted>
Probes calls_that(const Diagnosis& context, Wanted wanted) {
  auto calls = context.probes_that([&](const ProbeResult& result) {
    return result.probe.check == CheckKind::ice && !context.explained(result) && wanted(result);
  });
  if (!context.any_asked_for(calls)) calls.clear();
  return calls;
}

Text ends_in_words(const Probes& calls) { return listed(set_of(calls, far_end_of_call)); }

// A call's media packets: sent, heard by the far end if it says so, and back here.
struct CallMedia {
  double sent = 0, back = 0;
  std::optional<double> arrived;
};

std::optional<CallMedia> media_of(const ProbeResult& result) {
  const auto sent = number_of(result, EvidenceKind::call_media, Fact::sent);
  const auto back = number_of(result, EvidenceKind::call_media, Fact::back);
  if (!sent || !back || *sent <= 0) return std::nullopt;
  return CallMedia{*sent, *back,
                   number_of(result, EvidenceKind::call_arrived, Fact::media_arrived)};
}

// On a line that loses 5 %, five of 25 get lost by chance in one run of a hundred and fifty. A call
// that was measured for longer is judged by its figures.
bool loses(const ProbeResult& result) {
  const auto media = media_of(result);
  if (!media || result.observation.media) return false;
  const double lost = media->sent - media->back;
  return lost >= 5 && lost * 5 >= media->sent;
}

Text way_of(const CallMedia& media) {
  if (!media.arrived) return "";
  const double out = media.sent - *media.arrived, back = *media.arrived - media.back;
  if (out <= 4 * back && back <= 4 * out) return phrase(" both ways");
  return phrase(" {}", way_in_words(out > back ? MediaWay::up : MediaWay::down));
}

std::optional<double> checks_arrived(const ProbeResult& call) {
  return number_of(call, EvidenceKind::call_arrived, Fact::checks_arrived);
}

// Calls whose offer was answered over TLS, but none of whose connectivity checks were; `way`: where
// the checks were lost, according to the far end. Nothing is claimed without that, and nothing
// about TCP, which works.
Causes silent_calls(const Diagnosis& context, MediaWay way) {
  Cause cause(calls_that(context, [&](const ProbeResult& result) {
    const auto checks = checks_arrived(result);
    return result.observation.detail == DetailCode::ice_silent && checks &&
           !far_end_of_call(result).empty() && (*checks == 0) == (way == MediaWay::up);
  }));
  if (cause.explained.empty()) return {};
  const auto ends = ends_in_words(cause.explained);
  if (way == MediaWay::up) {
    // Its own firewall may have dropped them.
    cause.name(FindingCode::firewall_udp_port_blocked, likely);
    cause.title = phrase("The firewall blocks outgoing UDP to the far end of calls: {}", ends);
    cause.fix = phrase(
        "Allow outgoing UDP (and return traffic) {}: {}. TCP works: the call was set up over it. "
        "If the far end is yours, check its own firewall, too.",
        from_users(context), ends);
  } else {
    cause.name(FindingCode::media_one_way, certain);
    cause.title = phrase("UDP from calls gets out, but no replies come in");
    cause.fix = phrase(
        "Let in the replies to UDP sent {} (a stateful rule with a timeout of at least 120 s): {}.",
        from_users(context), ends);
  }
  for (const auto* call : cause.explained) {
    cause.tell(
        phrase("The call was answered over TLS, but none of the STUN checks to {} were. The far "
               "end reports that {} arrived.",
               far_end_of_call(*call), checks_arrived(*call).value_or(0)),
        call);
  }
  return {cause};
}

// Calls whose media does not come back, `all` or only some of it.
Causes lost_media(const Diagnosis& context, bool all) {
  Cause cause(calls_that(context, [&](const ProbeResult& result) {
    return loses(result) && (media_of(result)->back <= 0) == all;
  }));
  if (cause.explained.empty()) return {};
  std::optional<CallMedia> worst;
  for (const auto* result : cause.explained) {
    const auto media = media_of(*result);
    if (!worst || media->back < worst->back) worst = media;
    auto text = phrase("Of {} packets of a call to {}, {} came back", media->sent,
                       result->probe.target.host, media->back);
    if (media->arrived) text += phrase("; the far end got {}", *media->arrived);
    cause.tell(text + ".", result);
  }
  if (!all) {
    cause.impaired = cause.explained;
    cause.name(FindingCode::media_loss, likely);
    cause.owner = Owner::lan;
    cause.title = phrase("Browser calls lose packets{}: sound is choppy", way_of(*worst));
    cause.fix =
        run_again(context) + ' ' +
        phrase(
            "If nothing changes, check the firewall's log for UDP to the far end that is cut off "
            "or limited; otherwise, give the Internet provider these figures.");
    return {cause};
  }
  cause.name(FindingCode::media_one_way, worst->arrived ? certain : likely);
  cause.title = phrase("Browser calls connect, but media (SRTP) is dropped{}", way_of(*worst));
  cause.fix = phrase(
      "Turn off the inspection that drops RTP or UDP it does not recognize (application control) "
      "{}, and let the flow through in both directions: STUN and DTLS on the same flow do pass.",
      for_users(context));
  return {cause};
}

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
  // Of packets to the first router, at least one in ten was lost as well.
  if (stream.first_hop && stream.first_hop->loss.low > 10) {
    cause.owner = Owner::lan;
    cause.fix = phrase(
        "Use another cable, port or dock, or a cable instead of Wi-Fi, and make sure that no other "
        "device has the router's address: packets get lost between this computer and its router, "
        "not on the Internet line.");
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

Causes find_silent_call(const Diagnosis& context) {
  auto causes = silent_calls(context, MediaWay::up);
  append(causes, silent_calls(context, MediaWay::down));
  return causes;
}

Causes find_call_media(const Diagnosis& context) {
  auto causes = lost_media(context, false);
  append(causes, lost_media(context, true));
  return causes;
}

// Media goes on, but its consent checks are no longer answered: whoever follows RFC 7675 ends the
// call 30 s later, browsers after only 15 s.
Causes find_lost_consent(const Diagnosis& context) {
  constexpr double enough_ms = 3'000;
  Cause cause;
  cause.impaired = calls_that(context, [&](const ProbeResult& result) {
    const auto of_consent = [&](Fact fact) {
      return number_of(result, EvidenceKind::call_consent, fact).value_or(0);
    };
    const auto& stream = result.observation.media;
    const bool answered = of_consent(Fact::back) > 0;  // at first
    return stream && !stream->outage && answered && of_consent(Fact::silent_ms) >= enough_ms;
  });
  if (cause.impaired.empty()) return {};
  for (const auto* call : cause.impaired) {
    const auto* consent = evidence_of(*call, EvidenceKind::call_consent);
    cause.tell(phrase("{}; none in the last {} s, while media came back.", consent->text,
                      tenths(number_fact(*consent, Fact::silent_ms).value_or(0) / 1'000)),
               call);
  }
  cause.name(FindingCode::media_consent_lost, likely);
  cause.title = phrase("STUN stops getting through mid-call: browsers end calls after 15 to 30 s");
  cause.fix = phrase(
      "Let STUN through for as long as the call lasts, not only at its start (flood protection, a "
      "limit on STUN packets, application control): {}.",
      ends_in_words(cause.impaired));
  return {cause};
}

bool needs_relay_over_stream(const ProbeResult& result) {
  const auto by = parse<Transport>(text_of(result, EvidenceKind::ice_pair, Fact::relay_transport));
  return result.observation.detail == DetailCode::called && by && *by != Transport::udp;
}

// No pair of addresses connects over UDP: the call works, but worse than it could.
Causes find_relayed_calls(const Diagnosis& context) {
  Cause cause;
  cause.impaired = calls_that(context, [&](const ProbeResult& result) {
    return needs_relay_over_stream(result) && !context.impaired(result);  // no UDP at all
  });
  if (cause.impaired.empty()) return {};
  for (const auto* call : cause.impaired)
    cause.tell(evidence_of(*call, EvidenceKind::ice_pair)->text + ".", call);
  cause.name(FindingCode::media_relay_only, likely);
  cause.title = phrase("Calls get through only over TCP or TLS relays");
  cause.fix = phrase(
      "Allow outgoing UDP (and return traffic) {}: {}. Over TCP and TLS, each lost packet delays "
      "all packets after it.",
      from_users(context), ends_in_words(cause.impaired));
  return {cause};
}

Causes find_dtls_filter(const Diagnosis& context) {
  Cause cause(calls_that(context, [](const ProbeResult& result) {
    return result.observation.detail == DetailCode::dtls_silent &&
           evidence_of(result, EvidenceKind::ice_pair) != nullptr;
  }));
  if (!context.affects_requirement(cause.explained)) return {};
  bool out = false, back = false;
  for (const auto* call : cause.explained) {
    cause.tell(phrase("STUN to {} is answered; the DTLS ClientHello, sent {} times on the same "
                      "flow, is not.",
                      far_end_of_call(*call),
                      number_of(*call, EvidenceKind::call_handshake, Fact::flights).value_or(0)),
               call);
    // The far end's own word: the second mechanism.
    const auto handshakes = number_of(*call, EvidenceKind::call_arrived, Fact::handshakes_arrived);
    if (!handshakes) continue;
    out |= *handshakes == 0;
    back |= *handshakes > 0;
    cause.tell(phrase("The far end reports that {} STUN checks and {} DTLS packets arrived.",
                      checks_arrived(*call).value_or(0), *handshakes),
               call);
  }
  cause.name(FindingCode::firewall_dtls_filtered, out || back ? certain : likely);
  cause.title = out && !back ? phrase("The firewall drops DTLS on the way out: calls stay silent")
                : back && !out
                    ? phrase("The firewall drops DTLS on the way back: calls stay silent")
                    : phrase("The firewall drops DTLS: calls stay silent");
  cause.fix = phrase(
      "Turn off the inspection that drops DTLS over UDP (application control, often called "
      "\"DTLS\", \"WebRTC\" or \"unknown UDP\") {}, and let it through in both directions: {}.",
      for_users(context), ends_in_words(cause.explained));
  return {cause};
}

Causes find_cut_greeting(const Diagnosis& context) {
  // So many first datagrams do not arrive by chance without any second one.
  constexpr double enough = 3;
  Probes cut;
  Cause cause;
  for (const auto& result : context.report.probes) {
    const auto* greeting = evidence_of(result, EvidenceKind::call_greeting);
    if (greeting == nullptr || number_fact(*greeting, Fact::later_parts) != 0.0) continue;
    if (number_fact(*greeting, Fact::first_parts).value_or(0) < enough) continue;
    cut.push_back(&result);
    cause.tell(phrase("Call to {}: {}.", far_end_of_call(result), greeting->text), &result);
  }
  if (cut.empty()) return {};
  cause.name(FindingCode::dtls_long_hello_cut, certain);
  cause.title = phrase("A device in the path drops part of each browser DTLS greeting");
  cause.affects = sets_of(context, cut);
  cause.fix = phrase(
      "Update the firmware or the inspection engine of the device that inspects UDP, or exempt the "
      "service's media from inspection. It must pass a DTLS ClientHello that comes in several "
      "datagrams (post-quantum key exchange, X25519MLKEM768).");
  cause.tell(phrase(
      "Short DTLS greetings get through, so calls from older programs work, as this call did."));
  return {cause};
}

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
      cause.fix += look_for_limits_on_marks(context, streams);
    }
    for (const auto* result : streams) {
      const auto& stream = *result->observation.media;
      cause.tell(phrase("{}: {}.", result->probe.target.host, told_of(stream)), result);
      if (cause.owner == Owner::lan && stream.first_hop)
        cause.tell(phrase("Meanwhile, {}.", first_hop_in_words(*stream.first_hop)), result);
    }
  }
  return causes;
}

}  // namespace callready::findings
