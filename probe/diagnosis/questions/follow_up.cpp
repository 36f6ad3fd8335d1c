#include "probe/diagnosis/questions/follow_up.hpp"

#include <algorithm>

#include "probe/diagnosis/contents/names.hpp"
#include "probe/diagnosis/contents/split_paths.hpp"
#include "probe/diagnosis/questions/questions.hpp"

namespace callready {

Questions::Questions(const Facts& facts)
    : facts_(facts),
      room_(most_follow_ups),
      room_for_names_(most_name_questions),
      room_for_repeats_(most_repeat_questions) {
  for (const auto& [probe, seen] : facts.report.probes) {
    if (probe.purpose == Purpose::row || probe.purpose == Purpose::control) continue;
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
                    std::uint16_t port, std::map<std::string, std::string> with,
                    std::string proxy) {
  Probe probe;
  probe.check = check;
  probe.target.host = std::move(host);
  probe.target.ports = {port, port};
  probe.target.transport = transport;
  probe.target.route.proxy = std::move(proxy);
  probe.with = std::move(with);
  probe.purpose = purpose;
  probe.id = probe_id(probe);
  auto& room = room_for(purpose);
  if (room == 0 || facts_.find(probe.id) != nullptr || !ids_.insert(probe.id).second) return false;
  --room;
  list_.push_back(std::move(probe));
  return true;
}

namespace {

// Of each kind of doubt so many: two show what one cannot, more show no more.
constexpr std::size_t most_names = 3;
constexpr std::size_t most_owners = 24;
constexpr std::size_t most_resolvers = 2;
constexpr std::size_t most_hosts = 3;
// Greets a server in place of its own name, to see whether it is the name that is cut off.
constexpr auto neutral_name = "example.com";

// The independent resolvers, by address, that the controls asked.
std::vector<std::string> independent_resolvers(const Facts& facts) {
  std::vector<std::string> servers;
  for (const auto& result : facts.report.probes) {
    const auto& probe = result.probe;
    const bool server =
        probe.check == CheckKind::dns && probe.control() && probe.with.contains("server");
    if (!server || findings::is_name(probe.target.host) || findings::is_inside(result)) continue;
    const auto& host = probe.target.host;
    if (servers.size() < most_resolvers) add_once(servers, host);
  }
  return servers;
}

// A host outside that was reached, and that nobody takes for a DNS server.
std::string no_resolver(const Facts& facts, const std::vector<std::string>& resolvers) {
  std::string found;
  for (const auto& result : facts.report.probes) {
    const auto& [probe, seen] = result;
    const auto& host = probe.target.host;
    const bool dialled = probe.target.transport != Transport::udp && probe.check != CheckKind::dns;
    if (!dialled || !findings::is_direct(result) || !reached(seen.outcome)) continue;
    if (!seen.address || seen.address->is_special() || findings::is_inside(result)) continue;
    if (contains(resolvers, host)) continue;
    if (found.empty() || (probe.control() && findings::is_name(host))) found = host;
  }
  return found;
}

bool is_suspicious(const ProbeResult& result) {
  const auto& seen = result.observation;
  if (seen.outcome == Outcome::unresolved) return true;
  return seen.address && seen.address->is_special() && findings::failing(result);
}

// Names that lead to one public address, where nothing answers in their names: is it a block page?
std::set<std::string> names_at_one_address(const Facts& facts) {
  const auto names = findings::read_names(facts);
  std::set<std::string> found;
  for (const auto& [address, misled] : findings::misled_to_one_address(names)) {
    for (const auto* name : misled) found.insert(name->name);
  }
  return found;
}

// Names that are missing, or lead to no public address or to a shared one: asked for here, with all
// that the resolvers say beside it, and elsewhere.
void ask_for_names(const Facts& facts, Questions& questions) {
  const auto servers = independent_resolvers(facts);
  const auto one_address = names_at_one_address(facts);
  std::vector<std::string> names;
  std::set<std::string> parties;
  bool any_resolved = false, any_missing = false;
  for (const bool fresh : {true, false}) {
    for (const auto& result : facts.report.probes) {
      const auto& host = result.probe.target.host;
      const bool direct = findings::is_direct(result) && findings::is_name(host);
      if (!direct || result.probe.check == CheckKind::dns) continue;
      any_resolved |= result.observation.address.has_value();
      any_missing |= result.observation.outcome == Outcome::unresolved;
      const bool known = contains(names, host);
      const bool misled = one_address.contains(host) && findings::failing(result);
      const bool suspicious = is_suspicious(result) || misled;
      if (known || !suspicious || !facts.asked_for(result)) continue;
      if (names.size() == most_names) continue;
      if (parties.insert(findings::registrable_domain(host)).second || !fresh)
        names.push_back(host);
    }
  }
  // Is it the names, or the line? These listen on 443 as well.
  if (any_missing && !any_resolved) {
    for (const auto& server : servers)
      questions.ask(Purpose::name_elsewhere, CheckKind::tcp, Transport::tcp, server, 443);
  }
  if (names.empty()) return;
  // Where nothing resolves, one name shows it as well as three.
  if (!any_resolved) names.resize(1);
  for (const auto& name : names) {
    questions.ask(Purpose::name_elsewhere, CheckKind::dns, Transport::udp, name, 53);
    for (const auto& server : servers) {
      questions.ask(Purpose::name_elsewhere, CheckKind::dns, Transport::udp, server, 53,
                    {{"server", "true"}, {"name", name}});
    }
  }
  // Those elsewhere are heard only where nobody on the way answers for them.
  const auto nobody = no_resolver(facts, servers);
  if (!servers.empty() && !nobody.empty()) {
    questions.ask(Purpose::name_elsewhere, CheckKind::dns, Transport::udp, nobody, 53,
                  {{"server", "true"}, {"nobody", "true"}, {"name", names.front()}});
  }
}

// Is it the server's name in the greeting that is cut off? Where nothing came back it may also have
// been lost by chance, or full-size packets vanish: once more, and with small ones.
void ask_for_greetings(const Facts& facts, Questions& questions) {
  std::size_t asked = 0;
  for (const auto& result : facts.report.probes) {
    const auto& [probe, seen] = result;
    const bool tls = probe.target.transport == Transport::tls && findings::is_direct(result);
    if (tls && probe.check == CheckKind::path && seen.detail == DetailCode::black_hole) {
      questions.ask(Purpose::repeat, CheckKind::path, Transport::tls, probe.target.host,
                    probe.target.port(), {{"again", "true"}});
    }
    const bool cut = seen.detail == DetailCode::connection_reset ||
                     seen.detail == DetailCode::closed_by_peer ||
                     seen.detail == DetailCode::tls_timed_out;
    if (!tls || !cut || seen.outcome != Outcome::failed || !facts.asked_for(result)) continue;
    if (!findings::chain_of(result).empty() || asked == most_hosts) continue;
    questions.ask(Purpose::other_server_name, CheckKind::tls, Transport::tls, probe.target.host,
                  probe.target.port(), {{"server_name", neutral_name}});
    if (seen.detail == DetailCode::tls_timed_out) {
      questions.ask(Purpose::repeat, CheckKind::path, Transport::tls, probe.target.host,
                    probe.target.port(), {{"again", "true"}});
    }
    ++asked;
  }
}

// A filter has a list, and of a list one name shows nothing about another owner's: a name of each
// owner that has none among the first, asked of one independent resolver.
void ask_for_a_name_of_each_owner(const Facts& facts, Questions& questions) {
  const auto servers = independent_resolvers(facts);
  if (servers.empty()) return;
  std::map<std::string, std::string> names;  // by owner
  bool any_resolved = false;
  for (const auto& result : facts.report.probes) {
    const auto& [probe, seen] = result;
    const auto& host = probe.target.host;
    const bool direct = findings::is_direct(result) && findings::is_name(host);
    if (!direct) continue;
    any_resolved |= probe.check != CheckKind::dns && seen.address.has_value();
    if (seen.outcome != Outcome::unresolved || !facts.asked_for(result)) continue;
    if (names.size() < most_owners) names.emplace(findings::registrable_domain(host), host);
  }
  if (!any_resolved) return;
  for (const auto& [owner, name] : names) {
    questions.ask(Purpose::name_elsewhere, CheckKind::dns, Transport::udp, servers.front(), 53,
                  {{"server", "true"}, {"name", name}});
  }
}

// Over a connection, and nothing came back in time.
bool is_silent_stream(const ProbeResult& result) {
  const auto& [probe, seen] = result;
  const bool stream = probe.target.transport != Transport::udp && findings::is_direct(result);
  const bool late = seen.detail == DetailCode::tls_timed_out ||
                    seen.detail == DetailCode::http_timed_out ||
                    seen.detail == DetailCode::stun_timed_out;
  return stream && probe.check != CheckKind::hop &&
         (seen.outcome == Outcome::silent || (seen.outcome == Outcome::failed && late));
}

// A few that came to nothing where others answer may be chance: once more.
void ask_the_silent_again(const Facts& facts, Questions& questions) {
  std::vector<const Probe*> silent;
  bool others = false;
  for (const auto& result : facts.report.probes) {
    const auto& probe = result.probe;
    others |= probe.target.transport != Transport::udp && findings::is_direct(result) &&
              reached(result.observation.outcome);
    if (is_silent_stream(result) && facts.asked_for(result)) silent.push_back(&probe);
  }
  if (!others || silent.size() > most_hosts) return;
  for (const auto* probe : silent) {
    auto with = probe->with;
    with["again"] = "true";
    const auto& target = probe->target;
    questions.ask(Purpose::repeat, probe->check, target.transport, target.host, target.port(),
                  std::move(with));
  }
}

// Who says over plain HTTP that the server is out of order: the server, or somebody on the way?
void ask_for_the_servers_word(const Facts& facts, Questions& questions) {
  std::size_t asked = 0;
  for (const auto& result : facts.report.probes) {
    const auto& probe = result.probe;
    const auto* reply = findings::evidence_of(result, EvidenceKind::http_reply);
    if (reply == nullptr || !findings::is_direct(result) || !facts.asked_for(result)) continue;
    const bool error = number_fact(*reply, Fact::status).value_or(0) >= 500;
    if (!error || probe.target.transport != Transport::tcp || asked == most_hosts) continue;
    std::map<std::string, std::string> with;
    if (const auto path = probe.with.find("path"); path != probe.with.end()) with.insert(*path);
    questions.ask(Purpose::servers_word, CheckKind::http, Transport::tls, probe.target.host, 443,
                  std::move(with));
    ++asked;
  }
}

// Where only plain HTTP works, somebody on the way may have answered it. If no public page with a
// known body was fetched: where does the service's own page lead?
void ask_whose_page(const Facts& facts, Questions& questions) {
  if (!findings::only_plain_http_works(facts)) return;
  constexpr std::size_t enough = 2;
  std::size_t asked = 0;  // also by an earlier look, and by rows
  std::set<std::string> hosts;
  for (const auto* result : findings::plain_http_answers(facts)) {
    const auto& host = result->probe.target.host;
    const bool page = findings::is_plain_page(*result);
    if (page && result->probe.with.contains("body")) return;
    asked += page;
    if (!page && facts.asked_for(*result) && findings::is_name(host)) hosts.insert(host);
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
  std::vector<const Target*> taken;
  for (const auto& result : facts.report.probes) {
    const auto& [probe, seen] = result;
    const bool stands = probe.check == CheckKind::tcp && seen.outcome == Outcome::connected;
    if (!stands || !ports.contains(probe.target.port()) || !findings::is_direct(result)) continue;
    if (facts.asked_for(result)) taken.push_back(&probe.target);
  }
  std::ranges::stable_partition(taken,
                                [](const auto* target) { return findings::is_name(target->host); });
  std::size_t asked = 0;
  for (const auto* target : taken) {
    if (asked == most_hosts) return;
    asked += questions.ask(Purpose::servers_word, CheckKind::tls, Transport::tls, target->host,
                           target->port());
  }
}

// A private issuer beyond the proxy: does it sign for everybody there?
void ask_through_the_proxy(const Facts& facts, Questions& questions) {
  std::string proxy;
  std::vector<std::string> anchors;
  for (const auto& result : facts.report.probes) {
    const auto* root = findings::evidence_of(result, EvidenceKind::chain_root);
    const auto& target = result.probe.target;
    if (!findings::is_direct(result)) {
      const bool foreign =
          root != nullptr && flag_fact(*root, Fact::expected) == std::optional(false);
      if (foreign && facts.asked_for(result)) proxy = target.route.proxy;
    } else if (result.probe.control() && result.probe.check == CheckKind::tls &&
               target.port() == 443) {
      anchors.push_back(target.host);
    }
  }
  if (proxy.empty()) return;
  if (anchors.size() > most_hosts) anchors.resize(most_hosts);
  for (const auto& host : anchors)
    questions.ask(Purpose::proxys_issuer, CheckKind::tls, Transport::tls, host, 443, {}, proxy);
}

// SIP over UDP 5060 without an answer, from servers that speak SIP otherwise: does the port that no
// ALG knows fare better?
void ask_another_sip_port(const Facts& facts, Questions& questions) {
  std::size_t asked = 0;
  for (const auto& flow : facts.flows) {
    const auto& result = *flow.samples.front().result;
    const auto check = result.probe.check;
    const bool sip = check == CheckKind::sip || check == CheckKind::sip_alg;
    const bool plain = flow.udp && flow.port == 5060 && sip;
    if (!plain || asked == most_hosts || !doubtful(facts, flow)) continue;
    questions.ask(Purpose::other_sip_port, CheckKind::sip, Transport::udp, flow.host,
                  findings::other_sip_port);
    ++asked;
  }
}

// How well a STUN server is known to answer: the least is the best. A TURN server is one, too, and
// behind a limit on new flows a public one that was silent may answer yet. Nothing: it is none.
std::optional<int> answers_stun(const Flow& flow) {
  std::optional<int> best;
  for (const auto& sample : flow.samples) {
    const auto& [probe, seen] = *sample.result;
    const bool asked = probe.check == CheckKind::stun || probe.check == CheckKind::turn;
    const bool beside = probe.check == CheckKind::nat || probe.check == CheckKind::path;
    const bool answered = seen.outcome == Outcome::answered;
    if (!flow.udp || flow.port == 53 || (!asked && !beside)) continue;
    // What a relay behind a server took in or sent back says nothing of the relay's port.
    if (probe.target.transport != Transport::udp || probe.target.port() != flow.port) continue;
    if (!answered && (!probe.control() || seen.outcome != Outcome::silent)) continue;
    const int rank = !answered ? 2 : asked ? 0 : 1;
    best = std::min(best.value_or(rank), rank);
  }
  return best;
}

// A server that sees another address over TCP than others do over UDP is asked over both, more than
// once: which address a pool gives, chance says.
void ask_how_seen(const Facts& facts, Questions& questions) {
  const auto split = findings::split_paths(facts);
  if (!split) return;
  for (const auto* by_tcp : split->tcp) {
    const auto& target = by_tcp->probe.target;
    const auto by_udp = std::ranges::find_if(facts.flows, [&](const Flow& flow) {
      return flow.host == target.host && answers_stun(flow).value_or(2) < 2;
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

// Where some were answered only when they had asked again, and some never: a server that answers is
// asked twenty times over one flow, and twenty times over new ones.
void ask_how_many_answer(const Facts& facts, Questions& questions) {
  const auto silent = [&](const auto& result) {
    return findings::got_no_answer(result) && findings::is_direct(result) &&
           facts.asked_for(result);
  };
  if (!facts.line_loses() || !facts.any_probe(silent)) return;
  const Flow* server = nullptr;
  std::optional<int> best;
  for (const auto& flow : facts.flows) {
    const auto rank = answers_stun(flow);
    if (!rank || (best && *best <= *rank)) continue;
    best = rank;
    server = &flow;
  }
  if (server == nullptr) return;
  for (const auto* flows : {"one", "new"}) {
    questions.ask(Purpose::repeat, CheckKind::stun, Transport::udp, server->host, server->port,
                  {{"flows", flows}});
  }
}

}  // namespace

std::vector<Probe> follow_ups(const Report& report, bool hurried) {
  const Facts facts(report);
  Questions questions(facts);
  const findings::Diagnosis context(facts);
  const bool no_udp = udp_is_shut(context);
  ask_how_many_answer(facts, questions);
  ask_for_names(facts, questions);
  ask_again(facts, questions);
  ask_for_ways(context, questions, hurried);
  ask_for_neighbours(facts, questions, no_udp);
  ask_for_greetings(facts, questions);
  ask_the_silent_again(facts, questions);
  ask_for_the_servers_word(facts, questions);
  ask_whose_page(facts, questions);
  ask_behind_the_interception(facts, questions);
  ask_through_the_proxy(facts, questions);
  if (!no_udp) ask_another_sip_port(facts, questions);
  ask_for_a_name_of_each_owner(facts, questions);
  ask_how_seen(facts, questions);
  return questions.take();
}

}  // namespace callready
