// TURN with real credentials: turned away, out of quota, or granted and dead.
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/finding_rules.hpp"
#include "probe/diagnosis/finding_words.hpp"
#include "probe/model/describe.hpp"

namespace callready::findings {
namespace {

// The code of a refusal to real credentials; 0 where it was none.
int turn_code_of(const ProbeResult& result) {
  if (result.observation.outcome != Outcome::denied) return 0;
  const auto* refusal = evidence_of(result, EvidenceKind::turn_refusal);
  if (refusal == nullptr || !flag_fact(*refusal, Fact::with_credentials).value_or(false)) return 0;
  return static_cast<int>(number_fact(*refusal, Fact::code).value_or(0));
}

bool is_dead(const ProbeResult& result) {
  return result.observation.outcome == Outcome::failed &&
         result.observation.detail == DetailCode::relay_dead;
}

struct Kind {
  std::string_view code, title, fix;
  Owner owner;
  bool (*matches)(const ProbeResult&);
};

// `{}`: the servers.
constexpr Kind kinds[] = {
    {"turn.auth_failed", "The TURN server rejects the given credentials",
     "Check the TURN user name and password (or the shared secret, and the clock of this "
     "computer), and ask the operator of {} whether the account is still valid.",
     Owner::helpdesk,
     [](const ProbeResult& result) {
       const int code = turn_code_of(result);
       return code == 401 || code == 403 || code == 441;
     }},
    {"turn.quota", "The TURN server grants this account no more relays",
     "Ask the operator of {} to raise the number of relays per user, or wait for old ones to "
     "expire (10 minutes); find out who else uses the same account.",
     Owner::vendor,
     [](const ProbeResult& result) {
       const int code = turn_code_of(result);
       return code == 486 || code == 508;
     }},
    {"turn.relay_dead", "The TURN server's relays carry no traffic",
     "Ask the operator of {} to allow UDP in and out on its relay ports (usually 49152-65535), and "
     "to check the external address in its configuration. Change nothing on this network.",
     Owner::vendor, is_dead},
    // RFC 8656 section 20: 442, Unsupported Transport Protocol.
    {"turn.relay_dead", "The TURN server does not relay UDP",
     "Ask the operator of {} to let it relay UDP, which carries media. Change nothing on this "
     "network.",
     Owner::vendor, [](const ProbeResult& result) { return turn_code_of(result) == 442; }},
};

}  // namespace

Causes find_turn(const Diagnosis& context) {
  Causes causes;
  for (const auto& kind : kinds) {
    Cause cause;
    for (const auto& result : context.facts.report.probes) {
      if (result.probe.check == CheckKind::turn && kind.matches(result) &&
          !context.explained(result)) {
        cause.explained.push_back(&result);
      }
    }
    if (!context.affects_requirement(cause.explained)) continue;
    auto& finding = cause.finding;
    finding.code = kind.code;
    finding.title = kind.title;
    finding.owner = kind.owner;
    finding.confidence = Confidence::certain;
    finding.fix = fmt::format(fmt::runtime(kind.fix), listed(hosts_of(cause.explained)));
    for (const auto* result : cause.explained) {
      finding.evidence.push_back(what_it_saw(*result));
      for (const auto what :
           {EvidenceKind::turn_refusal, EvidenceKind::relay_to_relay, EvidenceKind::relay_trip}) {
        const auto* evidence = evidence_of(*result, what);
        if (evidence != nullptr) finding.evidence.push_back({result->probe.id, evidence->text});
      }
    }
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace callready::findings
