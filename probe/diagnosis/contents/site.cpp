// How the site as a whole is connected: a sign-in page is in front of it; TCP and UDP leave by
// different paths, so that servers outside see different public addresses over the two; or a tunnel
// carries the service.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

// A page redirects to another owner's host, and no row asks for anything there.
bool leads_elsewhere(const Facts& facts, const ProbeResult& result) {
  const auto elsewhere = text_of(result, EvidenceKind::http_reply, Fact::redirect_host);
  if (elsewhere.empty() || !is_plain_page(result) || !is_name(result.probe.target.host))
    return false;
  const auto owner = registrable_domain(elsewhere);
  const auto& own = result.observation.address;
  if (own && owner == network_of(*own)) return false;
  return !facts.any_probe([&](const ProbeResult& other) {
    return facts.asked_for(other) && registrable_domain(other.probe.target.host) == owner;
  });
}

// A pool of addresses, or lines that are balanced, may give each flow another one: over each
// protocol, this many flows have to agree, this many of them to the same server.
constexpr std::size_t enough = 3, enough_there = 2;

Probes those_to(const std::string& host, const Probes& seen) {
  return those_that(seen,
                    [&](const ProbeResult& result) { return result.probe.target.host == host; });
}

// Tunnels that stand in for a missing IP version, and are not VPNs: 464XLAT and DS-Lite (both with
// an address of RFC 7335's 192.0.0.0/29), 6in4, 6rd, 6to4.
bool is_transition_link(const Facts& facts, std::string_view name) {
  for (const std::string_view word :
       {"clat", "v4-", "he-ipv6", "6rd", "6to4", "tun6to4", "ip6tnl"}) {
    if (name.starts_with(word)) return true;
  }
  // The kernel's own: "sit0". "site-a" is somebody's.
  constexpr std::string_view sit = "sit";
  if (name.starts_with(sit) && whole_number<int>(name.substr(sit.size()))) return true;
  static const auto dummies = Network::parse("192.0.0.0/29");
  return std::ranges::any_of(facts.report.site.interfaces, [&](const InterfaceInfo& interface) {
    return interface.name == name &&
           std::ranges::any_of(interface.addresses,
                               [](const IpAddress& address) { return dummies->contains(address); });
  });
}

// The service's way past the tunnel: what its document requires of those sets, open or not today,
// media first. Of a tunnel that carries some networks only, the rows that go there. If the
// report has no rules, it is what was tried.
Text service_in_words(const Facts& facts, const EgressPath& way, const Probes& probes) {
  const auto sets = facts.sets_of(probes);
  const auto carried = ids_of(probes);
  std::vector<FirewallRule> rules;
  for (const auto severity : {Severity::required, Severity::recommended, Severity::optional}) {
    for (const auto& set : facts.report.sets) {
      if (!contains(sets, set.id)) continue;
      for (const auto& row : set.requirements) {
        const bool goes_there =
            way.default_route ||
            std::ranges::any_of(row.probes, [&](const auto& id) { return carried.contains(id); });
        if (row.severity != severity || !goes_there) continue;
        for (const auto& rule : row.rules) {
          const bool now = rule.lifecycle == Lifecycle::current;
          if (is_whole(rule) && rule.direction == Direction::out && now) add_rule(rules, rule);
        }
      }
    }
    // What is only recommended counts where nothing is required.
    if (!rules.empty()) break;
  }
  std::ranges::stable_partition(
      rules, [](const FirewallRule& rule) { return rule.transport == Transport::udp; });
  if (!rules.empty()) return in_short(rules);
  const auto tried = tried_flows_in_words(facts, probes);
  return tried.empty() ? phrase("all traffic to {}", listed(hosts_of(probes))) : tried;
}

}  // namespace

Probes plain_http_answers(const Facts& facts) {
  return facts.probes_that([&](const ProbeResult& result) {
    return is_to_tcp_80(result) && is_direct(result) && !is_inside(result) &&
           reached(result.observation.outcome);
  });
}

bool only_plain_http_works(const Facts& facts) {
  bool any_fails = false;
  const bool other_works = facts.any_probe([&](const ProbeResult& result) {
    const auto& [probe, seen] = result;
    if (!goes_outside(result)) return false;
    any_fails |= failing(result) && facts.asked_for(result);
    const bool page = probe.check == CheckKind::http || probe.check == CheckKind::tcp;
    return reached(seen.outcome) && !(page && is_to_tcp_80(result));
  });
  return any_fails && !other_works;
}

namespace {

// Hosts of several operators that show one certificate, which is none of theirs: somebody's own
// page stands in their place. (Inspection makes a certificate for each host.)
Probes shown_one_certificate(const Facts& facts) {
  std::map<std::string, Probes> shown;  // by the certificate
  for (const auto& result : facts.report.probes) {
    const auto& seen = result.observation;
    const auto chain = chain_of(result);
    const bool wrong =
        seen.detail == DetailCode::untrusted || seen.detail == DetailCode::wrong_name;
    if (seen.outcome != Outcome::failed || !wrong || chain.empty()) continue;
    if (is_direct(result) && !is_inside(result) && !chain.front().sha256.empty())
      shown[chain.front().sha256].push_back(&result);
  }
  for (auto& [certificate, probes] : shown) {
    if (parties_of(probes).size() > 2) return std::move(probes);
  }
  return {};
}

// Nobody outside answers but those hosts: over TLS, UDP or plain HTTP.
bool no_other_answers(const Facts& facts, const Probes& known) {
  const auto hosts = hosts_of(known);
  return !facts.any_probe([&](const ProbeResult& result) {
    const bool page = is_plain_page(result) && !is_another_page(result);
    const bool told = is_udp(result) || over_tls(result) || page;
    return told && goes_outside(result) && result.observation.outcome == Outcome::answered &&
           !contains(hosts, result.probe.target.host);
  });
}

// Some hosts can be reached before signing in, and the service is not among them: most of its own
// are shut where pages lead to this computer's gateway, all of them wherever else pages lead.
bool is_outside_the_garden(const Facts& facts, bool to_gateway) {
  std::set<std::string> asked, open;
  for (const auto& result : facts.report.probes) {
    const auto& host = result.probe.target.host;
    if (!facts.asked_for(result) || !goes_outside(result) || is_to_tcp_80(result)) continue;
    asked.insert(host);
    if (reached(result.observation.outcome)) open.insert(host);
  }
  return asked.size() > 1 && 2 * open.size() < asked.size() && (open.empty() || to_gateway) &&
         !is_shut_out(facts);
}

}  // namespace

Causes find_captive_portal(const Diagnosis& context) {
  Cause cause;
  const bool only_plain_http = only_plain_http_works(context);
  std::set<std::string> operators, secure;
  bool redirected = false, to_gateway = false, service_passes = false;
  for (const auto& result : context.report.probes) {
    const auto& host = result.probe.target.host;
    // Answered by somebody else: what came instead.
    const bool known = is_another_page(result);
    if (known || (only_plain_http && leads_elsewhere(context, result))) {
      const auto elsewhere = text_of(result, EvidenceKind::http_reply, Fact::redirect_host);
      cause.tell(elsewhere.empty() ? phrase("{} returned a page that is not its own.", host)
                                   : phrase("The page of {} redirected to {}.", host, elsewhere),
                 &result);
      if (known) operators.insert(registrable_domain(host));
      // RFC 6585 section 6: Network Authentication Required.
      const bool asks = number_of(result, EvidenceKind::http_reply, Fact::status) == 511.0;
      redirected |= asks || !elsewhere.empty();
      to_gateway |= is_gateway(context.report.site, elsewhere);
    }
    const bool tls = over_tls(result) && is_direct(result);
    if (tls && !is_inside(result) && result.observation.outcome == Outcome::answered) {
      service_passes |= context.asked_for(result);
      if (!context.asked_for(result)) secure.insert(registrable_domain(host));
    }
  }
  // Whatever else its TLS does, the host itself did not answer.
  const auto in_its_place = shown_one_certificate(context);
  for (const auto& party : parties_of(in_its_place)) secure.erase(party);
  // Two operators do not change their pages on one day; one may, and moves it elsewhere at most.
  const bool redirects = operators.size() > 1 || (redirected && secure.empty());
  // Some portals redirect TLS alone, to their own certificate.
  const bool by_tls =
      !redirects && !in_its_place.empty() && no_other_answers(context, in_its_place);
  const bool outside_garden =
      redirected && !operators.empty() && is_outside_the_garden(context, to_gateway);
  const bool portal = redirects || by_tls || outside_garden;
  // Where TLS gets out to others as well, nobody has to sign in.
  if (!portal || (secure.size() > 1 && !outside_garden)) return {};
  // A site that lets the service itself out does not want a sign-in for it: a web filter keeps its
  // page for others. But part of a service may be in a portal's walled garden, if all else shows
  // the portal's own certificate.
  const bool in_garden =
      operators.size() > 1 && redirected && secure.empty() && !in_its_place.empty();
  if (service_passes && !in_garden && !outside_garden) return {};
  // What is let out without signing in may be in the portal's walled garden.
  const bool shut = operators.size() > 1 && secure.empty() && !service_passes;
  cause.name(FindingCode::network_captive_portal, shut ? certain : likely);
  cause.title = phrase("This network requires you to sign in first (captive portal)");
  cause.fix = phrase(
      "Open a web browser here, go to http://neverssl.com, sign in or accept the terms, and run "
      "this again. Phones and room devices cannot sign in: ask the network team to exempt them.");
  cause.explained = lost_probes(context);
  cause.contradicted = plain_http_answers(context);
  if ((service_passes && in_garden) || by_tls) {
    cause.tell(
        phrase("{} hosts of several operators show the same certificate, which is not theirs.",
               hosts_of(in_its_place).size()),
        in_its_place.front());
  }
  if (!service_passes) cause.closes = Closes::direct;
  return {cause};
}

// One page in the place of others', although all else gets out: an advertisement, a notice about
// the line, a web filter that knows no TLS. What plain TCP 80 connects to is that device.
Causes find_redirected_pages(const Diagnosis& context) {
  // A server for STUN over TCP 80 answers in HTTP.
  const auto speaks_http = [](const ProbeResult& result) {
    return result.probe.target.port() == 80 && is_direct(result) &&
           text_of(result, EvidenceKind::stun_stray, Fact::what).starts_with("HTTP/");
  };
  Cause cause;
  std::set<std::string> operators, places;
  for (const auto& result : context.report.probes) {
    if (speaks_http(result)) {
      if (operators.insert(registrable_domain(result.probe.target.host)).second)
        cause.tell(what_it_saw(result));
    }
    const auto place = text_of(result, EvidenceKind::http_reply, Fact::redirect_host);
    if (!is_another_page(result) || place.empty()) continue;
    operators.insert(registrable_domain(result.probe.target.host));
    places.insert(place);
    cause.tell(phrase("The page of {} redirected to {}.", result.probe.target.host, place),
               &result);
  }
  const bool one_place = operators.size() > 1 && places.size() == 1;
  // Servers that speak STUN elsewhere have no web server on TCP 80, each of them.
  const auto web = context.probes_that(speaks_http);
  const bool relays = hosts_of(web).size() > 1 && std::ranges::all_of(web, [&](const auto* one) {
                        return context.any_probe([&](const ProbeResult& other) {
                          return other.probe.check == one->probe.check && is_direct(other) &&
                                 other.probe.target.host == one->probe.target.host &&
                                 reached(other.observation.outcome);
                        });
                      });
  // In place of everything else, too: a portal's, which it may have become during the test.
  if ((!one_place && !relays) || is_shut_out(context) || !find_captive_portal(context).empty())
    return {};
  cause.name(FindingCode::network_http_redirected, likely);
  cause.title = phrase("A device answers plain HTTP (TCP 80) in place of the servers");
  cause.fix =
      one_place ? phrase(
                      "Find out who runs {}, where pages are redirected to: the Internet "
                      "provider (a bill, a quota), or a web filter of this site. Have TCP 80 "
                      "to the service's hosts exempted.",
                      *places.begin())
                : phrase(
                      "Find the web cache, web filter or mobile operator's device that treats "
                      "everything on TCP 80 as web pages, and have the service's hosts exempted.");
  cause.contradicted = plain_http_answers(context);
  cause.explained = context.probes_that([&](const ProbeResult& result) {
    return is_to_tcp_80(result) && is_direct(result) &&
           result.observation.outcome == Outcome::failed && !context.explained(result);
  });
  return {cause};
}

std::optional<SplitPaths> split_paths(const Facts& facts) {
  SplitPaths split;
  std::set<IpAddress> by_udp, by_tcp;
  for (const auto& result : facts.report.probes) {
    if (!is_direct(result) || is_inside(result)) continue;
    const auto address =
        IpAddress::parse(text_of(result, EvidenceKind::mapped_address, Fact::address));
    if (!address || !address->is_v4() || address->is_special()) continue;
    const bool udp = is_udp(result);
    (udp ? by_udp : by_tcp).insert(*address);
    (udp ? split.udp : split.tcp).push_back(&result);
  }
  if (by_udp.size() != 1 || by_tcp.size() != 1 || by_udp == by_tcp) return std::nullopt;
  split.udp_address = *by_udp.begin();
  split.tcp_address = *by_tcp.begin();
  return split;
}

Causes find_split_paths(const Diagnosis& context) {
  const auto split = split_paths(context);
  if (!split || split->udp.size() < enough || split->tcp.size() < enough) return {};
  std::string server;
  for (const auto* result : split->tcp) {
    const auto& host = result->probe.target.host;
    const bool by_tcp = those_to(host, split->tcp).size() >= enough_there;
    if (by_tcp && those_to(host, split->udp).size() >= enough_there) server = host;
  }
  if (server.empty()) return {};
  Cause cause;
  cause.name(FindingCode::network_split_paths, likely);
  cause.title = phrase("TCP leaves this site from a different public address than UDP");
  cause.fix = phrase(
      "If calls work and this is intended, change nothing. Otherwise, find out what sends TCP a "
      "different way: a proxy or a cloud security service, a tunnel, a second line. Exempt the "
      "service's hosts from it if calls cannot be joined, or if media goes through a distant "
      "region.");
  const auto tell = [&](std::string_view by, const IpAddress& address, const Probes& seen) {
    const auto there = those_to(server, seen);
    cause.tell(
        phrase("{} sees this site as {} over {} (asked {} times){}.", server, address, by,
               there.size(), there.size() < seen.size() ? phrase("; so do all others asked") : ""),
        there.front());
  };
  tell("UDP", split->udp_address, split->udp);
  tell("TCP", split->tcp_address, split->tcp);
  for (const auto& agent : context.report.site.agents) {
    cause.tell(phrase("{} runs here ({}); it is not known whether it is the cause.", agent.name,
                      agent.seen));
  }
  cause.tell(
      phrase("By itself, this breaks nothing: media uses UDP, and web pages and sign-in use TCP."));
  return {cause};
}

Causes find_full_tunnel(const Diagnosis& context) {
  const auto* link = own_link(context);
  if (link == nullptr) return {};
  // The hosts that the sets ask for, and that are not on the company's own networks: those belong
  // in its tunnel.
  const auto outside = hosts_of(context.probes_that([&](const ProbeResult& result) {
    const bool tried = is_direct(result) && result.observation.address;
    return tried && context.asked_for(result) && !is_inside(result);
  }));
  Causes causes;
  for (const auto& way : context.report.site.ways) {
    auto hosts = way.hosts;
    std::erase_if(hosts, [&](const std::string& host) { return !contains(outside, host); });
    if (!way.tunnel || hosts.empty() || is_transition_link(context, way.interface)) continue;
    const auto probes = context.probes_that([&](const ProbeResult& result) {
      return contains(hosts, result.probe.target.host) && is_direct(result);
    });
    auto& cause = causes.emplace_back();
    // The route is a fact. Over PPP it may lead to an access line (PPPoE) besides the cable's own
    // addresses, and not to a VPN.
    const bool access_line = way.interface.starts_with("ppp");
    cause.name(FindingCode::network_vpn_full_tunnel, access_line ? likely : certain);
    const bool split = std::ranges::any_of(context.report.site.ways, [&](const EgressPath& other) {
      return &other != &way && std::ranges::any_of(other.hosts, [&](const std::string& host) {
        return contains(outside, host);
      });
    });
    const bool whole = way.default_route ? !split : hosts.size() == outside.size();
    cause.title = !whole ? phrase("A VPN ({}) carries part of the service's traffic", way.interface)
                  : way.default_route
                      ? phrase("A VPN ({}) carries all traffic, including calls", way.interface)
                      : phrase("A VPN ({}) carries the service's traffic", way.interface);
    const auto advice = advice_in_words(context, probes, {"vpn", "tunnel"});
    cause.fix = phrase(
        "Exclude the service from the tunnel in the VPN's settings (split tunnel): {}.{}{} To "
        "compare both paths: callready check ... --interface {} --interface {}.",
        service_in_words(context, way, probes), commands_for_the_list(context, probes), advice,
        link->name, way.interface);
    cause.tell(phrase("Traffic to {} goes over {}, although {} is connected, too.", listed(hosts),
                      way.interface, link->name));
    if (way.default_route && whole)
      cause.tell(phrase("So does all other traffic (default route over {}).", way.interface));
  }
  return causes;
}

}  // namespace callready::findings
