// A device on the way that rewrites SIP (RFC 3261 messages), by what the SIP ALG test saw, and by
// what servers said of the same machine over transports that such a device can read and cannot.
#include <algorithm>
#include <iterator>

#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/words.hpp"
#include "probe/model/describe.hpp"

namespace callready::findings {
namespace {

struct Suspicion {
  const ProbeResult* result;
  Text text;
  Confidence confidence;
};

bool is_sip(const ProbeResult& result) {
  return result.probe.check == CheckKind::sip && is_direct(result);
}

bool over_tls(const ProbeResult& result) { return result.probe.target.transport == Transport::tls; }

// What the test itself says.
void add_tests(const Diagnosis& context, std::vector<Suspicion>& seen) {
  for (const auto& result : context.facts.report.probes) {
    const auto* evidence = evidence_of(result, EvidenceKind::sip_alg);
    if (result.probe.check != CheckKind::sip_alg || evidence == nullptr || is_inside(result))
      continue;
    const auto& detail = result.observation.detail;
    if (detail == DetailCode::rewritten)
      seen.push_back({&result, evidence->text, Confidence::certain});
    if (detail == DetailCode::suspected)
      seen.push_back({&result, evidence->text, Confidence::likely});
  }
}

// A Via that came back otherwise, outside of the test. Over TLS nobody on the way can: a rewriting
// server would be the far end's own.
void add_changed_vias(const Diagnosis& context, std::vector<Suspicion>& seen) {
  for (const auto& result : context.facts.report.probes) {
    const auto* via = evidence_of(result, EvidenceKind::sip_via);
    if (!is_sip(result) || over_tls(result) || via == nullptr || is_inside(result)) continue;
    if (flag_fact(*via, Fact::rewritten).value_or(false)) {
      seen.push_back({&result, via->text, Confidence::certain});
    }
  }
}

// Whether the server saw another address than this machine's own. Another port alone may be the
// work of a load balancer in front of the server.
std::optional<bool> seen_elsewhere(const ProbeResult& result) {
  const auto* via = evidence_of(result, EvidenceKind::sip_via);
  const auto& local = result.observation.local;
  if (via == nullptr || !local) return std::nullopt;
  const auto received = IpAddress::parse(text_fact(*via, Fact::received));
  if (!received) return std::nullopt;
  return *received != local->address;
}

// The same server, over TLS, saw the NAT's address, and over UDP or TCP this machine's own, which
// cannot get there: it was written into the reply. A public address can, and TLS may leave by
// another way.
void add_contrasts(const Diagnosis& context, std::vector<Suspicion>& seen) {
  std::set<std::string> translated;
  const auto& probes = context.facts.report.probes;
  for (const auto& result : probes) {
    if (is_sip(result) && over_tls(result) && seen_elsewhere(result) == true) {
      translated.insert(result.probe.target.host);
    }
  }
  for (const auto& result : probes) {
    const auto& target = result.probe.target;
    if (!is_sip(result) || over_tls(result) || is_inside(result)) continue;
    if (seen_elsewhere(result) != false || !translated.contains(target.host)) continue;
    if (!result.observation.local->address.is_special()) continue;
    seen.push_back({&result,
                    phrase("{}: the server reports this computer's own address; over TLS it "
                           "reported the address of a NAT",
                           endpoint_in_words(target)),
                    Confidence::likely});
  }
}

// What got an answer to SIP there; null: nothing. A host that refuses the port is heard, too.
const ProbeResult* answered_sip(const Flow& flow) {
  for (const auto& sample : flow.samples) {
    const auto& result = *sample.result;
    if (is_sip(result) && result.observation.outcome == Outcome::answered) return &result;
  }
  return nullptr;
}

// A server that is silent on 5060, which an ALG reads, and answers on a port that none knows.
Causes find_swallowed_sip(const Diagnosis& context) {
  Cause cause;
  auto& finding = cause.finding;
  for (const auto& flow : context.facts.flows) {
    if (!flow.udp || flow.port != 5060 || flow.way == Reachability::open) continue;
    const ProbeResult* other = nullptr;
    for (const auto& its : context.facts.flows) {
      const bool beside = its.udp && its.host == flow.host && its.port != flow.port;
      if (beside && other == nullptr) other = answered_sip(its);
    }
    const auto probes = context.open_probes(flow);
    if (other == nullptr || !context.affects_requirement(probes)) continue;
    finding.evidence.push_back(what_it_saw(*probes.front()));
    finding.evidence.push_back(what_it_saw(*other));
    append(cause.explained, probes);
  }
  if (cause.explained.empty()) return {};
  cause.name(FindingCode::sip_alg, Owner::network, Confidence::possible);
  finding.title = phrase("SIP on its usual port is dropped (SIP ALG or inspection)");
  finding.fix = phrase(
      "Turn off the SIP ALG (also called SIP helper or SIP inspection) on the router and the "
      "firewall, and allow this traffic (and return traffic): {}. If that changes nothing, ask the "
      "server's operator whether the server answers SIP OPTIONS on that port.",
      flows_in_words(context.facts, cause.explained));
  return {cause};
}

}  // namespace

Causes find_sip_alg(const Diagnosis& context) {
  std::vector<Suspicion> seen;
  add_tests(context, seen);
  add_changed_vias(context, seen);
  add_contrasts(context, seen);
  if (seen.empty()) return find_swallowed_sip(context);
  std::ranges::stable_sort(seen, {}, &Suspicion::confidence);
  Cause cause;
  auto& finding = cause.name(FindingCode::sip_alg, Owner::network, seen.front().confidence);
  finding.title = phrase("A device in the path rewrites SIP messages (SIP ALG)");
  finding.fix = phrase(
      "Turn off the SIP ALG (also called SIP helper, SIP inspection, SIP transformations or SIP "
      "session helper) on the router and the firewall, and restart the phones. In the meantime, "
      "use SIP over TLS, which an ALG cannot alter.");
  for (const auto& one : seen) {
    cause.tell(one.text, one.result);
    add_once(cause.explained, one.result);
  }
  std::ranges::copy_if(cause.explained, std::back_inserter(cause.impaired),
                       [](const ProbeResult* result) { return !failing(*result); });
  for (const auto* result : cause.explained) {
    for (const auto& evidence : result->observation.evidence) {
      const bool changed = flag_fact(evidence, Fact::via_changed).value_or(false) ||
                           !text_fact(evidence, Fact::mirrored_changes).empty();
      if (evidence.kind == EvidenceKind::sip_alg_message && changed) {
        cause.tell(evidence.text, result);
      }
    }
  }
  finding.affects = sets_of(context.facts, cause.explained);
  return {cause};
}

}  // namespace callready::findings
