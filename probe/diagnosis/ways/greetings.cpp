// Greetings that are cut off: TLS greetings that are longer than one packet, as browsers send them;
// and QUIC, which browsers try before TCP: refused on UDP 443 while other UDP gets out, or answered
// and then cut off by the name in its greeting. Silence from the start proves nothing.
#include <algorithm>

#include "probe/diagnosis/ways/flow_groups.hpp"

namespace callready::findings {
namespace {

constexpr std::uint16_t quic_port = 443;

Probes with_detail(const Facts& facts, std::initializer_list<DetailCode> details) {
  return facts.probes_that([&](const ProbeResult& result) {
    return result.probe.check == CheckKind::quic && contains(details, result.observation.detail);
  });
}

// Public STUN servers do not answer either: no UDP gets out to hosts that no rule of the firewall
// names, whatever its port. Which of these packets a router refuses, and which it just drops, is
// chance.
bool drops_strangers(const Facts& facts) {
  const auto strangers = facts.probes_that([](const ProbeResult& result) {
    return result.probe.check == CheckKind::stun && result.probe.purpose == Purpose::control;
  });
  return !strangers.empty() && std::ranges::none_of(strangers, [](const ProbeResult* result) {
    return result->observation.outcome == Outcome::answered;
  });
}

Probes hellos(const Facts& facts, Outcome outcome) {
  return facts.probes_that([&](const ProbeResult& result) {
    return result.probe.check == CheckKind::tls_hello && result.observation.outcome == outcome;
  });
}

}  // namespace

Causes find_refused_quic(const Diagnosis& context) {
  const auto* works = first_sample(udp_flows(context), [](const FlowSample& sample) {
    return sample.way == Reachability::open && !sample.refusal && sample.port != quic_port;
  });
  if (works == nullptr || drops_strangers(context)) return {};
  Cause cause;
  std::string device;
  for (const auto& flow : context.flows) {
    if (!flow.udp || flow.port != quic_port) continue;
    for (const auto& sample : flow.samples) {
      const auto& result = *sample.result;
      const bool refused = sample.way == Reachability::blocked && sample.turned_away();
      if (result.probe.check != CheckKind::quic || !refused || sample.no_way) continue;
      if (context.explained(result)) continue;
      if (!sample.by.empty()) device = sample.by;
      cause.explained.push_back(&result);
      cause.tell(phrase("{}, UDP 443: {} rejects a QUIC packet.", flow.host,
                        sample.by.empty() ? phrase("a device in the path") : sample.by),
                 &result);
    }
  }
  if (cause.explained.empty()) return {};
  const bool several = parties_of(cause.explained).size() > 1;
  cause.name(FindingCode::firewall_quic_rejected, several ? likely : possible);
  cause.title = phrase("A device in the path refuses QUIC (UDP 443)");
  cause.fix = phrase(
      "Allow UDP 443 (and return traffic) {}, or leave it blocked if that is your policy: calls do "
      "not need it.{}",
      from_users(context), ask_the_device(context, device));
  cause.contrast({works->result->probe.id, phrase("Other UDP works: {}, port {}, answers.",
                                                  works->result->probe.target.host, works->port)});
  cause.tell(
      phrase("Calls do not need QUIC. Browsers try it first if a site offers it; if it is refused "
             "with ICMP, some wait up to 30 s before they use TCP."));
  return {cause};
}

Causes find_filtered_quic(const Diagnosis& context) {
  const auto cut = with_detail(context, {DetailCode::initial_silent, DetailCode::initial_rejected});
  if (cut.empty() || context.line_loses()) return {};
  const auto through = with_detail(context, {DetailCode::quic_spoken});
  Cause cause;
  const bool everywhere = parties_of(cut).size() > 1 && through.empty();
  cause.name(FindingCode::firewall_quic_filtered, everywhere ? likely : possible);
  cause.title = phrase("A device in the path cuts off QUIC greetings");
  cause.fix = phrase(
      "Exempt {} from the inspection of UDP 443, or block UDP 443 entirely: browsers then use TCP "
      "sooner.",
      everywhere ? phrase("the service's hosts") : listed(hosts_of(cut)));
  for (const auto* result : cut) {
    cause.tell(
        phrase("{}: a query for its QUIC versions is answered, but a greeting with its name {}.",
               result->probe.target.host,
               result->observation.detail == DetailCode::initial_rejected
                   ? phrase("is refused")
                   : phrase("gets no answer, although sent several times")),
        result);
  }
  if (!through.empty()) {
    cause.contrast({through.front()->probe.id,
                    phrase("Such a greeting is answered by {}.", listed(hosts_of(through)))});
  }
  cause.tell(phrase("Calls do not need QUIC: browsers use TCP where its greeting gets no answer."));
  return {cause};
}

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
      everywhere ? Text() : phrase(": {}", listed(hosts_of(cut))));
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
