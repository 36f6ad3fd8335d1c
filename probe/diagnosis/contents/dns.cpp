// Names: no resolver, names that are missing here only, names that lead astray, slow answers; and
// no DNS over TCP (RFC 7766), without which the names with long answers are missing, and no others.
#include <algorithm>
#include <array>
#include <ranges>

#include "probe/diagnosis/contents/names.hpp"

namespace callready::findings {
namespace {

// A name that takes this long keeps a person waiting before every page and every call: a resolver
// that asks far away needs some hundred milliseconds, a lost question a second and more.
constexpr double slow_ms = 1'000;

// Some name of that owner.
bool any_is_found(const std::map<std::string, Name>& names, const std::string& owner) {
  return std::ranges::any_of(names, [&](const auto& entry) {
    const auto& [text, name] = entry;
    const bool found = name.address || std::ranges::any_of(name.here, has_records);
    return found && registrable_domain(text) == owner;
  });
}

// Owners none of whose tested names was found: these then stand for all names of that owner.
Text whole_domains(const std::map<std::string, Name>& names, const std::vector<std::string>& lost) {
  std::map<std::string, std::size_t> hidden;
  for (const auto& name : lost) ++hidden[registrable_domain(name)];
  std::vector<std::string> domains;
  for (const auto& [domain, count] : hidden) {
    if (count > 1 && !any_is_found(names, domain)) domains.push_back(domain);
  }
  if (domains.empty()) return {};
  const auto list = listed(domains);
  return domains.size() == 1
             ? phrase(
                   " None of the tested names under {} resolves here: allow everything under it.",
                   list)
             : phrase(
                   " None of the tested names under {} resolves here: allow everything under them.",
                   list);
}

// What the names stand for (CNAME), where the site's resolvers follow that and go no further: a
// list of allowed names may lack it.
Text aliases_of(const std::map<std::string, Name>& names, const std::vector<std::string>& lost) {
  std::vector<std::string> aliases;
  for (const auto& text : lost) {
    for (const auto& answer : names.at(text).here) {
      const auto alias = text_fact(*answer.evidence, Fact::canonical_name);
      if (!has_records(answer) && !alias.empty() && alias != text) add_once(aliases, alias);
    }
  }
  if (aliases.empty()) return {};
  return phrase(" Also allow the names they are aliases for (CNAME): {}.", listed(aliases, 12));
}

// Where programs on this computer that complete such a name go: the users' browser may, too.
void add_search_domain(Cause& cause, const Name& name) {
  for (const auto* result : name.probes) {
    const auto* found = evidence_of(*result, EvidenceKind::search_domain);
    if (found == nullptr) continue;
    return cause.tell(phrase("{}: {}.", name.name, found->text), result);
  }
}

// What servers elsewhere have for it, and not the address that it has here.
std::vector<NameAnswer> other_answers(const Name& name) {
  auto others = name.elsewhere;
  std::erase_if(others, [&](const NameAnswer& answer) {
    return !has_records(answer) || addresses_in(*answer.evidence).contains(*name.address);
  });
  return others;
}

bool asks_the_system(const ProbeResult& result) {
  return asks_system_resolvers(result.probe) && is_direct(result);
}

// A server here has answered for it, whether or not there is such a name.
bool is_answered(const Name& name) {
  return std::ranges::any_of(name.here, [](const NameAnswer& answer) {
    return text_fact(*answer.evidence, Fact::rcode) == "NOERROR" || is_denial(answer);
  });
}

// A server here does not want to answer for it (RFC 1035 section 4.1.1): it has a limit, or rules.
bool is_refused(const Name& name) {
  return !name.here.empty() && std::ranges::all_of(name.here, [](const NameAnswer& answer) {
    return text_fact(*answer.evidence, Fact::rcode) == "REFUSED";
  });
}

// Of several resolvers of this computer, those that answered nothing while another did.
std::vector<std::string> dead_resolvers(const Facts& facts) {
  std::set<std::string> alive, silent;
  for (const auto& result : facts.report.probes) {
    if (result.probe.check != CheckKind::dns || asks_a_dns_server(result.probe)) continue;
    for (const auto& evidence : result.observation.evidence) {
      const auto server = without_port(text_fact(evidence, Fact::server));
      if (evidence.kind == EvidenceKind::dns_answer) alive.insert(server);
      if (evidence.kind == EvidenceKind::dns_no_answer) silent.insert(server);
    }
  }
  auto dead = facts.report.site.resolvers;
  std::erase_if(dead, [&](const std::string& resolver) {
    const auto server = without_port(resolver);
    return alive.contains(server) || !silent.contains(server);
  });
  return alive.empty() ? std::vector<std::string>() : dead;
}

// The shortest round trip to anybody outside; 0: none is known.
double shortest_trip_ms(const Facts& facts) {
  std::optional<double> shortest;
  for (const auto& result : facts.report.probes) {
    const auto& trip = result.observation.round_trip;
    if (!trip || !goes_outside(result)) continue;
    shortest = std::min(trip->count(), shortest.value_or(trip->count()));
  }
  return shortest.value_or(0);
}

void tell_of_silent_resolvers(Cause& cause, const Facts& facts) {
  for (const auto& result : facts.report.probes) {
    if (!asks_a_dns_server(result.probe)) cause.tell(EvidenceKind::dns_no_answer, result);
  }
}

// The shortest time in which an independent resolver answered; 0: none did.
double fastest_elsewhere_ms(const std::map<std::string, Name>& names) {
  std::optional<double> fastest;
  for (const auto& [text, name] : names) {
    for (const auto& answer : name.elsewhere) {
      const auto took = number_fact(*answer.evidence, Fact::took_ms);
      if (took) fastest = std::min(*took, fastest.value_or(*took));
    }
  }
  return fastest.value_or(0);
}

// Where even one packet there and back takes this long, a lookup is given up (timeouts::dns_try)
// before the resolver, which asks others, can have answered.
constexpr double too_slow_for_lookups_ms = 750;

// The line keeps the answers until nobody waits for them any more.
Cause answers_too_late(const std::map<std::string, Name>& names, Cause cause, bool any_answered,
                       double line_ms) {
  cause.name(FindingCode::media_delay, any_answered ? likely : possible);
  cause.title = phrase("Answers from the Internet take {} s or longer: name lookups fail",
                       tenths(line_ms / 1000));
  cause.fix = phrase(
      "Find what delays the packets: a full line (uploads, backups, updates), Wi-Fi, a VPN, a "
      "mobile or satellite link. Run this again while nobody else is using the line; if nothing "
      "changes, ask the Internet provider.");
  cause.tell(phrase("No name could be looked up in time."));
  for (const auto& [text, name] : names) {
    for (const auto& answers : {name.elsewhere, name.here}) {
      for (const auto& [answer, probe] : answers) cause.tell({probe, answer->text + "."});
    }
  }
  return cause;
}

// All DNS servers of this computer are on the Internet, and not in the network that it is in.
bool resolvers_are_outside(const Facts& facts) {
  const auto& site = facts.report.site;
  const auto is_outside = [&](const std::string& resolver) {
    const auto server = without_port(resolver);
    const auto address = IpAddress::parse(server);
    return address && !address->is_special() && !facts.may_be_ours(server) &&
           std::ranges::none_of(own_addresses(site), [&](const IpAddress& own) {
             return network_of(own) == network_of(*address);
           });
  };
  return !site.resolvers.empty() && std::ranges::all_of(site.resolvers, is_outside);
}

// All DNS servers of this computer are its own: a local service that asks others.
bool resolvers_are_local(const Facts& facts) {
  const auto& resolvers = facts.report.site.resolvers;
  return !resolvers.empty() && std::ranges::all_of(resolvers, [](const std::string& resolver) {
    const auto address = IpAddress::parse(without_port(resolver));
    return address && address->is_loopback();
  });
}

// This computer asks itself for names, as systems without any DNS server do, and nothing listens.
bool nobody_listens_here(const Facts& facts) {
  std::size_t refusals = 0, others = 0;
  for (const auto& result : facts.report.probes) {
    if (!asks_the_system(result)) continue;
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != EvidenceKind::dns_no_answer) continue;
      const auto reason = detail_fact(evidence, Fact::reason);
      ++(reason == DetailCode::connection_refused ? refusals : others);
    }
  }
  return refusals > 0 && others == 0 && resolvers_are_local(facts);
}

// Asked in place of this computer's DNS servers, its router has the name.
const ProbeResult* router_that_looks_up(const Facts& facts) {
  const auto router = router_beside_resolvers(facts.report.site);
  return first_that(facts.report.probes, [&](const ProbeResult& result) {
    return asks_a_dns_server(result.probe) && result.probe.target.host == router &&
           result.observation.detail == DetailCode::records;
  });
}

// The link for containers or virtual machines to which queries for all DNS servers go; empty: none.
std::string inner_link_of_resolvers(const Site& site) {
  std::set<std::string> links;
  for (const auto& resolver : site.resolvers) {
    const auto its = std::ranges::find(site.resolver_links, resolver, &ResolverLink::resolver);
    if (its == site.resolver_links.end() || !is_inner_link(its->interface)) return {};
    links.insert(its->interface);
  }
  return links.size() == 1 ? *links.begin() : std::string();
}

// What this computer's DNS servers did with its queries.
struct Lookups {
  bool failed;        // they answered, and none with what was asked for
  bool any_answered;  // one at least
  bool refused;       // all of them
  bool line_is_up;    // something outside answers
};

// Whose servers they are, and so who is to look at what.
void say_who_does_not_answer(const Diagnosis& context, const Lookups& seen, Cause& cause) {
  const auto resolvers = resolvers_in_words(context);
  const bool one = context.report.site.resolvers.size() == 1;
  const bool silent = !seen.failed && !seen.any_answered;
  const auto* by_router = router_that_looks_up(context);
  const auto link = inner_link_of_resolvers(context.report.site);
  if (nobody_listens_here(context)) {
    cause.owner = Owner::helpdesk;
    cause.title = phrase("This computer's own DNS service is not running");
    cause.fix = phrase(
        "Start the DNS service that should answer at {} (on Linux often systemd-resolved, "
        "otherwise that of a VPN or a filter). If none should, set this computer's DNS servers, or "
        "have DHCP hand them out: a computer that has none asks itself.",
        resolvers);
  } else if (resolvers_are_local(context)) {
    cause.owner = Owner::helpdesk;
    cause.title = seen.failed ? phrase("This computer's own DNS service cannot look up any name")
                              : phrase("This computer's own DNS service does not answer");
    cause.fix = phrase(
        "Restart the DNS service of this computer ({}; on Linux often systemd-resolved, otherwise "
        "that of a VPN or a filter), and check which servers it asks.",
        resolvers);
  } else if (silent && !link.empty()) {
    cause.owner = Owner::helpdesk;
    cause.title = phrase("This computer looks for its DNS servers on its own adapter {}", link);
    cause.fix = phrase(
        "Compare the addresses of the DNS servers ({0}) with the range of the adapter {1} of this "
        "computer, often one for containers or virtual machines: they lie in it, so queries do not "
        "leave this computer. Give {1} another range, or remove it.",
        resolvers, link);
  } else if (silent && seen.line_is_up && resolvers_are_outside(context)) {
    cause.owner = Owner::helpdesk;
    cause.title = one ? phrase("This computer's DNS server on the Internet does not answer")
                      : phrase("This computer's DNS servers on the Internet do not answer");
    cause.fix = phrase(
        "Set this computer to take its DNS servers from the network (DHCP), instead of {0}. If it "
        "already does, ask the network team to allow UDP and TCP port 53 to {0}, or to hand out "
        "servers that answer.",
        resolvers);
  } else if (silent && by_router != nullptr) {
    cause.owner = Owner::helpdesk;
    cause.title = one ? phrase("This computer's DNS server does not answer, but its router does")
                      : phrase("This computer's DNS servers do not answer, but its router does");
    cause.fix = phrase(
        "Set this computer to take its DNS servers from the network (DHCP), instead of {0}: a VPN, "
        "or somebody by hand, may have set that. If your organization runs {0}, ask your DNS team "
        "why queries from this network (UDP and TCP port 53) get no answer.",
        resolvers);
    cause.tell(phrase("The router {} looks up {}.", by_router->probe.target.host,
                      name_asked_for(by_router->probe)),
               by_router);
  } else if (seen.refused) {
    cause.title = phrase("The DNS servers refuse to look up any name");
    cause.fix = phrase(
        "Check whether the DNS servers this computer uses ({}) accept queries from this network, "
        "and whether they limit the queries of each computer: they answer REFUSED.",
        resolvers);
  } else {
    cause.title = seen.failed ? phrase("The DNS servers answer, but cannot look up any name")
                  : seen.any_answered ? phrase("The DNS servers leave most queries unanswered")
                                      : phrase("This computer gets no answer from its DNS servers");
    cause.fix = phrase(
        "Check that the DNS servers this computer uses ({}) are running, can reach the Internet, "
        "and accept queries from this network (UDP and TCP port 53).",
        resolvers);
  }
}

constexpr std::array useless_answers{
    DetailCode::unexpected_answer, DetailCode::servfail, DetailCode::refused,
    DetailCode::formerr,           DetailCode::notimp,   DetailCode::other_rcode};

// Elsewhere it has no other address than private ones.
bool is_private_name(const Name& name) {
  std::set<IpAddress> addresses;
  for (const auto& [answer, probe] : name.elsewhere) addresses.merge(addresses_in(*answer));
  return !addresses.empty() && std::ranges::all_of(addresses, &IpAddress::is_private);
}

}  // namespace

Causes find_dns_unreachable(const Diagnosis& context) {
  // Clients that only know a proxy need no DNS of their own: it looks up names itself.
  const bool by_proxy = context.any_probe([](const ProbeResult& result) {
    const bool answered = came_through(result) || sent_a_page(result) ||
                          result.observation.outcome == Outcome::denied;
    return !is_direct(result) && is_name(result.probe.target.host) && answered;
  });
  if (by_proxy) return {};
  Cause cause;
  std::size_t lost = 0;
  std::set<std::string> owners;
  bool failed = false, any_answered = false, any_refused = false, all_refused = true;
  const auto names = read_names(context);
  for (const auto& [text, name] : names) {
    any_answered |= is_answered(name);
    any_refused |= is_refused(name);
    all_refused &= name.here.empty() || is_refused(name);
    if (name.probes.empty()) continue;
    if (name.address) return without_dns64(context, names);
    if (!nobody_answered(name.failure)) {
      if (!name.failure.empty()) return {};
      continue;
    }
    ++lost;
    owners.insert(registrable_domain(text));
    failed |= name.failure == DetailCode::dns_failed;
    append(cause.explained, open_failures(context, name));
  }
  // Names of one owner that a server cannot look up may be their zone's fault.
  if (cause.explained.empty() || (failed && (any_answered || owners.size() < 2))) return {};
  const auto line_ms = fastest_elsewhere_ms(names);
  if (!failed && line_ms >= too_slow_for_lookups_ms)
    return {answers_too_late(names, std::move(cause), any_answered, line_ms)};
  const bool line_is_up = std::ranges::any_of(context.flows, out);
  const bool refused = failed && any_refused && all_refused;
  cause.name(FindingCode::dns_unreachable, lost < 2                      ? possible
                                           : line_is_up && !any_answered ? certain
                                                                         : likely);
  say_who_does_not_answer(context, {failed, any_answered, refused, line_is_up}, cause);
  cause.tell(lost < 2 ? phrase("The only name queried could not be looked up.")
                      : phrase("None of the {} names could be looked up.", lost));
  if (line_is_up) cause.tell(phrase("Servers tested by IP address are reachable."));
  tell_of_silent_resolvers(cause, context);
  cause.show(cause.explained, 4);
  // Rows that ask for DNS itself fail because of it, too, and so does a proxy given by name.
  for (const auto& result : context.report.probes) {
    const bool asks = asks_the_system(result) && failing(result) && context.asked_for(result);
    const bool by_name = !failed && result.observation.detail == DetailCode::proxy_unresolved;
    if ((asks || by_name) && !context.explained(result)) add_once(cause.explained, &result);
  }
  return {cause};
}

Causes find_dns_rewritten(const Diagnosis& context) {
  const auto names = read_names(context);
  std::map<IpAddress, std::vector<const Name*>> astray;  // of no use outside
  for (const auto& [text, name] : names) {
    if (!is_public_name(text) || !name.address || !name.address->is_special()) continue;
    if (name.from_hosts_file) continue;  // not from a server
    // Packets to an address that is not there may well leave the site.
    if (works(name)) continue;
    // Its own zone gives everybody that address.
    if (found_elsewhere(name) && other_answers(name).empty()) continue;
    astray[*name.address].push_back(&name);
  }
  Causes causes;
  for (const auto& [address, its_names] : astray) {
    std::vector<FindingEvidence> contrast;
    for (const auto* name : its_names) {
      for (const auto& [answer, probe] : other_answers(*name))
        contrast.push_back({probe, phrase("Answer from a DNS server elsewhere: {}", answer->text)});
    }
    const bool proved = address.is_unspecified() || address.is_loopback() || !contrast.empty();
    // One name at one private address may be a server of the site's own.
    if (!proved && its_names.size() < 2) continue;
    Cause cause;
    const auto lost = add_misled(cause, context, names, its_names, contrast);
    if (cause.explained.empty() && cause.contradicted.empty()) continue;
    cause.name(FindingCode::dns_rewritten, proved ? certain : likely);
    cause.title =
        phrase("This site's DNS sends {} to {} (not an Internet address)",
               lost.size() == 1 ? lost.front() : phrase("{} names", lost.size()), address);
    const auto resolvers = answering_resolvers_in_words(context);
    const bool own = std::ranges::all_of(lost, [&](const std::string& name) {
      return contains(context.report.site.own_hosts, name);
    });
    if (own && address.is_private()) {
      cause.fix = phrase(
          "Ask who runs {0} whether {1} is its address inside your organization. If so, let this "
          "network reach it (routing, firewall, VPN). If not, remove that answer from this site's "
          "DNS servers ({2}), so that the public address is given.",
          listed(lost), address, resolvers);
    } else {
      cause.fix = plural(
          lost.size(),
          "Remove the entry or block that answers {2} for {3} from this site's DNS servers ({1}) "
          "and any DNS filter behind them, so that the name gets its public addresses.",
          "Remove the entry or block that answers {2} for {3} from this site's DNS servers ({1}) "
          "and any DNS filter behind them, so that the names get their public addresses.",
          resolvers, address, listed(lost));
    }
    if (address.is_shared()) {
      cause.fix += phrase(
          " Zero-trust clients and gateways often answer with such addresses (100.64.0.0/10) and "
          "carry what is sent there: if one is in use, exempt the service from it.");
    }
    causes.push_back(std::move(cause));
  }
  return causes;
}

// Of several resolvers of this computer, the one that is asked first denies every name, and another
// one has some of them: a company's, which a VPN has left in the list, say. Systems ask the next
// one only if the first is silent or refuses.
Causes find_denying_resolver(const Diagnosis& context) {
  const auto names = read_names(context);
  std::set<std::string> owners, deniers, others;
  Cause cause;
  for (const auto& [text, name] : names) {
    if (name.from_hosts_file || !is_public_name(text) || context.proxied.contains(text)) continue;
    if (name.address) return {};
    if (name.failure.empty()) continue;
    if (name.failure != DetailCode::no_such_name) return {};
    owners.insert(registrable_domain(text));
    append(cause.explained, open_failures(context, name));
    for (const auto& answer : name.here) {
      const auto server = without_port(text_fact(*answer.evidence, Fact::server));
      if (is_denial(answer)) deniers.insert(server);
      if (has_records(answer)) others.insert(server);
      cause.contrast({answer.probe, phrase("{}: {}.", text, answer.evidence->text)});
    }
  }
  if (owners.size() < 3 || deniers.size() != 1 || others.empty()) return {};
  const auto& denier = *deniers.begin();
  if (others.contains(denier) || !context.affects_requirement(cause.explained)) return {};
  cause.name(FindingCode::dns_filtered, certain);
  cause.owner = Owner::helpdesk;
  cause.title = phrase("The DNS server {} denies all names that were tried, but {} has some",
                       denier, listed(others));
  cause.fix = phrase(
      "This computer asks {0} first, and believes it. If a VPN has set {0}, disconnect the VPN, or "
      "have it ask {0} for the company's own names only (split DNS). Otherwise put {1} first in "
      "the list, or let {0} look up public names, too.",
      denier, listed(others));
  cause.show(cause.explained, 4);
  return {cause};
}

// The same servers deny a name, or fail to look it up, and have it a moment later. (Where one of
// several denies it and another one has it, the one may filter.)
Causes find_inconsistent_dns(const Diagnosis& context) {
  const auto names = read_names(context);
  const auto failed = [](const Name& name) {
    return name.failure == DetailCode::no_such_name || name.failure == DetailCode::dns_failed;
  };
  Cause cause;
  std::vector<std::string> proved;
  std::size_t denied = 0;
  for (const auto& [text, name] : names) {
    if (!failed(name) || !is_found_here(name) || context.proxied.contains(text)) continue;
    if (!std::ranges::all_of(name.here, has_records)) continue;
    append(cause.explained, open_failures(context, name));
    proved.push_back(text);
    denied += name.failure == DetailCode::no_such_name;
    const auto* found = first_that(name.here, has_records);
    cause.tell({found->probe, phrase("{} could not be looked up at first. Then: {}.", text,
                                     found->evidence->text)});
  }
  if (cause.explained.empty()) return {};
  // What else failed, and is known to others.
  for (const auto& [text, name] : names) {
    if (failed(name) && found_elsewhere(name) && !is_found_here(name))
      append(cause.explained, open_failures(context, name));
  }
  // A server that failed may have had a bad moment; one that denies a name says so.
  cause.name(FindingCode::dns_inconsistent, denied > 1 ? certain : likely);
  cause.title = proved.size() == 1
                    ? phrase("This site's DNS finds {} only sometimes", proved.front())
                    : phrase("This site's DNS finds {} names only sometimes", proved.size());
  cause.fix = phrase(
      "Check the upstream servers of this site's DNS servers ({}): forwarders, or the other "
      "servers of a group. One of them fails at times, or gives other answers than the rest.",
      answering_resolvers_in_words(context));
  cause.show(cause.explained, 4);
  return {cause};
}

Causes find_dns_filtered(const Diagnosis& context) {
  const auto names = read_names(context);
  Cause cause;
  std::vector<std::string> lost;
  std::set<std::pair<std::string, DetailCode>> alike;  // owner and failure of the proved names
  bool all_fail = true;                                // SERVFAIL, rather than denied or silent
  bool any_refused = false, all_refused = true;
  // False if an earlier cause explains everything that fails because of it.
  const auto take = [&](const Name& name) {
    const auto open = open_failures(context, name);
    if (!open.empty()) lost.push_back(name.name);
    all_fail &= open.empty() || name.failure == DetailCode::dns_failed;
    any_refused |= !open.empty() && is_refused(name);
    all_refused &= open.empty() || name.here.empty() || is_refused(name);
    append(cause.explained, open);
    return !open.empty();
  };
  for (const auto& [text, name] : names) {
    if (name.failure.empty() || name.address || context.proxied.contains(text)) continue;
    const auto proof = proof_of_filter(name);
    if (!proof || !take(name)) continue;
    alike.insert({registrable_domain(text), name.failure.code()});
    cause.tell(*proof);
    add_search_domain(cause, name);
  }
  // Nobody independent can be asked. If several names of one owner are missing, none of that
  // owner's names resolves, and other owners' names do, then the list is not merely out of date. Of
  // any other missing name, nobody can tell from here.
  const auto* taken = port_53_taken(context);
  const bool proved = !lost.empty();
  bool weak = false;
  if (taken != nullptr && !proved) {
    std::set<std::string> alive;
    std::map<std::string, std::vector<const Name*>> gone;
    std::vector<const Name*> unclear;
    for (const auto& [text, name] : names) {
      const auto owner = registrable_domain(text);
      if (name.address) alive.insert(owner);
      const bool missing = name.failure == DetailCode::no_such_name && !name.address;
      if (missing && !context.proxied.contains(text)) gone[owner].push_back(&name);
    }
    if (alive.empty()) gone.clear();
    for (const auto& [owner, missing] : gone) {
      if (alive.contains(owner) || missing.size() < 2) {
        append(unclear, missing);
      } else {
        for (const auto* name : missing) take(*name);
      }
    }
    weak = lost.empty() && std::ranges::any_of(unclear, [&](const Name* name) {
             return context.fails_required_row(open_failures(context, *name));
           });
    if (weak) {
      for (const auto* name : unclear) take(*name);
    }
    if (!lost.empty()) cause.tell(intercepts_dns(*taken));
  }
  if (lost.empty()) return {};
  // Names of the same owner that are missing in the same way, and were not asked for elsewhere.
  for (const auto& [text, name] : names) {
    const bool same = alike.contains({registrable_domain(text), name.failure.code()});
    if (!same || name.address || !name.elsewhere.empty()) continue;
    if (!contains(lost, text)) take(name);
  }
  // And those that no row has tried, asked for because of the others.
  const auto owners = parties_of(lost);
  for (const auto& [text, name] : names) {
    if (!name.probes.empty() || !owners.contains(registrable_domain(text))) continue;
    const auto proof = proof_of_filter(name);
    if (!proof) continue;
    lost.push_back(text);
    cause.tell(*proof);
  }
  // A server that refuses may count queries instead of looking at names; but not if it refuses all
  // names of one owner and no others.
  const bool refused = any_refused && all_refused;
  const bool by_name =
      !refused || (lost.size() > 1 && owners.size() == 1 && !any_is_found(names, *owners.begin()));
  cause.name(FindingCode::dns_filtered, weak ? possible : proved && by_name ? certain : likely);
  cause.title =
      lost.size() == 1
          ? phrase("This site's DNS does not resolve {}", lost.front())
          : phrase("This site's DNS does not resolve {} host names that the service needs",
                   lost.size());
  const auto resolvers = answering_resolvers_in_words(context);
  if (weak) {
    cause.fix = look_up_elsewhere(context, lost);
  } else if (refused) {
    cause.fix = phrase(
        "Find out why this site's DNS servers ({}) answer REFUSED for {}, although they look up "
        "other names: they may limit the queries of each computer (raise that limit), or have "
        "rules for these names (allow them).",
        resolvers, listed(lost, 12));
  } else if (all_fail) {
    cause.fix = phrase(
        "Find out why this site's DNS servers ({}) fail to look up {}: check their forwarders, "
        "their zones and DNSSEC, and any DNS filter behind them.",
        resolvers, listed(lost, 12));
  } else {
    cause.fix =
        plural(lost.size(),
               "Allow this name on this site's DNS servers ({1}) and any DNS filter behind "
               "them: {2}.{3}{4}",
               "Allow these names on this site's DNS servers ({1}) and any DNS filter "
               "behind them: {2}.{3}{4}",
               resolvers, listed(lost, 12), aliases_of(names, lost), whole_domains(names, lost));
    if (std::ranges::all_of(lost,
                            [&](const auto& name) { return is_private_name(names.at(name)); })) {
      cause.fix += phrase(
          " Elsewhere, the address is a private one: servers that protect against DNS rebinding "
          "leave such answers out, and have a list of exceptions.");
    }
  }
  cause.show(cause.explained, 4);
  return {cause};
}

// Names for which nobody answers, where others are answered at once, and independent resolvers have
// them: why the site's are silent cannot be told from here.
Causes find_unanswered_names(const Diagnosis& context) {
  const auto names = read_names(context);
  // Where the site's resolvers answer at once and at the first attempt, silence does not mean that
  // a question was lost. A line that is seen to lose packets now and then loses both questions
  // about a name.
  const bool any_answered = std::ranges::any_of(
      names, [](const auto& entry) { return entry.second.address.has_value(); });
  const bool any_late = std::ranges::any_of(names, [](const auto& entry) {
    const auto& name = entry.second;
    return is_found_again(name) || (name.address && name.took_ms >= slow_ms);
  });
  if (!any_answered || any_late || context.stream_loses) return {};
  Cause cause;
  std::vector<std::string> mute;
  std::set<std::string> owners;
  for (const auto& [text, name] : names) {
    const bool asked_again = name.silent != nullptr && name.here.empty();
    if (name.failure != DetailCode::dns_unreachable || !asked_again) continue;
    const auto lost = open_failures(context, name);
    const auto elsewhere = found_elsewhere(name);
    if (lost.empty() || !elsewhere || context.proxied.contains(text)) continue;
    mute.push_back(text);
    owners.insert(registrable_domain(text));
    append(cause.explained, lost);
    cause.tell(*elsewhere);
    cause.tell(phrase("This site's DNS servers did not answer two queries for {}; they answer "
                      "other names at once.",
                      text),
               name.silent);
  }
  if (mute.empty()) return {};
  // Their owners' other names, which were not asked for again.
  for (const auto& [text, name] : names) {
    const bool asked = name.silent != nullptr || !name.here.empty() || !name.elsewhere.empty();
    const bool alike = name.failure == DetailCode::dns_unreachable && !name.address;
    if (asked || !alike || !owners.contains(registrable_domain(text))) continue;
    const auto lost = open_failures(context, name);
    if (lost.empty()) continue;
    mute.push_back(text);
    append(cause.explained, lost);
  }
  cause.name(FindingCode::dns_unreachable, likely);
  cause.title = phrase("This site's DNS does not answer queries for {}", listed(mute));
  cause.fix = phrase(
      "Find out why this site's DNS servers ({}) do not answer for {}: a filter or a limit on the "
      "queries of each computer may drop the query, or they may be unable to reach that name's own "
      "servers.",
      resolvers_in_words(context), listed(mute));
  cause.show(cause.explained, 4);
  return {cause};
}

Causes find_outdated_names(const Diagnosis& context) {
  const auto names = read_names(context);
  Causes causes;
  for (const auto& [text, name] : names) {
    // Some providers' servers give an address of their own to names that do not exist. Nobody is
    // asked to open the way there.
    const bool invented = name.address && !name.address->is_special() && !name.from_hosts_file &&
                          !works(name) && !contains(context.report.site.own_hosts, text);
    if ((name.failure != DetailCode::no_such_name && !invented) || name.elsewhere.empty()) continue;
    if (context.proxied.contains(text)) continue;
    const auto gone = open_failures(context, name);
    const bool everywhere = std::ranges::all_of(name.elsewhere, is_denial);
    // If the siblings do not resolve either, the question may be what is wrong.
    const bool siblings = any_is_found(names, registrable_domain(text));
    // Where the others of the list do, nobody misses it: the row says so itself.
    const bool missed = invented ? !gone.empty() : context.breaks_capability(gone);
    if (!everywhere || !siblings || !missed) continue;
    auto& cause = causes.emplace_back(gone);
    const bool sure = name.elsewhere.size() > 1 && !invented;
    cause.name(FindingCode::target_outdated, sure ? certain : likely);
    if (const auto spelling = check_spelling(context, {text}); !spelling.empty()) {
      cause.owner = Owner::user;
      cause.title = phrase("There is no such name: {}", text);
      cause.fix = spelling + phrase(" If it is right, ask the operator of that server.");
    } else {
      cause.title = invented ? phrase("Only this site's DNS still has the name {}", text)
                             : phrase("The name {} no longer exists anywhere", text);
      cause.fix = phrase(
          "Look for a newer edition of the vendor's document, or ask the vendor what replaced {}. "
          "Firewall rules for it can be removed; otherwise, change nothing on the network.",
          text);
    }
    for (const auto& [answer, probe] : name.elsewhere) cause.tell({probe, answer->text});
    cause.tell(
        invented
            ? phrase("This site's DNS gives {} for it, where nothing was reached: old, or made up.",
                     *name.address)
            : phrase("This site's DNS does not know it either."),
        gone.front());
    add_search_domain(cause, name);
  }
  return causes;
}

// Every name that was asked for at first got no answer, and each that was asked for again has one.
Causes find_late_names(const Diagnosis& context) {
  Cause cause;
  Probes again;
  for (const auto& [text, name] : read_names(context)) {
    for (const auto* result : name.probes) {
      const auto& seen = result->observation;
      const auto purpose = result->probe.purpose;
      const bool at_first = purpose == Purpose::row || purpose == Purpose::control;
      const bool answered = seen.address || seen.outcome == Outcome::unresolved;
      if (purpose == Purpose::repeat) again.push_back(result);
      if (at_first && answered && !nobody_answered_for_its_name(*result)) return {};
    }
    append(cause.explained, open_failures(context, name));
  }
  const auto found = those_that(
      again, [](const ProbeResult& result) { return result.observation.address.has_value(); });
  if (found.empty() || found.size() < again.size()) return {};
  cause.name(FindingCode::network_interrupted, likely);
  cause.title = phrase("At first no name could be looked up; later all could");
  cause.fix = look_for_what_came_up();
  cause.tell(plural(
      hosts_of(found).size(), "No name got an answer at first; {} was looked up again, and found.",
      "No name got an answer at first; {} were looked up again, and all were found."));
  cause.show(found, 2);
  return {cause};
}

Causes find_dns_slow(const Diagnosis& context) {
  std::vector<const Name*> slow, again;  // again: answered when asked for again
  const auto names = read_names(context);
  auto causes = unanswered_for_ipv6(context, names);
  // Where independent resolvers take as long, or one packet there and back takes so long that those
  // whom the site's servers ask cannot be faster, it is the line or this computer that is slow.
  constexpr double trips_of_a_lookup = 3;
  if (fastest_elsewhere_ms(names) > slow_ms / 2) return causes;
  if (trips_of_a_lookup * shortest_trip_ms(context) > slow_ms) return causes;
  // What the site's own name servers lose says nothing about the line.
  const auto& retried = context.answered_late;
  const bool line_loses = std::ranges::any_of(retried, [](const ProbeResult* result) {
    return result->probe.check != CheckKind::dns || asks_a_dns_server(result->probe);
  });
  std::size_t measured = 0;
  for (const auto& [text, name] : names) {
    if (is_found_again(name) && !line_loses) again.push_back(&name);
    if (name.took_ms > 0) ++measured;
    if (name.took_ms >= slow_ms) slow.push_back(&name);
  }
  // One slow name is its own server's trouble.
  const auto late = slow.size() + again.size();
  if (slow.empty() || late < 2 || 4 * late < measured + again.size()) return causes;
  Cause cause;
  std::vector<std::string> unanswered;
  for (const auto& [text, name] : names) {
    if (!nobody_answered(name.failure)) continue;
    append(cause.explained, open_failures(context, name));
    if (name.failure == DetailCode::dns_unreachable) unanswered.push_back(text);
  }
  cause.name(FindingCode::dns_slow, late > 2 ? certain : likely);
  cause.title = unanswered.empty()
                    ? phrase("DNS lookups take too long at this site")
                    : phrase("DNS lookups take too long at this site, or get no answer");
  const auto dead = dead_resolvers(context);
  cause.fix =
      dead.empty()
          ? phrase(
                "Check the load on this site's DNS servers ({}) and packet loss on the path to "
                "them; a lookup should take less than 100 ms. Remove servers that no longer answer "
                "from the list that DHCP hands out.",
                resolvers_in_words(context))
          : plural(dead.size(),
                   "Repair the DNS server {1}, which does not answer, or remove it from the list "
                   "that DHCP hands out: computers that ask it first wait before they ask another.",
                   "Repair the DNS servers {1}, which do not answer, or remove them from the list "
                   "that DHCP hands out: computers that ask them first wait before they ask "
                   "another.",
                   listed(dead));
  if (!dead.empty()) tell_of_silent_resolvers(cause, context);
  if (!unanswered.empty()) cause.tell(phrase("No answer came in time for {}.", listed(unanswered)));
  const auto* slowest = std::ranges::max(slow, {}, &Name::took_ms);
  cause.tell(phrase("{} of {} names took longer than {} s; the slowest took {} s.", slow.size(),
                    measured, whole(slow_ms / 1000), tenths(slowest->took_ms / 1000)));
  for (const auto* name : slow | std::views::take(4)) {
    cause.tell(phrase("{} took {} s to look up.", name->name, tenths(name->took_ms / 1000)),
               name->probes.front());
  }
  for (const auto* name : again | std::views::take(4)) {
    cause.tell(
        {name->here.front().probe, phrase("{} resolved only on the second try.", name->name)});
  }
  causes.push_back(std::move(cause));
  return causes;
}

Causes find_dns_without_tcp(const Diagnosis& context) {
  Cause cause;
  std::set<std::string> lost, parties;
  for (const auto& result : context.report.probes) {
    if (!asks_the_system(result) || context.explained(result) || !failing(result)) continue;
    const auto& seen = result.observation;
    const bool too_long = seen.detail == DetailCode::truncated;
    const bool by_tcp = !is_udp(result) && seen.outcome != Outcome::unresolved &&
                        !contains(useless_answers, seen.detail.code());
    if (!too_long && !by_tcp) continue;
    if (too_long) {
      lost.insert(name_asked_for(result.probe));
      parties.insert(registrable_domain(name_asked_for(result.probe)));
    }
    cause.explained.push_back(&result);
  }
  const bool works_over_udp = context.any_probe([](const ProbeResult& result) {
    return asks_the_system(result) && is_udp(result) &&
           (result.observation.outcome == Outcome::answered ||
            result.observation.detail == DetailCode::truncated);
  });
  if (cause.explained.empty() || !works_over_udp) return {};
  const auto asked = cause.explained;
  // Not every name that is missing was asked for again: those of the same owner are as long.
  for (const auto* result : missing_names_of(context, parties)) {
    lost.insert(result->probe.target.host);
    cause.explained.push_back(result);
  }
  if (!context.affects_requirement(cause.explained)) return {};
  cause.name(FindingCode::dns_unreachable, certain);
  cause.title = phrase("This site's DNS works over UDP only: long answers do not arrive");
  cause.fix = phrase(
      "Allow TCP port 53 as well as UDP on this site's DNS servers ({}) and every firewall in "
      "between: answers too long for one packet come over TCP only (RFC 7766).",
      resolvers_in_words(context));
  cause.show(asked, 4);
  if (!lost.empty())
    cause.tell(phrase("Because of this, these names are missing: {}.", listed(lost)));
  return {cause};
}

}  // namespace callready::findings
