// SIP: a device on the way that rewrites it (RFC 3261), judged by what the SIP ALG test saw, and by
// what servers said about this machine over transports that the device can and cannot read; servers
// that answer with an error of their own; and messages over UDP that are too long for one packet,
// which get lost on the way or at the server.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"
#include "probe/model/describe.hpp"

namespace callready::findings {
namespace {

bool is_sip(const ProbeResult& result) {
  return result.probe.check == CheckKind::sip && is_direct(result);
}

Probes tests_that_say(DetailCode detail, const Facts& facts) {
  return facts.probes_that([&](const ProbeResult& result) {
    return result.probe.check == CheckKind::sip_alg && result.observation.detail == detail &&
           evidence_of(result, EvidenceKind::sip_alg) != nullptr && !is_inside(result);
  });
}

// A Via that came back changed, outside the test. Over TLS nobody on the way can do that: a
// rewriting server would be the far end's own.
Probes changed_vias(const Facts& facts) {
  return facts.probes_that([](const ProbeResult& result) {
    return is_sip(result) && !over_tls(result) && !is_inside(result) &&
           flag_of(result, EvidenceKind::sip_via, Fact::rewritten) == true;
  });
}

// Whether the server saw another address than this machine's own. Another port alone may be the
// work of a load balancer in front of the server.
std::optional<bool> seen_elsewhere(const ProbeResult& result) {
  const auto& local = result.observation.local;
  const auto received = IpAddress::parse(text_of(result, EvidenceKind::sip_via, Fact::received));
  if (!local || !received) return std::nullopt;
  return *received != local->address;
}

// The same server, over TLS, saw the NAT's address, and over UDP or TCP this machine's own, which
// cannot get there: it was written into the reply. A public address can, and TLS may leave by
// another way.
Probes contrasts_to_tls(const Facts& facts) {
  std::set<std::string> translated;
  for (const auto& result : facts.report.probes) {
    if (is_sip(result) && over_tls(result) && seen_elsewhere(result) == true)
      translated.insert(result.probe.target.host);
  }
  return facts.probes_that([&](const ProbeResult& result) {
    return is_sip(result) && !over_tls(result) && !is_inside(result) &&
           seen_elsewhere(result) == false && translated.contains(result.probe.target.host) &&
           result.observation.local->address.is_special();
  });
}

// The probe that got an answer to SIP over UDP on another port of that host; null: none did. A
// refusal is not an answer, although it shows that the host is up.
const ProbeResult* answered_on_another_port(const Facts& facts, const Flow& flow) {
  for (const auto& its : facts.flows) {
    if (!its.udp || its.host != flow.host || its.port == flow.port) continue;
    for (const auto& sample : its.samples) {
      const auto& result = *sample.result;
      if (is_sip(result) && result.observation.outcome == Outcome::answered) return &result;
    }
  }
  return nullptr;
}

// A server that is silent on 5060, which an ALG reads, and answers on a port that none knows.
Causes find_swallowed_sip(const Diagnosis& context) {
  Cause cause;
  for (const auto& flow : context.flows) {
    if (!flow.udp || flow.port != 5060 || flow.way == Reachability::open) continue;
    const auto* other = answered_on_another_port(context, flow);
    const auto probes = context.open_probes(flow);
    if (other == nullptr || !context.affects_requirement(probes)) continue;
    cause.tell(what_it_saw(*probes.front()));
    cause.tell(what_it_saw(*other));
    append(cause.explained, probes);
  }
  if (cause.explained.empty()) return {};
  cause.name(FindingCode::sip_alg, possible);
  cause.title = phrase("SIP on its usual port is dropped (SIP ALG or inspection)");
  cause.fix = phrase(
      "Turn off the SIP ALG (also called SIP helper or SIP inspection) on the router and the "
      "firewall, and allow this traffic (and return traffic): {}. If that changes nothing, ask the "
      "server's operator whether the server answers SIP OPTIONS on that port.",
      flows_in_words(context, cause.explained));
  return {cause};
}

// 501 and 505 are about our OPTIONS, not about the server's health (RFC 3261 section 21.5).
bool is_server_error(const Observation& seen) {
  const int status = seen.outcome == Outcome::answered ? seen.detail.status() : 0;
  return status >= 500 && status < 600 && status != 501 && status != 505;
}

}  // namespace

Causes find_sip_alg(const Diagnosis& context) {
  Cause cause;
  const auto add = [&](const Probes& results, EvidenceKind what) {
    for (const auto* result : results) {
      cause.tell(what, *result);
      add_once(cause.explained, result);
    }
  };
  add(tests_that_say(DetailCode::rewritten, context), EvidenceKind::sip_alg);
  add(changed_vias(context), EvidenceKind::sip_via);
  const bool proved = !cause.explained.empty();
  add(tests_that_say(DetailCode::suspected, context), EvidenceKind::sip_alg);
  for (const auto* result : contrasts_to_tls(context)) {
    cause.tell(phrase("{}: the server reports this computer's own address; over TLS it reported "
                      "the address of a NAT",
                      endpoint_in_words(result->probe.target)),
               result);
    add_once(cause.explained, result);
  }
  if (cause.explained.empty()) return find_swallowed_sip(context);
  cause.name(FindingCode::sip_alg, proved ? certain : likely);
  cause.title = phrase("A device in the path rewrites SIP messages (SIP ALG)");
  cause.fix = phrase(
      "Turn off the SIP ALG (also called SIP helper, SIP inspection, SIP transformations or SIP "
      "session helper) on the router and the firewall, then restart the phones or calling "
      "applications. In the meantime, use SIP over TLS, which an ALG cannot alter.");
  cause.impaired = those_that(cause.explained, std::not_fn(failing));
  for (const auto* result : cause.explained) {
    for (const auto& evidence : all_evidence(result->observation, EvidenceKind::sip_alg_message)) {
      const bool changed = flag_fact(evidence, Fact::via_changed).value_or(false) ||
                           !text_fact(evidence, Fact::mirrored_changes).empty();
      if (changed) cause.tell(evidence.text, result);
    }
  }
  cause.affects = sets_of(context, cause.explained);
  return {cause};
}

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
      return over_tls(*result) && !has_foreign_root(*result);
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
    for (const auto& evidence : all_evidence(result.observation, EvidenceKind::sip_size)) {
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
