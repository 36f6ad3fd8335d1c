// The far end itself: it refuses, or answers that it is out of order (silence is never this); or
// its TURN server, asked with real credentials, turns them away, is out of quota, or grants relays
// that are dead or die.
#include <algorithm>
#include <map>

#include "probe/diagnosis/rules.hpp"
#include "probe/model/describe.hpp"

namespace callready::findings {
namespace {

// The status of a web server; 0 where none came.
int status_of(const ProbeResult& result) {
  const auto* reply = evidence_of(result, EvidenceKind::http_reply);
  if (result.probe.check != CheckKind::http || reply == nullptr) return 0;
  return whole_fact(*reply, Fact::status, 0, 999).value_or(0);
}

// A server error. A 501 is about our request (RFC 9110 section 15.6.2). Through a proxy it may be
// the proxy's own, except inside a tunnel.
bool is_server_error(const ProbeResult& result) {
  const int status = status_of(result);
  return (is_direct(result) || over_tls(result)) && status >= 500 && status != 501;
}

// The same over a connection whose certificate holds, by a public root: nobody but the server says
// so. A device that opens TLS says it, too, if it does not get through itself.
bool is_proved_error(const ProbeResult& result) {
  const auto& seen = result.observation;
  const bool valid =
      seen.outcome == Outcome::answered || seen.detail == DetailCode::unexpected_status ||
      seen.detail == DetailCode::unexpected_body || seen.detail == DetailCode::no_upgrade;
  return over_tls(result) && valid && is_server_error(result) && !has_foreign_root(result);
}

struct Refusals {
  Probes probes;
  std::vector<FindingEvidence> proofs;  // that it was the far end
};

// Devices on the way that refuse in the far end's name.
struct Impostors {
  std::set<std::string> turned_away;  // hosts that a device turns packets away from: it may reset
  bool tcp = false;                   // caught resetting somebody's connection
  // Connections get lost: so may those that were to show how far out one is refused.
  bool beside_losses = false;
};

Impostors impostors(const Facts& facts) {
  Impostors found;
  for (const auto& flow : facts.flows) {
    const bool by_device = any_sample(flow, [](const auto& one) { return !one.by.empty(); });
    if (flow.way == Reachability::blocked && by_device) found.turned_away.insert(flow.host);
    found.tcp |= !flow.udp && any_sample(flow, [](const auto& one) { return one.forged; });
    found.beside_losses |= !flow.udp && flow.way == Reachability::lost;
  }
  found.beside_losses |= facts.line_loses();
  return found;
}

// Packets of that kind were seen beyond the site's edge: a device may be after one kind only.
bool left_the_site(const Flow& flow, const FlowSample& sample) {
  if (!flow.udp) return flow.left;
  const bool beyond = who_refused(*sample.result) == Refuser::beyond;
  return beyond || any_sample(flow, [&](const FlowSample& other) {
           return other.way == Reachability::left && inspected_as(other) == inspected_as(sample);
         });
}

// A device on the way may reset a connection in the target's name, and send ICMP port-unreachable
// in it: the far end is heard where the packets were seen to get beyond the site's edge.
void read_refusal(const Diagnosis& context, const Flow& flow, bool alone,
                  const Impostors& impostors, Refusals& refusals) {
  if (impostors.tcp && !flow.udp && !flow.left) return;
  for (const auto& sample : flow.samples) {
    const auto& result = *sample.result;
    const bool far = !sample.far_device.empty();
    const bool refused = result.observation.outcome == Outcome::refused;
    if ((!refused && !far) || context.explained(result)) continue;
    refusals.probes.push_back(&result);
    // On a guessed port, a healthy server refuses.
    if (result.probe.purpose == Purpose::neighbour) continue;
    const bool doubtful = impostors.beside_losses || (impostors.tcp && !flow.udp);
    if (far && !doubtful) {
      refusals.proofs.push_back(
          {result.probe.id, phrase("{}, in the network of {}, rejects {} {}.", sample.far_device,
                                   flow.host, flow.udp ? "UDP" : "TCP", flow.port)});
    } else if (!far && left_the_site(flow, sample) && alone &&
               !impostors.turned_away.contains(flow.host)) {
      refusals.proofs.push_back(
          {result.probe.id, phrase("{} to {}, port {}, leaves the site and is refused beyond it.",
                                   flow.udp ? "UDP" : "TCP", flow.host, flow.port)});
    }
  }
}

// `own`: servers of the user's own, which have no vendor.
void say_out_of_order(Finding& finding, const Text& hosts, const Text& flows, bool own) {
  finding.title = phrase("The service answers with a server error: {}", hosts);
  finding.confidence = certain;
  finding.fix =
      own ? phrase(
                "Tell the operator of these servers that they answer with a server error: {}. For "
                "this, change nothing on the network.",
                flows)
          : phrase(
                "Check the vendor's status page, and tell the servers' operator that these answer "
                "with a server error: {}. For this, change nothing on the network.",
                flows);
}

void say_refused(Finding& finding, const Text& hosts, const Text& flows, bool proved, bool own) {
  finding.title = own ? phrase("These servers refuse connections: {}", hosts)
                      : phrase("The service refuses connections: {}", hosts);
  finding.confidence = finding.evidence.empty() ? possible : likely;
  const auto then = proved ? phrase("For this, change nothing on the network.")
                           : phrase(
                                 "If the service works from another line, look in this site's "
                                 "firewall log for resets that the firewall itself sends.");
  finding.fix =
      own ? phrase(
                "Tell the operator of these servers that this traffic is refused: {}. Perhaps "
                "nothing listens there, or the server has banned this site's address after "
                "failed logins (fail2ban). {}",
                flows, then)
          : phrase(
                "Check the vendor's status page, and tell the servers' operator that this "
                "traffic is refused: {}. {}",
                flows, then);
}

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

// Of a server outside: peers cannot send there.
bool has_private_address(const ProbeResult& relay) {
  const auto& seen = relay.observation;
  const auto address = IpAddress::parse(text_of(relay, EvidenceKind::relay, Fact::address));
  return address && address->is_private() && seen.address && !seen.address->is_special();
}

// Obtained from the same server over the same transport as one of these.
bool is_like_one_of(const Probes& relays, const ProbeResult& result) {
  const auto& target = result.probe.target;
  return std::ranges::any_of(relays, [&](const ProbeResult* other) {
    return other->probe.target.host == target.host &&
           other->probe.target.transport == target.transport;
  });
}

// Another server of the same operator that gave a relay for the same credentials.
const ProbeResult* accepted_by_another(const Facts& facts, const Probes& rejected) {
  const auto hosts = hosts_of(rejected);
  const auto operators = parties_of(rejected);
  return first_that(facts.report.probes, [&](const ProbeResult& result) {
    const auto& host = result.probe.target.host;
    return result.observation.detail == DetailCode::relayed && !contains(hosts, host) &&
           operators.contains(registrable_domain(host));
  });
}

Text transports_in_words(const Probes& results) {
  std::vector<std::string> words;
  for (const auto* result : results)
    add_once(words, std::string(in_capitals(result->probe.target.transport)));
  return listed(words);
}

}  // namespace

Causes find_vendor_down(const Diagnosis& context) {
  Refusals refused, errors;
  std::set<std::pair<bool, std::uint16_t>> answered;  // by transport and port
  for (const auto& flow : context.flows) {
    const bool any = any_sample(flow, [](const FlowSample& sample) {
      const auto outcome = sample.result->observation.outcome;
      return sample.way == Reachability::open && outcome != Outcome::refused;
    });
    if (any) answered.insert({flow.udp, flow.port});
  }
  const auto others = impostors(context);
  for (const auto& flow : context.flows)
    read_refusal(context, flow, answered.contains({flow.udp, flow.port}), others, refused);
  const auto proved = hosts_of(context.probes_that(is_proved_error));
  for (const auto& result : context.report.probes) {
    // Over plain HTTP anybody on the way may say so: only with the server's own word beside it.
    if (!is_server_error(result) || !contains(proved, result.probe.target.host)) continue;
    errors.probes.push_back(&result);
    if (!is_proved_error(result)) continue;
    errors.proofs.push_back(
        {result.probe.id, phrase("{}: HTTP {} over a connection with a valid certificate.",
                                 endpoint_in_words(result.probe.target), status_of(result))});
  }
  Causes causes;
  std::set<std::string> told;
  for (const auto& set : context.report.sets) {
    for (const auto* all : {&errors, &refused}) {
      const auto own = those_that(all->probes, [&](const ProbeResult& result) {
        return contains(context.sets_of(result), set.id) && !told.contains(result.probe.id);
      });
      const bool out_of_order = all == &errors;
      // The servers that tell about the NAT are nobody's service.
      const auto named = those_that(
          own, [](const ProbeResult& result) { return !only_measures(result.probe.check); });
      // Where nothing is lost, the others carry on, or the vendor does not offer it.
      if (named.empty() || (!out_of_order && !context.breaks_capability(own))) continue;
      auto& cause = causes.emplace_back(own);
      cause.name(FindingCode::vendor_down, possible);
      const auto hosts = hosts_of(named);
      std::set<std::string> heard;  // operators whose far end spoke itself
      for (const auto& proof : all->proofs) {
        const auto& host = context.find(proof.probe)->probe.target.host;
        if (!contains(hosts, host)) continue;
        cause.tell(proof);
        heard.insert(registrable_domain(host));
      }
      const auto flows = tried_flows_in_words(context, named);
      const bool ours = are_own(context, hosts);
      if (out_of_order) {
        say_out_of_order(cause, listed(hosts), flows, ours);
      } else {
        say_refused(cause, listed(hosts), flows, std::ranges::includes(heard, parties_of(named)),
                    ours);
      }
      cause.show(named, 6);
      for (const auto* result : own) told.insert(result->probe.id);
    }
  }
  return causes;
}

bool is_between_dying_relays(const Facts& facts, const ProbeResult& stream) {
  return stream.probe.check == CheckKind::media && facts.any_probe([&](const ProbeResult& result) {
    return result.probe.check == CheckKind::turn && died(result) &&
           result.probe.target.host == stream.probe.target.host;
  });
}

// Servers that answered at first, and nothing more on the same flow; over another transport they
// relay. A device that looks into flows has made up its mind after the first packets.
Causes find_cut_flows(const Diagnosis& context) {
  std::map<Transport, Probes> silent;
  for (const auto& result : context.report.probes) {
    const bool cut = result.observation.detail == DetailCode::fell_silent;
    if (cut && is_direct(result) && !context.explained(result))
      silent[result.probe.target.transport].push_back(&result);
  }
  Causes causes;
  for (auto& [transport, cut] : silent) {
    const auto hosts = hosts_of(cut);
    const auto carried = context.probes_that([&](const ProbeResult& result) {
      return result.observation.detail == DetailCode::relayed && is_direct(result) &&
             result.probe.target.transport != transport &&
             contains(hosts, result.probe.target.host);
    });
    const bool spared = context.any_probe([&](const ProbeResult& result) {
      return result.observation.detail == DetailCode::relayed && is_direct(result) &&
             result.probe.target.transport == transport;
    });
    Cause cause(std::move(cut));
    const bool sure = !carried.empty() && hosts.size() > 1 && !spared && !context.line_loses();
    cause.name(FindingCode::turn_relay_dies, sure ? likely : possible);
    cause.title = phrase("Flows over {} to {} are cut off after their first packets",
                         in_capitals(transport), listed(hosts));
    cause.fix = phrase(
        "Look in the firewall's log for application control, intrusion prevention or a limit on "
        "connections that ends these flows, and exempt {}: {}.",
        listed(hosts), flows_in_words(context, cause.explained));
    if (spared || carried.empty())
      cause.fix += phrase(" If the firewall ends no such flows, ask the operator of the servers.");
    cause.show(cause.explained, 4);
    if (!carried.empty()) {
      cause.tell(
          phrase("Relays of the same servers over {} carry data.", transports_in_words(carried)),
          carried.front());
    }
    cause.affects = sets_of(context, cause.explained);
    causes.push_back(std::move(cause));
  }
  return causes;
}

Causes find_dying_relays(const Diagnosis& context) {
  std::map<std::string, Probes> by_server;
  for (const auto& result : context.report.probes) {
    const bool relay = result.probe.check == CheckKind::turn && is_direct(result);
    if (relay && died(result) && !has_private_address(result))
      by_server[result.probe.target.host].push_back(&result);
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

// RFC 8656 section 5: peers send to the relay's address. What the server writes there is its own
// setting, and its own traffic stays behind its NAT, so a relay may seem to work.
Causes find_private_relays(const Diagnosis& context) {
  std::map<std::string, Probes> by_operator;
  for (const auto& result : context.report.probes) {
    if (result.probe.check == CheckKind::turn && has_private_address(result))
      by_operator[registrable_domain(result.probe.target.host)].push_back(&result);
  }
  Causes causes;
  for (const auto& [party, relays] : by_operator) {
    auto& cause = causes.emplace_back();
    const auto hosts = listed(hosts_of(relays));
    cause.impaired = relays;
    cause.name(FindingCode::turn_relay_private, likely);
    cause.title = phrase("Relays of {} get private addresses", hosts);
    cause.fix = phrase(
        "Ask the operator of {} to set the server's public address in its configuration (coturn: "
        "external-ip). Until then, calls over its relays stay silent, though a test from one side "
        "may pass. Change nothing on this network.",
        hosts);
    cause.tell(EvidenceKind::relay, *relays.front());
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
    const auto* accepted =
        kind.code == FindingCode::turn_auth_failed ? accepted_by_another(context, failed) : nullptr;
    if (accepted != nullptr) {
      cause.owner = Owner::vendor;
      cause.title = phrase("Some TURN servers reject the credentials that others accept");
      cause.fix = phrase(
          "Ask the operator of {} whether all of them know this account: {} accepts it. Change "
          "nothing on this network.",
          listed(hosts_of(failed)), accepted->probe.target.host);
      cause.tell(what_it_saw(*accepted));
    }
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
