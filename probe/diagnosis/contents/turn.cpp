// TURN with real credentials: turned away, out of quota, or granted and dead.
#include <algorithm>
#include <map>

#include "probe/diagnosis/rules.hpp"
#include "probe/model/describe.hpp"

namespace callready::findings {
namespace {

// The code of a refusal to real credentials; 0 where it was none.
int turn_code_of(const ProbeResult& result) {
  if (result.observation.outcome != Outcome::denied) return 0;
  const auto* refusal = evidence_of(result, EvidenceKind::turn_refusal);
  if (refusal == nullptr || !flag_fact(*refusal, Fact::with_credentials).value_or(false)) return 0;
  return whole_fact(*refusal, Fact::code, 0, 999).value_or(0);
}

bool is_dead(const ProbeResult& result) {
  return result.observation.detail == DetailCode::relay_dead;
}

struct Kind {
  FindingCode code;
  std::string_view title, fix;
  bool (*matches)(const ProbeResult&);
};

// `{}`: the servers.
constexpr Kind kinds[] = {
    {FindingCode::turn_auth_failed, marked("The TURN server rejects the given credentials"),
     marked("Check the TURN user name and password (or the shared secret, and the clock of this "
            "computer), and ask the operator of {} whether the account is still valid."),
     [](const ProbeResult& result) {
       const int code = turn_code_of(result);
       return code == 401 || code == 403 || code == 441;
     }},
    {FindingCode::turn_quota, marked("The TURN server grants this account no more relays"),
     marked(
         "Wait 10 minutes for old relays to expire, and find out who else uses the same account. "
         "If that changes nothing, ask the operator of {} to raise the number of relays per user."),
     [](const ProbeResult& result) { return turn_code_of(result) == 486; }},
    // RFC 8656 section 19: 486 is the user's quota, 508 the server's own capacity.
    {FindingCode::turn_quota, marked("The TURN server has no capacity left for another relay"),
     marked("Ask the operator of {} to add relay addresses, ports or servers. The account is not "
            "the cause. Change nothing on this network."),
     [](const ProbeResult& result) { return turn_code_of(result) == 508; }},
    {FindingCode::turn_relay_dead, marked("The TURN server's relays carry no traffic"),
     marked(
         "Ask the operator of {} to allow UDP in and out on its relay ports (usually 49152-65535), "
         "and to check the external address in its configuration. Change nothing on this network."),
     is_dead},
    // RFC 8656 section 19: 442, Unsupported Transport Protocol.
    {FindingCode::turn_relay_dead, marked("The TURN server does not relay UDP"),
     marked("Ask the operator of {} to let it relay UDP, which carries media. Change nothing on "
            "this network."),
     [](const ProbeResult& result) { return turn_code_of(result) == 442; }},
};

// At once, or after a while.
bool died(const ProbeResult& result) {
  return is_dead(result) || result.observation.detail == DetailCode::relay_dies;
}

// Obtained from the same server over the same transport as one of these.
bool is_like_one_of(const Probes& relays, const ProbeResult& result) {
  const auto& target = result.probe.target;
  return std::ranges::any_of(relays, [&](const ProbeResult* other) {
    return other->probe.target.host == target.host &&
           other->probe.target.transport == target.transport;
  });
}

Text transports_in_words(const Probes& results) {
  std::vector<std::string> words;
  for (const auto* result : results)
    add_once(words, std::string(in_capitals(result->probe.target.transport)));
  return listed(words);
}

}  // namespace

bool is_between_dying_relays(const Facts& facts, const ProbeResult& stream) {
  return stream.probe.check == CheckKind::media && facts.any_probe([&](const ProbeResult& result) {
    return result.probe.check == CheckKind::turn && died(result) &&
           result.probe.target.host == stream.probe.target.host;
  });
}

Causes find_dying_relays(const Diagnosis& context) {
  std::map<std::string, Probes> by_server;
  for (const auto& result : context.report.probes) {
    const bool relay = result.probe.check == CheckKind::turn && is_direct(result);
    if (relay && died(result)) by_server[result.probe.target.host].push_back(&result);
  }
  Causes causes;
  for (const auto& [host, lost] : by_server) {
    const auto carried = context.probes_that([&](const ProbeResult& result) {
      const auto& [probe, seen] = result;
      return probe.check == CheckKind::turn && is_direct(result) && probe.target.host == host &&
             seen.outcome == Outcome::answered && seen.detail == DetailCode::relayed &&
             !is_like_one_of(lost, result);
    });
    Cause cause;
    auto& dead = cause.explained;
    bool held = false;  // for a while: a relay_life says how long
    bool server_answers = false;
    for (const auto* result : lost) {
      if (context.explained(*result)) continue;
      dead.push_back(result);
      cause.tell(what_it_saw(*result));
      held |= cause.tell(EvidenceKind::relay_life, *result);
      server_answers |= flag_of(*result, EvidenceKind::relay_life, Fact::answered) == true;
    }
    // Relays that carry nothing over any transport: the server's own, see below.
    if (dead.empty() || (carried.empty() && !held)) continue;
    bool beside = false;  // some that carry data were held at the same time
    for (const auto* result : carried) beside |= cause.tell(EvidenceKind::relay_life, *result);
    // The row's own relay over the same transport, which carried a first packet all the same.
    cause.impaired = context.probes_that([&](const ProbeResult& result) {
      return result.probe.check == CheckKind::turn && !result.probe.control() && !died(result) &&
             is_like_one_of(dead, result);
    });
    const auto transports = transports_in_words(dead);
    const bool others_live = !carried.empty();
    const bool cut = others_live && !server_answers;
    // Where all die in silence it may be a device as well as the server. On a bad line those that
    // were held at the same time would have died, too.
    const bool loss = context.line_loses() && !beside;
    cause.name(FindingCode::turn_relay_dies,
               (others_live || server_answers) && !loss ? likely : possible);
    cause.title = phrase("Relays over {} stop carrying data", transports);
    if (cut) {
      cause.fix = phrase(
          "Exempt {} from inspection and from connection limits, over {}, on the firewall. Until "
          "then, use relays over {}.",
          host, transports, transports_in_words(carried));
    } else {
      cause.owner = Owner::vendor;
      cause.fix = phrase(
          "Ask the operator of {} why its relays over {} stop after a while. Include the times "
          "from this report.",
          host, transports);
    }
    if (others_live) {
      cause.tell(
          phrase("Relays of the same server over {} carry data.", transports_in_words(carried)),
          carried.front());
    }
    cause.affects = sets_of(context, cause.impaired.empty() ? dead : cause.impaired);
    causes.push_back(std::move(cause));
  }
  return causes;
}

Causes find_turn(const Diagnosis& context) {
  Causes causes;
  for (const auto& kind : kinds) {
    const auto failed = context.probes_that([&](const ProbeResult& result) {
      return result.probe.check == CheckKind::turn && kind.matches(result) &&
             !context.explained(result);
    });
    if (!context.affects_requirement(failed)) continue;
    auto& cause = causes.emplace_back(failed);
    cause.name(kind.code, certain);
    cause.title = marked_text(kind.title);
    cause.fix = marked_text(kind.fix, listed(hosts_of(failed)));
    for (const auto* result : failed) {
      cause.tell(what_it_saw(*result));
      for (const auto what :
           {EvidenceKind::turn_refusal, EvidenceKind::relay_to_relay, EvidenceKind::relay_trip}) {
        cause.tell(what, *result);
      }
    }
  }
  return causes;
}

}  // namespace callready::findings
