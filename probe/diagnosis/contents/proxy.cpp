// The proxy: needed, or itself in the way; and the file that names it.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"
#include "probe/model/describe.hpp"

namespace callready::findings {
namespace {

Probes proxied_probes(const Facts& facts) {
  return facts.probes_that([](const ProbeResult& result) {
    return !is_direct(result) && result.observation.outcome != Outcome::skipped;
  });
}

// The status with which the proxy turned CONNECT down; 0 or less where it did not.
int connect_status_of(const ProbeResult& result) {
  const auto& seen = result.observation;
  return !is_direct(result) && seen.outcome == Outcome::denied ? seen.detail.status() : 0;
}

bool is_kept_from_proxy(const ProbeResult* result) {
  return result->observation.detail == DetailCode::kept_here;
}

// The proxy itself was not reached, or is not a proxy.
bool without_proxy(const ProbeResult* result) {
  const auto& detail = result->observation.detail;
  return is_kept_from_proxy(result) || detail == DetailCode::proxy_unreachable ||
         detail == DetailCode::proxy_unresolved || detail == DetailCode::proxy_timed_out ||
         detail == DetailCode::not_a_proxy;
}

const std::string& proxy_name(const Probes& probes) {
  return probes.front()->probe.target.route.proxy;
}

// A PAC file may lead to several: each is a cause, and a ticket, of its own.
std::vector<Probes> by_proxy(const Probes& probes) {
  return grouped(probes, [](const auto* result) { return result->probe.target.route.proxy; });
}

// Direct probes that fail, if nothing gets out except through the proxy: they wait for it, too,
// unless this computer itself keeps them.
Probes waiting_for_proxy(const Facts& facts) {
  return facts.probes_that([&](const ProbeResult& result) {
    const auto& detail = result.observation.detail;
    const bool kept = detail == DetailCode::kept_here || detail == DetailCode::partly_kept_here;
    return is_direct(result) && failing(result) && !is_inside(result) && !kept;
  });
}

// What the proxy wants to be told, and how that is done. `{}`: the proxy.
struct Login {
  std::string_view title, how;
};

constexpr Login with_better_password{
    marked("The proxy {} rejects the given user name and password"),
    marked("To test with a login, correct CALLREADY_PROXY_USER and CALLREADY_PROXY_PASSWORD and "
           "run again.")};
constexpr Login with_password{marked("The proxy {} requires a user name and password"),
                              marked("To test with a login, set CALLREADY_PROXY_USER and "
                                     "CALLREADY_PROXY_PASSWORD and run again.")};
constexpr Login with_domain_or_password{
    with_password.title,
    marked("To test with a login, sign in to the domain on this computer (klist shows the ticket) "
           "or set CALLREADY_PROXY_USER and CALLREADY_PROXY_PASSWORD and run again.")};
constexpr Login with_domain{marked("The proxy {} requires a domain login (Negotiate)"),
                            marked("To test with a login, sign in to the domain on this computer "
                                   "(klist shows the ticket) and run again.")};

// By what it said itself.
const Login& login_wanted(const Probes& turned_away) {
  bool refused = false;
  bool by_password = false, by_system = false;  // Basic, Digest, NTLM; Negotiate
  for (const auto* result : turned_away) {
    const auto schemes = text_of(*result, EvidenceKind::proxy_reply, Fact::schemes);
    const auto bad = text_of(*result, EvidenceKind::proxy_reply, Fact::refused_schemes);
    for (const auto* word : {"Basic", "Digest", "NTLM"}) {
      by_password |= schemes.find(word) != schemes.npos;
      refused |= bad.find(word) != bad.npos;
    }
    by_system |= schemes.find("Negotiate") != schemes.npos;
  }
  if (refused) return with_better_password;
  if (!by_system) return with_password;
  return by_password ? with_domain_or_password : with_domain;
}

bool udp_gets_out(const Facts& facts) {
  return std::ranges::any_of(
      facts.flows, [](const Flow& flow) { return flow.udp && flow.port != 53 && out(flow); });
}

// UDP was tried, to servers that answer everybody or with packets that were seen to be stopped, and
// none gets out: TCP alone says nothing about it.
bool no_udp_gets_out(const Facts& facts) {
  if (udp_gets_out(facts)) return false;
  return std::ranges::any_of(facts.flows, [](const Flow& flow) {
    return flow.udp && flow.port != 53 &&
           (flow.way == Reachability::blocked ||
            any_sample(flow, [](const FlowSample& sample) { return sample.responder; }));
  });
}

// Hosts that some UDP gets out to: a list may name them, and their other ports.
std::set<std::string> let_out(const Facts& facts) {
  return set_of(facts.select([](const Flow& flow) { return flow.udp && out(flow); }), &Flow::host);
}

// If nothing gets out except through the proxy, what waits for it fails because of it. UDP does not
// if some gets out.
void add_what_waits(Cause& cause, const Facts& facts, Closes closes) {
  bool asked = false, refused = false, lost = false, named = false;
  std::set<std::uint16_t> ports;
  for (const auto& flow : facts.flows) {
    if (flow.udp) continue;
    (flow.way == Reachability::refused ? refused : lost) = true;
    asked |= facts.asked_for(flow);
    named |= any_sample(flow, [](const FlowSample& sample) { return !sample.by.empty(); });
    const bool told = any_sample(flow, [](const FlowSample& sample) {
      return sample.responder || sample.way == Reachability::blocked;
    });
    if (told) ports.insert(flow.port);
  }
  // A server of the vendor's was asked directly over TCP, without success: otherwise the site may
  // let out the vendor's list, none of which was measured. So were two ports: one alone shows only
  // that it is shut. A refusal next to silence may be a server's own, and its port let out.
  const bool own = asked && ports.size() > 1 && !(refused && lost);
  const bool some_udp = udp_gets_out(facts);
  const auto hosts = let_out(facts);
  for (const auto* result : waiting_for_proxy(facts)) {
    // A device that refuses connections does not drop any: silence then shows nothing.
    const bool loud = (refused || named) && !is_udp(*result);
    const bool guessed = !own || loud || hosts.contains(result->probe.target.host);
    // Nothing was measured: the packet was not heard of again.
    const bool unmeasured = result->observation.detail == DetailCode::silent;
    if ((unmeasured && guessed) || (is_udp(*result) && some_udp)) continue;
    cause.explained.push_back(result);
  }
  if (own) cause.closes = closes;
  cause.tell(phrase("Without the proxy, no TCP connection gets out."));
}

// "to port 5061" where the proxy denies that port to several hosts and lets it through to none;
// otherwise the hosts, too, since nothing is known about others.
Text what_is_denied(const Facts& facts, const Probes& denied) {
  std::map<std::uint16_t, std::set<std::string>> hosts;  // by port
  for (const auto* result : denied)
    hosts[result->probe.target.port()].insert(result->probe.target.host);
  const bool some_pass = facts.any_probe([&](const ProbeResult& result) {
    const auto& target = result.probe.target;
    return came_through(result) && target.route.proxy == proxy_name(denied) &&
           hosts.contains(target.port());
  });
  const bool to_several =
      std::ranges::all_of(hosts, [](const auto& port) { return port.second.size() > 1; });
  const auto ports = named_ports(ports_of(denied));
  if (to_several && !some_pass) return phrase("to {}", ports);
  return phrase("to {}, {}", listed(hosts_of(denied)), ports);
}

Text what_the_proxy_does(const Probes& probes) {
  const auto name = proxy_name(probes);
  const auto all_are = [&](DetailCode code) {
    return std::ranges::all_of(
        probes, [&](const ProbeResult* one) { return one->observation.detail == code; });
  };
  if (all_are(DetailCode::not_a_proxy))
    return phrase("The server at the proxy's address {} is not a proxy", name);
  if (all_are(DetailCode::proxy_unresolved))
    return phrase("The name of the proxy {} cannot be resolved", name);
  return phrase("The proxy {} does not answer", name);
}

Cause no_way_to_the_proxy(const Probes& probes) {
  if (std::ranges::all_of(probes, is_kept_from_proxy)) {
    const auto what = phrase("TCP to the proxy {}", proxy_name(probes));
    return kept_by_own_firewall(probes, what, what);
  }
  Cause cause(probes);
  cause.name(FindingCode::proxy_unreachable, certain);
  cause.title = what_the_proxy_does(probes);
  cause.fix = phrase(
      "Check that the proxy {} is running and reachable from this network, or correct its address "
      "in the computers' settings.",
      proxy_name(probes));
  cause.tell(probes.size() == 1
                 ? phrase("No connection through it succeeded.")
                 : phrase("None of the {} connections through it succeeded.", probes.size()));
  cause.show(probes, 4);
  return cause;
}

bool asks_for_upgrade(const ProbeResult& result) { return result.probe.with.contains("upgrade"); }

// The same host without the proxy: does it switch to WebSocket? Nothing where that was not seen.
std::optional<bool> switches_directly(const Facts& facts, const std::string& host) {
  for (const auto& result : facts.report.probes) {
    if (result.probe.target.host != host || !is_direct(result) || !asks_for_upgrade(result))
      continue;
    if (result.observation.outcome == Outcome::answered) return true;
    if (result.observation.detail == DetailCode::no_upgrade) return false;
  }
  return std::nullopt;
}

}  // namespace

// The PAC file: programs that cannot use it go directly, or nowhere.
Causes find_pac_failure(const Diagnosis& context) {
  const auto* result = first_that(context.report.probes, [&](const ProbeResult& one) {
    return one.probe.check == CheckKind::pac && failing(one) && !context.explained(one);
  });
  if (result == nullptr) return {};
  const auto* evidence = evidence_of(*result, EvidenceKind::pac);
  const auto place = text_of(*result, EvidenceKind::pac, Fact::place);
  Cause cause({result});
  cause.name(FindingCode::proxy_pac_failed, certain);
  cause.title = phrase("The PAC file {} cannot be used", place);
  cause.fix = phrase(
      "Correct the PAC file {}, or its address in the computers' settings: {}. Without it, "
      "programs bypass the proxy, or open pages only after a long wait.",
      place, outcome_in_words(result->observation));
  if (evidence != nullptr) cause.tell(evidence->text + ".", result);
  return {cause};
}

Causes find_proxy_unreachable(const Diagnosis& context) {
  Causes causes;
  for (const auto& probes : by_proxy(proxied_probes(context))) {
    // Where nothing at all answers, that is the cause.
    if (!std::ranges::all_of(probes, without_proxy) || context.explained(*probes.front())) continue;
    auto& cause = causes.emplace_back(no_way_to_the_proxy(probes));
    if (!context.proxy_speaks && context.no_tcp_gets_out())
      add_what_waits(cause, context, Closes::direct_tcp);
  }
  return causes;
}

Causes find_proxy_login(const Diagnosis& context) {
  const auto all = context.probes_that(
      [](const ProbeResult& result) { return connect_status_of(result) == 407; });
  Causes causes;
  for (const auto& turned_away : by_proxy(all)) {
    auto& cause = causes.emplace_back(turned_away);
    cause.name(FindingCode::proxy_auth_required, certain);
    const auto& login = login_wanted(turned_away);
    cause.title = marked_text(login.title, proxy_name(turned_away));
    const auto hosts = listed(hosts_of(asked_for_ones(context, turned_away)), 8);
    cause.fix = phrase(
        "Let the service's hosts through the proxy without a login{}. Calling applications, phones "
        "and room devices often cannot log in. {}",
        hosts.empty() ? hosts : phrase(": {}", hosts), marked_text(login.how));
    cause.show(turned_away);
    if (context.proxy_speaks && context.no_tcp_gets_out()) {
      add_what_waits(cause, context,
                     no_udp_gets_out(context) ? Closes::direct : Closes::direct_tcp);
    }
  }
  return causes;
}

Causes find_proxy_required(const Diagnosis& context) {
  if (context.proxied.empty()) return {};
  std::set<std::string> parties;
  std::set<std::uint16_t> shut, refused;  // ports
  bool own = false;                       // a server of the vendor's that should answer did not
  // Packets vanish. If others are refused, silence shows nothing.
  bool quietly = false, aloud = false;
  std::set<std::uint16_t> udp_aloud;  // ports: one alone shows only that it is shut
  for (const auto& flow : context.flows) {
    if (out(flow) && !flow.udp) return {};
    const bool named = any_sample(flow, [](const auto& sample) { return !sample.by.empty(); });
    if (flow.udp && named) udp_aloud.insert(flow.port);
    if (flow.udp) continue;
    aloud |= named;
    parties.insert(flow.party);
    (flow.way == Reachability::refused ? refused : shut).insert(flow.port);
    quietly |= any_sample(flow, [](const FlowSample& sample) {
      const bool dropped = sample.way == Reachability::blocked && sample.by.empty();
      return (dropped && !sample.forged) || (sample.way == Reachability::lost && sample.responder);
    });
    own |= any_sample(flow, [&](const FlowSample& sample) {
      return context.asked_for(*sample.result) &&
             (sample.responder || sample.way == Reachability::blocked);
    });
  }
  const bool tried = !parties.empty();  // where no name is found, nothing may have been
  // Where UDP gets out, what is wrong with it has another cause.
  const bool udp_shut = no_udp_gets_out(context);
  Cause cause;
  // One port alone shows only that it is shut; what is refused next to it may have been refused by
  // its server.
  std::erase_if(shut,
                [&](std::uint16_t port) { return shut.size() > 1 && refused.contains(port); });
  const auto& lost = shut.empty() ? refused : shut;
  // The web's ports are among them: those that a proxy is for, and that alone may be open.
  const bool web = lost.contains(443) || lost.contains(80);
  const bool all_ports = web && lost.size() > 1;
  // A refusal next to silence may be a server's own: then its port is let out.
  const bool some_refuse = !shut.empty() && !refused.empty();
  if (own && all_ports && !some_refuse)
    cause.closes = udp_shut ? Closes::direct : Closes::direct_tcp;
  const auto listed_hosts = let_out(context);
  for (const auto* result : waiting_for_proxy(context)) {
    const bool guessed = !all_ports ||
                         (is_udp(*result) ? udp_aloud.size() == 1 : !quietly || aloud) ||
                         listed_hosts.contains(result->probe.target.host) ||
                         (some_refuse && refused.contains(result->probe.target.port()));
    const bool unresolved = result->observation.outcome == Outcome::unresolved;
    const bool waits = unresolved || (tried && (udp_shut || !is_udp(*result)));
    if (!waits || (result->observation.detail == DetailCode::silent && guessed)) continue;
    if (unresolved) parties.insert(registrable_domain(result->probe.target.host));
    cause.explained.push_back(result);
  }
  // What the proxy carries needs no direct way: only a row that is not well makes it a finding.
  if (parties.size() < 2 || !context.breaks_capability(cause.explained)) return {};
  // The site may let out the vendor's list directly, and all else through the proxy.
  cause.name(FindingCode::proxy_required, (own && web) || !tried ? certain : possible);
  cause.title = udp_shut ? phrase("This site lets traffic out only through the proxy")
                         : phrase("This site lets TCP out only through the proxy");
  const auto through = context.probes_that(came_through);
  auto not_carried = cause.explained;
  std::erase_if(not_carried, [&](const ProbeResult* result) {
    return !is_udp(*result) && context.proxied.contains(result->probe.target.host);
  });
  cause.fix =
      phrase("Set the proxy {} in the application and on the devices.", proxy_name(through));
  const auto flows = flows_in_words(context, not_carried.empty() ? cause.explained : not_carried);
  if (!flows.empty()) {
    cause.fix += phrase(
        " Traffic that a proxy cannot carry needs direct access: allow it (and return traffic) {}: "
        "{}.{}",
        from_users(context), flows, where_the_list_is(context, cause.explained));
  }
  cause.tell(what_it_saw(*through.front()));
  cause.tell(phrase("No direct TCP connection to any of {} operators succeeded.", parties.size()));
  cause.show(cause.explained, 4);
  return {cause};
}

Causes find_proxy_denials(const Diagnosis& context) {
  const auto all = context.probes_that([](const ProbeResult& result) {
    const int status = connect_status_of(result);
    // 502, 503 and 504 say that the proxy did not get through itself.
    return status >= 400 && status != 407 && status < 500;
  });
  Causes causes;
  for (const auto& denied : by_proxy(asked_for_ones(context, all))) {
    auto& cause = causes.emplace_back(denied);
    cause.name(FindingCode::proxy_connect_denied, certain);
    cause.title = phrase("The proxy denies connections {}", what_is_denied(context, denied));
    cause.fix = phrase("Allow CONNECT on the proxy {}: {}.{}", proxy_name(denied),
                       flows_in_words(context, denied), where_the_list_is(context, denied));
    cause.show(denied);
  }
  return causes;
}

Causes find_stripped_upgrades(const Diagnosis& context) {
  Probes all;
  std::set<std::string> let_through;  // proxies that were seen to pass an upgrade on
  for (const auto* result : proxied_probes(context)) {
    // Whoever opens the TLS around it is named for that, with what becomes of WebSocket.
    if (has_foreign_root(*result) || !asks_for_upgrade(*result)) continue;
    const auto& target = result->probe.target;
    if (result->observation.outcome == Outcome::answered) let_through.insert(target.route.proxy);
    // A server that does without, whoever asks, is not the proxy's doing.
    const bool its_own = switches_directly(context, target.host) == false;
    if (result->observation.detail == DetailCode::no_upgrade && !its_own) all.push_back(result);
  }
  Causes causes;
  for (const auto& stripped : by_proxy(all)) {
    if (!context.affects_requirement(stripped)) continue;
    auto& cause = causes.emplace_back(stripped);
    const auto hosts = hosts_of(stripped);
    const bool direct_works = std::ranges::any_of(
        hosts, [&](const auto& host) { return switches_directly(context, host) == true; });
    const auto& proxy = proxy_name(stripped);
    const bool to_some = let_through.contains(proxy);
    // Without the contrast, the server may have done without by itself.
    cause.name(FindingCode::proxy_no_websocket, direct_works ? certain
                                                : to_some    ? possible
                                                             : likely);
    cause.title = to_some ? phrase("The proxy {} blocks WebSocket to {}", proxy, listed(hosts))
                          : phrase("The proxy {} blocks WebSocket", proxy);
    cause.fix = phrase(
        "Allow the WebSocket upgrade (RFC 6455) on the proxy {} to these hosts, and exempt them "
        "from inspection: {}.",
        proxy, flows_in_words(context, stripped));
    cause.show(stripped);
    if (direct_works) {
      cause.tell(phrase("Without the proxy, the upgrade is accepted."));
    } else if (to_some) {
      cause.tell(
          phrase("The proxy lets it through to other servers: this server may reject it itself."));
    }
  }
  return causes;
}

}  // namespace callready::findings
