#include "probe/diagnosis/questions/follow_up.hpp"

#include <algorithm>

#include "probe/diagnosis/contents/names.hpp"
#include "probe/diagnosis/questions/questions.hpp"
#include "probe/diagnosis/ways/flow_groups.hpp"

namespace callready {

Questions::Questions(const Facts& facts) : facts_(facts) {
  for (const auto& [probe, seen] : facts.report.probes) {
    if (probe.purpose == Purpose::row || probe.purpose == Purpose::control) continue;
    if (seen.detail == DetailCode::not_needed) continue;  // nothing was sent
    auto& room = room_for(probe.purpose);
    if (room > 0) --room;
  }
}

std::size_t& Questions::room_for(Purpose purpose) {
  if (purpose == Purpose::name_elsewhere) return room_for_names_;
  const bool again = purpose == Purpose::repeat || purpose == Purpose::other_server_name;
  return again && room_ == 0 ? room_for_repeats_ : room_;
}

bool Questions::ask(Purpose purpose, CheckKind check, Transport transport, std::string host,
                    std::uint16_t port, With with, std::string proxy) {
  Probe probe;
  probe.check = check;
  probe.target.host = std::move(host);
  probe.target.ports = {port, port};
  probe.target.transport = transport;
  probe.target.route.proxy = std::move(proxy);
  probe.with = std::move(with);
  probe.purpose = purpose;
  return ask(std::move(probe));
}

bool Questions::ask_again(const Probe& probe, std::string parameter, std::string value) {
  const auto& target = probe.target;
  auto with = probe.with;
  with[std::move(parameter)] = std::move(value);
  return ask(Purpose::repeat, probe.check, target.transport, target.host, target.port(),
             std::move(with));
}

bool Questions::ask(Probe probe) {
  probe.id = probe_id(probe);
  auto& room = room_for(probe.purpose);
  const bool known = facts_.find(probe.id) != nullptr || find_by_id(list_, probe.id) != nullptr;
  if (room == 0 || known) return false;
  --room;
  list_.push_back(std::move(probe));
  return true;
}

namespace {

// This many for each kind of doubt: two show what one cannot, more show no more.
constexpr std::size_t most_names = 3, most_owners = 24, most_resolvers = 2, most_hosts = 3;
// Of the names that no row has tried, so that the filter's administrator is asked only once.
constexpr std::size_t most_other_names = 6;
// Greets a server in place of its own name, to see whether it is the name that is cut off.
constexpr auto neutral_name = "example.com";

// The independent resolvers, by address, that the controls asked.
std::vector<std::string> independent_resolvers(const Facts& facts) {
  const auto asked = facts.probes_that([](const ProbeResult& result) {
    const auto& probe = result.probe;
    return asks_a_dns_server(probe) && probe.control() && !findings::asks_nobody(probe) &&
           !is_name(probe.target.host) && !is_inside(result);
  });
  return first_of(hosts_of(asked), most_resolvers);
}

// A host outside that was reached, and that nobody takes for a DNS server.
std::string no_resolver(const Facts& facts, const std::vector<std::string>& resolvers) {
  std::string found;
  for (const auto& result : facts.report.probes) {
    const auto& [probe, seen] = result;
    const auto& host = probe.target.host;
    if (is_udp(result) || !findings::goes_outside(result) || !reached(seen.outcome)) continue;
    if (!seen.address || seen.address->is_special() || contains(resolvers, host)) continue;
    if (found.empty() || (probe.control() && is_name(host))) found = host;
  }
  return found;
}

bool goes_to_a_name(const ProbeResult& result) {
  return is_direct(result) && is_name(result.probe.target.host);
}

bool any_name_resolves(const Facts& facts) {
  return facts.any_probe([](const ProbeResult& result) {
    return goes_to_a_name(result) && result.probe.check != CheckKind::dns &&
           result.observation.address;
  });
}

// Names that lead to one public address, where nothing answers in their names: is it a block page?
std::set<std::string> names_at_one_address(const Facts& facts) {
  const auto names = read_names(facts);
  std::set<std::string> found;
  for (const auto& [address, misled] : misled_to_one_address(names)) {
    for (const auto* name : misled) found.insert(name->name);
  }
  return found;
}

void ask_for_name(Questions& questions, const std::string& host, With with = {}) {
  questions.ask(Purpose::name_elsewhere, CheckKind::dns, Transport::udp, host, 53, std::move(with));
}

// The owners' other names in the documents, which no row has tried: here, and elsewhere.
void ask_for_other_names_of(const std::set<std::string>& owners, const Facts& facts,
                            Questions& questions) {
  std::set<std::string> known;
  for (const auto& [probe, seen] : facts.report.probes) {
    if (probe.purpose != Purpose::name_elsewhere) known.insert(probe.target.host);
  }
  const auto server = first_of(independent_resolvers(facts), 1);
  std::size_t asked = 0;
  for (const auto& row : rows_of(facts.report.sets)) {
    for (const auto& rule : row.rules) {
      for (const auto& peer : rule.peers) {
        if (peer.kind != PeerKind::name || peer.lifecycle != Lifecycle::current) continue;
        if (!owners.contains(registrable_domain(peer.text))) continue;
        if (!known.insert(peer.text).second) continue;
        if (asked++ == most_other_names) return;
        ask_for_name(questions, peer.text);
        for (const auto& one : server)
          ask_for_name(questions, one, {{"server", "true"}, {"name", peer.text}});
      }
    }
  }
}

// Names that are missing, or lead to no public address, to a shared one, or where a hosts file
// says: asked for here, with all that the resolvers say beside it, and elsewhere.
void ask_for_names(const Facts& facts, Questions& questions) {
  const auto servers = independent_resolvers(facts);
  const auto one_address = names_at_one_address(facts);
  const bool any_resolved = any_name_resolves(facts);
  bool any_missing = false;
  const auto suspicious = facts.probes_that([&](const ProbeResult& result) {
    const auto& [probe, seen] = result;
    if (!goes_to_a_name(result) || probe.check == CheckKind::dns) return false;
    const bool missing = seen.outcome == Outcome::unresolved;
    any_missing |= missing;
    const bool by_hosts_file = findings::evidence_of(result, EvidenceKind::hosts_file) != nullptr;
    const bool misled = (seen.address && seen.address->is_special()) || by_hosts_file ||
                        one_address.contains(probe.target.host);
    return facts.asked_for(result) && (missing || (misled && failing(result)));
  });
  // Is it the names, or the line? These listen on 443 as well.
  if (any_missing && !any_resolved) {
    for (const auto& server : servers)
      questions.ask(Purpose::name_elsewhere, CheckKind::tcp, Transport::tcp, server, 443);
  }
  if (suspicious.empty()) return;
  // Where nothing resolves, one name shows it as well as three.
  const auto names =
      of_different_owners(hosts_of(suspicious), any_resolved ? most_names : 1, registrable_domain);
  for (const auto& name : names) {
    ask_for_name(questions, name);
    for (const auto& server : servers)
      ask_for_name(questions, server, {{"server", "true"}, {"name", name}});
  }
  // Servers may be left from a VPN, or set by hand, and not be there; a router often is one, too.
  const auto router = findings::router_beside_resolvers(facts.report.site);
  if (!any_resolved && !router.empty())
    ask_for_name(questions, router, {{"server", "true"}, {"name", names.front()}});
  // Those elsewhere are heard only where nobody on the way answers for them.
  const auto nobody = no_resolver(facts, servers);
  if (!servers.empty() && !nobody.empty()) {
    ask_for_name(questions, nobody,
                 {{"server", "true"}, {"nobody", "true"}, {"name", names.front()}});
  }
  if (any_resolved) ask_for_other_names_of(findings::parties_of(names), facts, questions);
}

// Is it the server's name in the greeting that is cut off? Where nothing came back it may also have
// been lost by chance, or full-size packets vanish: once more, and with small ones.
void ask_for_greetings(const Facts& facts, Questions& questions) {
  std::size_t asked = 0;
  for (const auto& result : facts.report.probes) {
    const auto& [probe, seen] = result;
    const auto& target = probe.target;
    if (target.transport != Transport::tls || !is_direct(result)) continue;
    const auto ask = [&](Purpose purpose, CheckKind check, With with) {
      questions.ask(purpose, check, Transport::tls, target.host, target.port(), std::move(with));
    };
    if (probe.check == CheckKind::path && seen.detail == DetailCode::black_hole)
      ask(Purpose::repeat, CheckKind::path, {{"again", "true"}});
    const bool late = seen.detail == DetailCode::tls_timed_out;
    const bool cut = late || seen.detail == DetailCode::connection_reset ||
                     seen.detail == DetailCode::closed_by_peer ||
                     seen.detail == DetailCode::tls_access_denied;
    if (!cut || seen.outcome != Outcome::failed || !facts.asked_for(result)) continue;
    if (findings::has_certificate(result) || asked++ >= most_hosts) continue;
    ask(Purpose::other_server_name, CheckKind::tls, {{"server_name", neutral_name}});
    if (late) ask(Purpose::repeat, CheckKind::path, {{"again", "true"}});
  }
}

// A filter has a list, and one name on it shows nothing about another owner's: so one independent
// resolver is asked for a name of each owner that has none among the first.
void ask_for_a_name_of_each_owner(const Facts& facts, Questions& questions) {
  const auto servers = independent_resolvers(facts);
  if (servers.empty() || !any_name_resolves(facts)) return;
  std::map<std::string, std::string> names;  // by owner
  for (const auto& result : facts.report.probes) {
    const auto& host = result.probe.target.host;
    const bool missing = result.observation.outcome == Outcome::unresolved;
    if (!missing || !goes_to_a_name(result) || !facts.asked_for(result)) continue;
    if (names.size() < most_owners) names.emplace(registrable_domain(host), host);
  }
  for (const auto& [owner, name] : names)
    ask_for_name(questions, servers.front(), {{"server", "true"}, {"name", name}});
}

std::string owner_of(const ProbeResult* result) {
  return registrable_domain(result->probe.target.host);
}

// Clients try the addresses of a name in turn, and a firewall that allows by name may know only
// some of them: a few names of different owners once more, at the same address and at another one.
void ask_at_another_address(const Facts& facts, Questions& questions) {
  constexpr std::size_t most = 4;
  std::set<std::uint16_t> open_ports;
  std::set<std::string> hosts;
  Probes lost;
  for (const auto& result : facts.report.probes) {
    const auto& target = result.probe.target;
    if (is_udp(result) || !is_direct(result)) continue;
    if (reached(result.observation.outcome)) open_ports.insert(target.port());
    if (!findings::came_to_nothing(result) || !facts.asked_for(result)) continue;
    if (is_name(target.host) && result.observation.address && hosts.insert(target.host).second)
      lost.push_back(&result);
  }
  std::erase_if(lost, [&](const ProbeResult* result) {
    return !open_ports.contains(result->probe.target.port());
  });
  for (const auto* result : of_different_owners(lost, most, owner_of)) {
    questions.ask_again(result->probe);
    questions.ask_again(result->probe, "address", "next");
  }
}

// A device that has no room turns some away, and lets the same through a moment later: a few of
// different owners once more, and where that let one through, the others a third time.
void ask_the_turned_away_again(const Facts& facts, Questions& questions) {
  constexpr std::size_t most = 6;
  Probes again, first;
  for (const auto& result : facts.report.probes) {
    if (!findings::was_turned_away(result)) continue;
    if (result.probe.with.contains("again")) again.push_back(&result);
    if (facts.asked_for(result)) first.push_back(&result);
  }
  for (const auto* result : of_different_owners(first, most, owner_of))
    questions.ask_again(result->probe);
  const auto hosts = findings::hosts_of(first);
  const bool any_passed = facts.any_probe([&](const ProbeResult& result) {
    return result.probe.with.contains("again") && findings::may_be_asked_again(result) &&
           reached(result.observation.outcome) && contains(hosts, result.probe.target.host);
  });
  if (!any_passed) return;
  for (const auto* result : again) questions.ask_again(result->probe, "again", "2");
}

// A few that got no answer where others do may be chance: once more.
void ask_the_silent_again(const Facts& facts, Questions& questions) {
  const auto silent = facts.probes_that([&](const ProbeResult& result) {
    const auto& [probe, seen] = result;
    // A SIP server gets one request over each transport.
    return !is_udp(result) && is_direct(result) && facts.asked_for(result) &&
           probe.check != CheckKind::hop && got_no_answer(result) &&
           seen.detail != DetailCode::sip_timed_out;
  });
  const bool others = facts.any_probe([](const ProbeResult& result) {
    return !is_udp(result) && is_direct(result) && reached(result.observation.outcome);
  });
  if (!others || silent.size() > most_hosts) return;
  for (const auto* result : silent) questions.ask_again(result->probe);
}

// Hosts that nothing was sent to, since nobody answered for their names: once one of these is
// found.
void ask_the_nameless_again(const Facts& facts, Questions& questions) {
  constexpr std::size_t most = 32;
  const auto nameless = facts.probes_that([&](const ProbeResult& result) {
    return findings::nobody_answered_for_its_name(result) && facts.asked_for(result) &&
           result.probe.purpose != Purpose::repeat && result.probe.check != CheckKind::dns;
  });
  if (nameless.empty()) return;
  const bool found_later = std::ranges::any_of(
      read_names(facts), [](const auto& entry) { return is_found_again(entry.second); });
  if (!found_later) return;
  for (const auto* result : of_different_owners(nameless, most, owner_of))
    questions.ask_again(result->probe);
}

// What got no answer as the run began, if all that was asked later did: once more, rows' first.
void ask_what_failed_at_first(const Facts& facts, Questions& questions) {
  constexpr std::size_t most = 16;
  for (const bool udp : {true, false}) {
    const auto start = findings::late_start(facts, udp);
    if (!start) continue;
    const auto lost = facts.probes_that([&](const ProbeResult& result) {
      const auto& sent_at = result.observation.sent_at;
      return is_udp(result) == udp && findings::goes_outside(result) && failing(result) &&
             result.probe.purpose != Purpose::repeat && sent_at && *sent_at <= start->last;
    });
    auto again = of_different_owners(findings::asked_for_ones(facts, lost), most, owner_of);
    append(again, of_different_owners(start->lost, 2, owner_of));
    for (const auto* result : again) questions.ask_again(result->probe);
  }
}

// Who says over plain HTTP that the server is out of order: the server, or somebody on the way?
void ask_for_the_servers_word(const Facts& facts, Questions& questions) {
  const auto errors = facts.probes_that([&](const ProbeResult& result) {
    return findings::number_of(result, EvidenceKind::http_reply, Fact::status) >= 500.0 &&
           result.probe.target.transport == Transport::tcp && is_direct(result) &&
           facts.asked_for(result);
  });
  for (const auto* result : first_of(errors, most_hosts)) {
    const auto& probe = result->probe;
    With with;
    if (const auto path = probe.with.find("path"); path != probe.with.end()) with.insert(*path);
    questions.ask(Purpose::servers_word, CheckKind::http, Transport::tls, probe.target.host, 443,
                  std::move(with));
  }
}

// Where only plain HTTP works, somebody on the way may have answered it. If no public page with a
// known body was fetched: where does the service's own page lead?
void ask_whose_page(const Facts& facts, Questions& questions) {
  if (!only_plain_http_works(facts)) return;
  constexpr std::size_t enough = 2;
  std::size_t asked = 0;  // also by an earlier look, and by rows
  std::set<std::string> hosts;
  for (const auto* result : plain_http_answers(facts)) {
    const auto& host = result->probe.target.host;
    const bool page = findings::is_plain_page(*result);
    if (page && result->probe.with.contains("body")) return;
    asked += page;
    if (!page && facts.asked_for(*result) && is_name(host)) hosts.insert(host);
  }
  for (const auto& host : hosts) {
    if (asked >= enough) return;
    asked += questions.ask(Purpose::servers_word, CheckKind::http, Transport::tcp, host, 80);
  }
}

// Where a device opens TLS, a TCP connection only reaches that device. A TLS greeting over it shows
// whether the device gets through to the server. Hosts with names come first: an address may be
// a sample of a range, and a greeting to it carries no name.
void ask_behind_the_interception(const Facts& facts, Questions& questions) {
  const auto ports = intercepted_ports(facts);
  auto taken = facts.probes_that([&](const ProbeResult& result) {
    const auto& [probe, seen] = result;
    return probe.check == CheckKind::tcp && seen.outcome == Outcome::connected &&
           ports.contains(probe.target.port()) && is_direct(result) && facts.asked_for(result);
  });
  std::ranges::stable_partition(
      taken, [](const ProbeResult* result) { return is_name(result->probe.target.host); });
  std::size_t asked = 0;
  for (const auto* result : taken) {
    if (asked == most_hosts) return;
    const auto& target = result->probe.target;
    asked += questions.ask(Purpose::servers_word, CheckKind::tls, Transport::tls, target.host,
                           target.port());
  }
}

// A private issuer beyond the proxy: does it sign for everybody there?
void ask_through_the_proxy(const Facts& facts, Questions& questions) {
  std::string proxy;
  for (const auto& result : facts.report.probes) {
    const bool foreign = !is_direct(result) && has_foreign_root(result);
    if (foreign && facts.asked_for(result)) proxy = result.probe.target.route.proxy;
  }
  if (proxy.empty()) return;
  const auto anchors = facts.probes_that([](const ProbeResult& result) {
    const auto& probe = result.probe;
    return is_direct(result) && probe.control() && probe.check == CheckKind::tls &&
           probe.target.port() == 443;
  });
  for (const auto* anchor : first_of(anchors, most_hosts)) {
    questions.ask(Purpose::proxys_issuer, CheckKind::tls, Transport::tls, anchor->probe.target.host,
                  443, {}, proxy);
  }
}

// SIP over UDP 5060 without an answer, from servers that speak SIP otherwise: does the port that no
// ALG knows fare better?
void ask_another_sip_port(const Facts& facts, Questions& questions) {
  const auto silent = facts.select([&](const Flow& flow) {
    const auto check = flow.samples.front().result->probe.check;
    const bool sip = check == CheckKind::sip || check == CheckKind::sip_alg;
    return flow.udp && flow.port == 5060 && sip && doubtful(facts, flow);
  });
  for (const auto* flow : first_of(silent, most_hosts)) {
    questions.ask(Purpose::other_sip_port, CheckKind::sip, Transport::udp, flow->host,
                  findings::other_sip_port);
  }
}

// How well a STUN server is known to answer, the best first. A TURN server is one, too, and behind
// a limit on new flows a public one that was silent may answer yet.
enum class AnswersStun {
  asked,   // a check of STUN or TURN
  beside,  // one of the NAT or the path
  silent,  // not yet
  never,
};

AnswersStun answers_stun(const Flow& flow) {
  auto best = AnswersStun::never;
  for (const auto& sample : flow.samples) {
    const auto& [probe, seen] = *sample.result;
    const bool asked = probe.check == CheckKind::stun || probe.check == CheckKind::turn;
    const bool beside = probe.check == CheckKind::nat || probe.check == CheckKind::path;
    const bool answered = seen.outcome == Outcome::answered;
    if (!flow.udp || flow.port == dns_port || (!asked && !beside)) continue;
    if (!answered && (!probe.control() || seen.outcome != Outcome::silent)) continue;
    best = std::min(best, !answered ? AnswersStun::silent
                          : asked   ? AnswersStun::asked
                                    : AnswersStun::beside);
  }
  return best;
}

// A server that sees another address over TCP than others do over UDP is asked over both, more than
// once: which address a pool gives, chance says.
void ask_how_seen(const Facts& facts, Questions& questions) {
  const auto split = split_paths(facts);
  if (!split) return;
  for (const auto* by_tcp : split->tcp) {
    const auto& target = by_tcp->probe.target;
    const auto by_udp = std::ranges::find_if(facts.flows, [&](const Flow& flow) {
      return flow.host == target.host && answers_stun(flow) < AnswersStun::silent;
    });
    if (by_udp == facts.flows.end()) continue;
    for (const auto* time : {"2", "3"}) {
      questions.ask(Purpose::repeat, CheckKind::stun, Transport::udp, target.host, by_udp->port,
                    {{"again", time}});
      questions.ask(Purpose::repeat, CheckKind::stun, target.transport, target.host, target.port(),
                    {{"again", time}});
    }
    return;
  }
}

// Over UDP, name servers outside answer and nobody else does.
bool only_names_are_answered(const Facts& facts) {
  const auto answered = facts.probes_that([](const ProbeResult& result) {
    return is_udp(result) && is_direct(result) && !is_inside(result) &&
           result.observation.outcome == Outcome::answered;
  });
  return !answered.empty() && std::ranges::all_of(answered, [](const auto* result) {
    return result->probe.check == CheckKind::dns;
  });
}

// The same was lost from one of our ports over UDP and passed from another: one of several paths
// may be dead.
bool passes_by_turns(const Facts& facts) {
  return std::ranges::any_of(facts.flows, [](const Flow& flow) {
    return flow.udp && flow.port != dns_port && any_sample(flow, [&](const FlowSample& lost) {
             const bool died = lost.way == Reachability::blocked && !lost.turned_away();
             return (died || findings::went_unanswered(lost)) &&
                    any_sample(flow, [&](const FlowSample& other) {
                      return gets_out(other.way) && inspected_as(other) == inspected_as(lost);
                    });
           });
  });
}

// Where some were answered only when they had asked again, and some never, or several only then; or
// where only name servers answer over UDP, whose questions may have used up a limit; or where the
// same passes by turns: one server is asked twenty times over one flow, and twenty times over new
// ones.
void ask_how_many_answer(const Facts& facts, Questions& questions) {
  const auto silent = [&](const auto& result) {
    return got_no_answer(result) && is_direct(result) && facts.asked_for(result);
  };
  constexpr std::size_t several = 2;
  const bool loses = facts.line_loses(), often = facts.answered_late.size() >= several;
  const bool in_doubt = loses || only_names_are_answered(facts);
  const bool asked = in_doubt && facts.any_probe(silent);
  if (!asked && !(loses && often) && !passes_by_turns(facts)) return;
  const auto server = std::ranges::min_element(facts.flows, {}, answers_stun);
  if (server == facts.flows.end() || answers_stun(*server) == AnswersStun::never) return;
  for (const auto* flows : {"one", "new"}) {
    questions.ask(Purpose::repeat, CheckKind::stun, Transport::udp, server->host, server->port,
                  {{"flows", flows}});
  }
}

// A server that leaves most of what was counted unanswered may have a limit of its own: another
// owner's tells.
void ask_whose_limit(const Facts& facts, Questions& questions) {
  if (!findings::loses_most_requests(facts)) return;
  const auto counted = facts.on_one_flow.result->probe.target.host;
  const auto other = std::ranges::find_if(facts.flows, [&](const Flow& flow) {
    return answers_stun(flow) < AnswersStun::silent &&
           findings::parties_of({counted, flow.host}).size() == 2;
  });
  if (other == facts.flows.end()) return;
  questions.ask(Purpose::repeat, CheckKind::stun, Transport::udp, other->host, other->port,
                {{"flows", "one"}});
}

}  // namespace

std::vector<Probe> follow_ups(const Report& report, bool hurried) {
  Diagnosis context(report);
  // Nothing that this computer sends reaches a router.
  if (findings::disconnected(report.site) && !find_offline(context).empty()) return {};
  context.learn_contents();
  // Until somebody signs in, nothing else shows what the site lets through.
  const auto portal = find_captive_portal(context);
  if (!portal.empty() && portal.front().closes == Closes::direct) return {};
  Questions questions(context);
  const bool no_udp = udp_is_shut(context);
  ask_how_many_answer(context, questions);
  ask_whose_limit(context, questions);
  ask_for_names(context, questions);
  ask_again(context, questions);
  ask_for_ways(context, questions, hurried);
  ask_for_neighbours(context, questions, no_udp);
  ask_for_greetings(context, questions);
  ask_the_nameless_again(context, questions);
  ask_what_failed_at_first(context, questions);
  ask_the_silent_again(context, questions);
  ask_the_turned_away_again(context, questions);
  ask_at_another_address(context, questions);
  ask_for_the_servers_word(context, questions);
  ask_whose_page(context, questions);
  ask_behind_the_interception(context, questions);
  ask_through_the_proxy(context, questions);
  if (!no_udp) ask_another_sip_port(context, questions);
  ask_for_a_name_of_each_owner(context, questions);
  ask_how_seen(context, questions);
  return questions.take();
}

}  // namespace callready
