// The proxy: needed, or itself in the way; and the file that names it.
#include <algorithm>
#include <array>
#include <functional>

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

// It does not want this connection.
bool is_turned_down(const ProbeResult& result) {
  const int status = connect_status_of(result);
  // 502, 503 and 504 say that the proxy did not get through itself.
  return (status >= 400 && status != 407 && status < 500) || sent_a_page(result);
}

// Over TCP, with TLS or without.
std::pair<std::string, std::uint16_t> host_and_port(const ProbeResult& result) {
  return {result.probe.target.host, result.probe.target.port()};
}

bool is_kept_from_proxy(const ProbeResult* result) {
  return result->observation.detail == DetailCode::kept_here;
}

// The proxy itself was not reached, or is not a proxy.
bool without_proxy(const ProbeResult* result) {
  const auto& detail = result->observation.detail;
  return is_kept_from_proxy(result) || detail == DetailCode::proxy_unreachable ||
         detail == DetailCode::proxy_unresolved || detail == DetailCode::proxy_timed_out ||
         detail == DetailCode::not_a_proxy || detail == DetailCode::proxy_without_tls;
}

const std::string& proxy_name(const Probes& probes) {
  return probes.front()->probe.target.route.proxy;
}

// A PAC file may lead to several: each is a cause, and a ticket, of its own.
std::vector<Probes> by_proxy(const Probes& probes) {
  return grouped(probes, [](const auto* result) { return result->probe.target.route.proxy; });
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

// What was seen of the ways without a proxy, if no connection gets out: is everything shut, so that
// it waits for the proxy, or only some ports, or the way to strangers?
class DirectWays {
 public:
  explicit DirectWays(const Facts& facts) : facts_(facts) {
    bool udp_gets_out = false;
    for (const auto& flow : facts.flows) {
      const bool named = any_sample(flow, [](const auto& sample) { return !sample.by.empty(); });
      if (!flow.udp) {
        device_refuses_ |= named;
        add_connection(flow);
        continue;
      }
      if (named) udp_refused_.insert(flow.port);
      if (out(flow)) let_out_.insert(flow.host);
      if (flow.port == dns_port) continue;
      udp_gets_out |= out(flow);
      // TCP alone says nothing about it.
      udp_shut |= flow.way == Reachability::blocked || any_sample(flow, &FlowSample::responder);
    }
    udp_shut = udp_shut && !udp_gets_out;
    // What is refused next to one that is shut may have been refused by its server.
    std::erase_if(shut_, [&](auto port) { return shut_.size() > 1 && refused_.contains(port); });
    some_refuse_ = !shut_.empty() && !refused_.empty();
    const auto& lost = shut_.empty() ? refused_ : shut_;
    web_shut = lost.contains(443) || lost.contains(80);
    all_ports_ = web_shut && lost.size() > 1;
  }

  std::set<std::string> parties;  // to whom connections were tried: none if no name is found
  bool own = false;               // a server of the vendor's that should answer did not
  bool udp_shut = false;          // it was tried, and none gets out
  bool web_shut = false;  // one of those ports that a proxy is for, and that alone may be open

  // Other TCP than was tried is shut as well. A refusal next to silence may be a server's own: then
  // its port is let out.
  bool all_tcp_shut() const { return own && all_ports_ && !some_refuse_; }

  // Direct probes that fail and wait for the proxy, too. Not what this computer itself keeps; nor
  // UDP, if some gets out: what is wrong with it has another cause.
  Probes waiting() const {
    return facts_.probes_that([&](const ProbeResult& result) {
      const auto& detail = result.observation.detail;
      const bool kept = detail == DetailCode::kept_here || detail == DetailCode::partly_kept_here;
      return is_direct(result) && failing(result) && !is_inside(result) && !kept && waits(result);
    });
  }

 private:
  void add_connection(const Flow& flow) {
    parties.insert(flow.party);
    (flow.way == Reachability::refused ? refused_ : shut_).insert(flow.port);
    for (const auto& sample : flow.samples) {
      const bool dropped = sample.way == Reachability::blocked && !sample.turned_away();
      packets_vanish_ |= dropped || (sample.way == Reachability::lost && sample.responder);
      own |= facts_.asked_for(*sample.result) &&
             (sample.responder || sample.way == Reachability::blocked);
    }
  }

  bool waits(const ProbeResult& result) const {
    const bool udp = is_udp(result);
    if (result.observation.outcome == Outcome::unresolved) return true;
    if (parties.empty() || (udp && !udp_shut)) return false;
    if (result.observation.detail != DetailCode::silent) return true;
    // Nothing was measured. Silence shows nothing if the vendor's list may be let out, or if a
    // device refuses what it does not let out; and one port alone shows only that it is shut.
    const bool silence_tells = udp ? udp_refused_.size() != 1 : packets_vanish_ && !device_refuses_;
    const auto& target = result.probe.target;
    return own && all_ports_ && silence_tells && !let_out_.contains(target.host) &&
           !(some_refuse_ && refused_.contains(target.port()));
  }

  const Facts& facts_;
  std::set<std::uint16_t> shut_, refused_, udp_refused_;  // ports; over UDP, by a device
  std::set<std::string> let_out_;  // to which some UDP gets out: a list may name their other ports
  bool packets_vanish_ = false, device_refuses_ = false;
  bool some_refuse_ = false, all_ports_ = false;
};

// If nothing gets out except through the proxy, what waits for it fails because of it.
void add_what_waits(Cause& cause, const DirectWays& ways, Closes closes) {
  append(cause.explained, ways.waiting());
  if (ways.all_tcp_shut()) cause.closes = closes;
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

bool all_are(const Probes& probes, DetailCode code) {
  return std::ranges::all_of(
      probes, [&](const ProbeResult* one) { return one->observation.detail == code; });
}

Text what_the_proxy_does(const Probes& probes) {
  const auto name = proxy_name(probes);
  if (all_are(probes, DetailCode::not_a_proxy))
    return phrase("The server at the proxy's address {} is not a proxy", name);
  if (all_are(probes, DetailCode::proxy_without_tls))
    return phrase("The proxy {} answers, but not in TLS", name);
  if (all_are(probes, DetailCode::proxy_unresolved))
    return phrase("The name of the proxy {} cannot be resolved", name);
  return phrase("The proxy {} does not answer", name);
}

bool is_on_this_computer(const std::string& proxy) {
  constexpr std::array here{"://127.", "://[::1]", "://localhost"};
  return std::ranges::any_of(
      here, [&](const char* start) { return proxy.find(start) != std::string::npos; });
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
  const bool answers = std::ranges::any_of(probes, [](const ProbeResult* one) {
    const auto& detail = one->observation.detail;
    return detail == DetailCode::not_a_proxy || detail == DetailCode::proxy_without_tls;
  });
  if (all_are(probes, DetailCode::proxy_without_tls)) {
    cause.owner = Owner::helpdesk;
    cause.fix = phrase(
        "In this computer's proxy settings (https_proxy, HTTPS_PROXY), write http:// in place of "
        "https:// before the proxy's address: https:// there means that the proxy itself is "
        "reached over TLS, and this one is not.");
  }
  if (is_on_this_computer(proxy_name(probes)) && !answers) {
    cause.owner = Owner::helpdesk;
    cause.fix = phrase(
        "Start the program on this computer that should listen at {} (a security agent or a local "
        "proxy), or take it out of the proxy settings.",
        proxy_name(probes));
  }
  cause.tell(probes.size() == 1
                 ? phrase("No connection through it succeeded.")
                 : phrase("None of the {} connections through it succeeded.", probes.size()));
  cause.show(probes, 4);
  return cause;
}

// Direct connections to the endpoints of these that fail and wait for the proxy, too.
Probes waiting_for(const DirectWays& ways, const Probes& proxied) {
  const auto endpoints = set_of(proxied, host_and_port);
  return those_that(ways.waiting(), [&](const ProbeResult& result) {
    return !is_udp(result) && endpoints.contains(host_and_port(result));
  });
}

// What else `dead` requests cost: all that waits for the proxy, where no connection gets out
// without it; otherwise programs that go by the setting.
void add_what_it_costs(const Diagnosis& context, const DirectWays& ways, const Probes& dead,
                       Cause& cause) {
  if (context.no_tcp_gets_out()) {
    add_what_waits(cause, ways, Closes::direct_tcp);
  } else {
    cause.affects = sets_of(context, asked_for_ones(context, dead));
  }
}

// A PAC file, or the exceptions of the settings, may name no proxy for web servers that are not
// reached directly; else nobody set it.
Text go_by_the_proxy(const Facts& facts, const Probes& lost, const std::string& proxy) {
  const auto* pac = first_that(facts.report.probes, [](const ProbeResult& result) {
    return result.probe.check == CheckKind::pac && result.observation.outcome == Outcome::answered;
  });
  const auto past = hosts_of(those_that(lost, [&](const ProbeResult& result) {
    const auto& probe = result.probe;
    const bool web = probe.check == CheckKind::tls || probe.check == CheckKind::http;
    return web && facts.asked_for(result) &&
           contains(facts.report.site.proxy_exceptions, probe.target.host);
  }));
  if (past.empty()) return phrase("Set the proxy {} in the application and on the devices.", proxy);
  if (pac == nullptr) {
    return phrase(
        "Take {} out of the exceptions of this computer's proxy settings (no_proxy): only the "
        "proxy {} gets there.",
        listed(past), proxy);
  }
  return phrase("Change the PAC file {}: for {}, it bypasses the proxy {}.",
                text_of(*pac, EvidenceKind::pac, Fact::place), listed(past), proxy);
}

// How a proxy that is there, and has nothing against a connection, fails to carry it.
enum class CarryFault {
  unanswered,  // the request gets no answer
  upstream,    // it says that it does not get through itself: 502, 503, 504
  hung_up,     // it says yes, and the connection ends there
};

std::optional<CarryFault> carry_fault(const ProbeResult& result) {
  const auto& detail = result.observation.detail;
  if (is_direct(result) || has_certificate(result)) return std::nullopt;
  if (detail == DetailCode::proxy_timed_out) return CarryFault::unanswered;
  // Its own word, not that of a server behind it.
  const auto said = number_of(result, EvidenceKind::proxy_reply, Fact::status).value_or(0);
  if (said >= 502 && said <= 504) return CarryFault::upstream;
  const bool ended = detail == DetailCode::closed_by_peer ||
                     detail == DetailCode::connection_reset || detail == DetailCode::tls_timed_out;
  if (ended && over_tls(result)) return CarryFault::hung_up;
  return std::nullopt;
}

// What of `probes` failed so. Except where it says that it does not get through, only on ports that
// it fails everybody on: one server may fail by itself.
Probes failed_so(const Diagnosis& context, const Probes& probes, CarryFault fault) {
  const auto is_so = [&](const ProbeResult& one) { return carry_fault(one) == fault; };
  std::set<std::uint16_t> carried;
  for (const auto* one : probes) {
    // A plain connection shows only that the proxy has agreed, and one to an address nothing about
    // names.
    const bool tells =
        over_tls(*one) || (fault == CarryFault::unanswered && is_name(one->probe.target.host));
    if (tells && !is_so(*one)) carried.insert(one->probe.target.port());
  }
  return those_that(probes, [&](const ProbeResult& one) {
    const bool by_port = fault != CarryFault::upstream && carried.contains(one.probe.target.port());
    return is_so(one) && !by_port && !context.explained(one);
  });
}

// Of the same ports, hosts that are given by their addresses are reached, and no name is on any.
bool reaches_addresses_only(const Probes& all, const Probes& failed) {
  const auto ports = ports_of(failed);
  bool by_address = false;
  for (const auto* one : all) {
    const auto& target = one->probe.target;
    if (!came_through(*one)) continue;
    if (is_name(target.host)) return false;
    by_address |= ports.contains(target.port());
  }
  return by_address && std::ranges::all_of(hosts_of(failed), is_name);
}

// `by_address`: hosts given by their addresses are reached.
void say(CarryFault fault, const Probes& failed, bool by_address, Cause& cause) {
  const auto& proxy = proxy_name(failed);
  const auto ports = named_ports(ports_of(failed));
  const auto hosts = listed(hosts_of(failed));
  switch (fault) {
    case CarryFault::unanswered:
      if (by_address) {
        cause.title = phrase("The proxy {} reaches addresses, but not names", proxy);
        cause.fix = phrase(
            "Check the name server that the proxy {} asks: requests with a name get no answer, and "
            "requests with an address do.",
            proxy);
        return;
      }
      cause.title = phrase("The proxy {} leaves requests for {} unanswered", proxy, ports);
      cause.fix = phrase(
          "Look in the log of the proxy {} for what it waits for when it is asked for {}: its own "
          "name server, the users' directory, a content filter, or a firewall behind it.",
          proxy, ports);
      cause.tell(phrase("It answers other requests, but none of these {} in time.", failed.size()));
      return;
    case CarryFault::upstream:
      cause.title = phrase("The proxy {} does not get through to {}", proxy, hosts);
      cause.fix = phrase(
          "Look in the log of the proxy {} for why it does not get through to {}: its own name "
          "server, the proxy that it asks itself, or a firewall behind it. If all is well there, "
          "ask the servers' operator whether they are up.",
          proxy, hosts);
      return;
    case CarryFault::hung_up:
      cause.title = phrase("The proxy {} carries nothing over connections to {}", proxy, ports);
      cause.fix = phrase(
          "Look in the log of the proxy {} for what ends connections to {}: its own inspection of "
          "TLS, a content filter, or a firewall behind it.",
          proxy, ports);
      return;
  }
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
  const auto proxied = by_proxy(proxied_probes(context));
  if (proxied.empty()) return {};
  const DirectWays ways(context);
  Causes causes;
  for (const auto& probes : proxied) {
    // Where nothing at all answers, that is the cause.
    if (!std::ranges::all_of(probes, without_proxy) || context.explained(*probes.front())) continue;
    auto& cause = causes.emplace_back(no_way_to_the_proxy(probes));
    if (!context.no_tcp_gets_out() && !is_on_this_computer(proxy_name(probes))) {
      cause.fix += phrase(
          " If it belongs to another network (the company's, on a laptop at home), connect to that "
          "network's VPN, or turn the setting off here.");
    }
    if (context.proxy_speaks) continue;
    add_what_it_costs(context, ways, probes, cause);
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
      const DirectWays ways(context);
      add_what_waits(cause, ways, ways.udp_shut ? Closes::direct : Closes::direct_tcp);
    }
  }
  return causes;
}

// It is there and willing, and carries nothing, or not to everybody.
Causes find_failing_proxy(const Diagnosis& context) {
  const auto proxied = by_proxy(proxied_probes(context));
  if (proxied.empty()) return {};
  const DirectWays ways(context);
  Causes causes;
  for (const auto& probes : proxied) {
    if (std::ranges::all_of(probes, without_proxy)) continue;
    for (const auto fault : {CarryFault::unanswered, CarryFault::upstream, CarryFault::hung_up}) {
      const auto failed = failed_so(context, probes, fault);
      // One operator's servers may be what the proxy itself waits for.
      const bool several = parties_of(failed).size() > 1;
      if (asked_for_ones(context, failed).empty() || (!several && fault != CarryFault::upstream))
        continue;
      auto& cause = causes.emplace_back(failed);
      cause.name(FindingCode::proxy_upstream_failed, several ? likely : possible);
      say(fault, failed, reaches_addresses_only(probes, failed), cause);
      cause.show(failed, 4);
      if (fault == CarryFault::upstream) {
        if (context.no_tcp_gets_out()) append(cause.explained, waiting_for(ways, failed));
      } else {
        add_what_it_costs(context, ways, failed, cause);
      }
    }
  }
  return causes;
}

Causes find_proxy_required(const Diagnosis& context) {
  if (context.proxied.empty()) return {};
  const bool direct =
      std::ranges::any_of(context.flows, [](const Flow& flow) { return !flow.udp && out(flow); });
  if (direct) return {};
  const DirectWays ways(context);
  // What the proxy turns down, or does not carry, does not fail for want of a proxy.
  const auto turned_down = set_of(asked_for_ones(context, context.probes_that([](const auto& one) {
                                    return is_turned_down(one) || carry_fault(one);
                                  })),
                                  host_and_port);
  Cause cause(those_that(ways.waiting(), [&](const ProbeResult& result) {
    return is_udp(result) || !turned_down.contains(host_and_port(result));
  }));
  if (ways.all_tcp_shut()) cause.closes = ways.udp_shut ? Closes::direct : Closes::direct_tcp;
  auto parties = ways.parties;
  for (const auto* result : cause.explained) {
    if (result->observation.outcome == Outcome::unresolved)
      parties.insert(registrable_domain(result->probe.target.host));
  }
  // What the proxy carries needs no direct way: only a row that is not well makes it a finding.
  if (parties.size() < 2 || !context.affects_requirement(cause.explained)) return {};
  // The site may let out the vendor's list directly, and all else through the proxy.
  cause.name(FindingCode::proxy_required,
             (ways.own && ways.web_shut) || ways.parties.empty() ? certain : possible);
  cause.title = ways.udp_shut ? phrase("This site lets traffic out only through the proxy")
                              : phrase("This site lets TCP out only through the proxy");
  const auto through = context.probes_that(came_through);
  const auto is_carried = [&](const ProbeResult& result) {
    return !is_udp(result) && context.proxied.contains(result.probe.target.host);
  };
  cause.carried = those_that(cause.explained, is_carried);
  const auto not_carried = those_that(cause.explained, std::not_fn(is_carried));
  cause.fix = go_by_the_proxy(context, cause.explained, proxy_name(through));
  const auto flows = flows_in_words(context, not_carried);
  if (!flows.empty()) {
    cause.fix += phrase(
        " Traffic that a proxy cannot carry needs direct access: allow it (and return traffic) {}: "
        "{}.{}",
        from_users(context), flows, where_the_list_is(context, cause.explained));
  }
  // A connection alone may be one that the proxy only says it has made.
  const auto said = those_that(through, has_certificate);
  cause.tell(what_it_saw(*(said.empty() ? through : said).front()));
  cause.tell(phrase("No direct TCP connection to any of {} operators succeeded.", parties.size()));
  cause.show(cause.explained, 4);
  return {cause};
}

Causes find_proxy_denials(const Diagnosis& context) {
  const auto all = context.probes_that(is_turned_down);
  if (all.empty()) return {};
  const DirectWays ways(context);
  Causes causes;
  for (const auto& denied : by_proxy(asked_for_ones(context, all))) {
    auto& cause = causes.emplace_back(denied);
    if (context.no_tcp_gets_out()) append(cause.explained, waiting_for(ways, denied));
    // One server may speak HTTP without TLS by itself.
    const bool sure =
        parties_of(denied).size() > 1 ||
        !std::ranges::all_of(denied, [](const auto* one) { return sent_a_page(*one); });
    cause.name(FindingCode::proxy_connect_denied, sure ? certain : possible);
    cause.title = phrase("The proxy denies connections {}", what_is_denied(context, denied));
    cause.fix = phrase("Allow CONNECT on the proxy {}: {}.{}", proxy_name(denied),
                       flows_in_words(context, denied), where_the_list_is(context, denied));
    if (std::ranges::all_of(denied, [](const auto* one) { return sent_a_page(*one); }))
      cause.tell(phrase("It agrees to each connection, and then sends a page of its own."));
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
