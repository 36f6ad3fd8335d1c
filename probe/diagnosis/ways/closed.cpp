// What a firewall closes on the way, in words: TCP and UDP ports, media ranges, destinations, and
// what is left over, flow by flow. Worlds decide (claims.hpp).
#include <algorithm>
#include <map>

#include "probe/diagnosis/ways/claims.hpp"
#include "probe/model/describe.hpp"

namespace callready::findings {
namespace {

Text transport(bool udp) { return udp ? "UDP" : "TCP"; }

// A span of ports none of which was seen to get out; over UDP, as far as they were sampled.
struct Span {
  PortRange ports;
  std::set<std::uint16_t> open;  // the nearest ports that get out

  Text bounds() const {
    if (open.empty()) return phrase("Every UDP port that was tried is blocked.");
    if (ports.single()) return phrase("UDP {} is blocked; open: {}.", ports.first, listed(open));
    return phrase("Every UDP port sampled from {} to {} is blocked; open: {}.", ports.first,
                  ports.last, listed(open));
  }

  // Where it ends, a range of these probes ends, too, or the next port gets out.
  bool has_known_ends(const Probes& probes) const {
    const auto known = [&](auto end, int beyond) {
      return contains(open, beyond) || std::ranges::any_of(probes, [&](const ProbeResult* result) {
               const auto& range = result->probe.target.ports;
               return !range.single() && range.*end == ports.*end;
             });
    };
    return known(&PortRange::first, ports.first - 1) && known(&PortRange::last, ports.last + 1);
  }
};

std::vector<Span> spans_of(const Facts& facts, const std::vector<const Flow*>& closed) {
  std::map<std::uint16_t, bool> ports;  // whether they get out
  for (const auto* flow : udp_flows(facts)) {
    if (out(*flow)) ports[flow->port] = true;
  }
  for (const auto* flow : closed) ports[flow->port] = false;
  std::vector<Span> spans;
  std::set<std::uint16_t> open;  // the last that gets out
  bool within = false;
  for (const auto& [port, gets_out] : ports) {
    if (gets_out) {
      open = {port};
      if (within) spans.back().open.insert(port);
    } else {
      if (!within) spans.push_back({{port, port}, open});
      spans.back().ports.last = port;
    }
    within = !gets_out;
  }
  return spans;
}

// The first that gets out, preferring the given host: the control that gives the others a meaning.
std::optional<FindingEvidence> control_for(const Facts& facts, const std::string& host) {
  // Not from a range that fails in part, if there is another; from that host rather than others.
  const auto rank = [&](const FlowSample& sample) {
    return std::pair(failing(*sample.result), sample.result->probe.target.host != host);
  };
  const FlowSample* best = nullptr;
  for (const auto* flow : udp_flows(facts)) {
    for (const auto& sample : flow->samples) {
      if (gets_out(sample.way) && (best == nullptr || rank(sample) < rank(*best))) best = &sample;
    }
  }
  if (best == nullptr) return std::nullopt;
  const auto [probe, text] = what_it_saw(*best);
  return FindingEvidence{probe, phrase("For comparison: {}", text)};
}

// "Port 443 of that host is reachable": the contrast that shows a closed port on a living host.
std::optional<FindingEvidence> reachable_port_of_same_host(const Facts& facts, const Flow& dead) {
  const auto others = facts.select(
      [&](const Flow& flow) { return flow.host == dead.host && flow.udp == dead.udp; });
  // Not one that was refused: that may be somebody else's word.
  const auto* reached = first_sample(others, [](const FlowSample& sample) {
    return sample.way == Reachability::open && !failing(*sample.result);
  });
  if (reached == nullptr) return std::nullopt;
  return FindingEvidence{reached->result->probe.id,
                         phrase("Port {} of {} is reachable.", reached->port, dead.host)};
}

// Three ports in a row or more as one range.
std::vector<PortRange> in_runs(const std::set<std::uint16_t>& ports) {
  std::vector<PortRange> runs, found;
  for (const auto port : ports) {
    const bool follows = !runs.empty() && runs.back().last + 1 == port;
    if (follows) runs.back().last = port;
    if (!follows) runs.push_back({port, port});
  }
  for (const auto& run : runs) {
    if (run.count() == 2) found.push_back({run.first, run.first});
    found.push_back(run.count() == 2 ? PortRange{run.last, run.last} : run);
  }
  return found;
}

// "TCP 443 and UDP 3478 to a and b": exactly these, unlike what their rows ask for; where that is
// too long for a title, "UDP 3478 to 12 hosts" or "10 ports of a and 2 other hosts". And how many
// they are, for the verb.
std::pair<Text, std::size_t> flows_in_subject(const std::vector<const Flow*>& flows) {
  using Ports = std::map<std::string_view, std::set<std::uint16_t>>;  // by transport
  std::vector<std::string> hosts;                                     // in order
  std::map<std::string, Ports> ports_of;
  for (const auto* flow : flows) {
    if (!ports_of.contains(flow->host)) hosts.push_back(flow->host);
    ports_of[flow->host][flow->udp ? "UDP" : "TCP"].insert(flow->port);
  }
  constexpr std::size_t most_ports = 2;  // of one host, or runs of them, and how many more
  Text text;
  std::size_t subjects = 0;
  const auto its_ports = [&](const std::string& host) -> const Ports& { return ports_of.at(host); };
  for (const auto& alike : grouped(hosts, its_ports)) {
    std::vector<Text> rules;
    for (const auto& [protocol, numbers] : its_ports(alike.front()))
      rules.push_back(phrase("{} {}", protocol, listed(in_runs(numbers), most_ports)));
    const auto more = phrase("{} to {}", listed(rules), listed(alike));
    text = text.empty() ? more : phrase("{} and {}", text, more);
    subjects += rules.size();
  }
  constexpr std::ptrdiff_t most_spaces = 8;  // the title goes on
  if (std::ranges::count(text.string(), ' ') <= most_spaces) return {text, subjects};
  Ports carriers;
  for (const auto* flow : flows) carriers[flow->udp ? "UDP" : "TCP"].insert(flow->port);
  const auto& [protocol, numbers] = *carriers.begin();
  const auto runs = in_runs(numbers);
  if (carriers.size() == 1 && runs.size() <= most_ports)
    return {phrase("{} {} to {} hosts", protocol, listed(runs), hosts.size()), 1};
  const auto where = hosts.size() == 1 ? Text(hosts.front())
                                       : plural(hosts.size() - 1, "{1} and {0} other host",
                                                "{1} and {0} other hosts", hosts.front());
  if (carriers.size() == 1)
    return {phrase("{} {} ports of {}", numbers.size(), protocol, where), numbers.size()};
  const auto all = numbers.size() + carriers.rbegin()->second.size();
  return {phrase("{} ports of {}", all, where), all};
}

// For flows that are lost beyond the site, every sample, in order: how far packets got is evidence,
// too.
std::vector<FindingEvidence> evidence_for_claim(const Facts& facts, const Claim& claim,
                                                std::size_t most) {
  if (!claim.beyond) return evidence_for(facts, claim.flows, most);
  std::vector<FindingEvidence> all;
  for (const auto* flow : claim.flows) {
    for (const auto& sample : flow->samples) {
      if (all.size() < most) all.push_back(what_it_saw(sample));
    }
  }
  return all;
}

// The answer to a connection, if others of the flow were blocked later in the run. Null: there is
// no such answer.
const ProbeResult* answered_at_first(const Flow& flow) {
  const ProbeResult* before = nullptr;
  for (const auto& sample : flow.samples) {
    const auto& seen = sample.result->observation;
    if (sample.way == Reachability::open && seen.outcome == Outcome::answered)
      before = sample.result;
  }
  const bool later = before != nullptr && any_sample(flow, [&](const FlowSample& sample) {
                       return sample.way == Reachability::blocked &&
                              sample.result->observation.sent_at > before->observation.sent_at;
                     });
  return later && !flow.udp ? before : nullptr;
}

// The way by which this computer's own routes send packets to all of these hosts: into a VPN's
// tunnel, of which this site's firewall sees nothing, or to a router that is no default gateway.
// Null: the usual one, and a tunnel for everything that they were seen to leave at its far end.
const EgressPath* way_of_their_own(const Facts& facts, const Claim& claim) {
  const auto& site = facts.report.site;
  const auto hosts = hosts_of(claim.probes);
  const auto* way = way_to_all(site, hosts);
  if (way == nullptr) return nullptr;
  if (way->tunnel) return way->default_route && claim.beyond ? nullptr : vpn_to_all(facts, hosts);
  if (site.gateways.empty()) return nullptr;
  const bool by_default = std::ranges::any_of(
      site.gateways, [&](const auto& gateway) { return gateway.address == way->gateway; });
  return by_default || !way->gateway ? nullptr : way;
}

void say_own_way(const Diagnosis& context, const Claim& claim, const EgressPath& way,
                 Cause& cause) {
  const auto hosts = listed(hosts_of(claim.probes));
  // How far other packets got by another way shows nothing about this one.
  if (way.tunnel ? !way.default_route : claim.is_destination())
    cause.confidence = std::max(cause.confidence, likely);
  if (way.tunnel) {
    cause.owner = Owner::vpn;
    cause.fix = phrase(
        "This computer sends packets for {0} into the VPN ({1}). Have those who run it let this "
        "traffic through, or keep it out of the tunnel: {2}. This site's firewall sees nothing of "
        "it.{3}",
        hosts, way.interface, flows_in_words(context, claim.probes),
        where_the_list_is(context, claim.probes));
    return;
  }
  if (!claim.is_destination()) return;  // a route is not about ports
  cause.owner = Owner::helpdesk;
  cause.fix = phrase(
      "This computer sends packets for {} to the router {}, which is not its default gateway. "
      "If that route is left over (from a VPN, a test or an earlier network), delete it; \"route "
      "print\" (Windows) or \"netstat -rn\" shows it. If it is meant to be there, check that "
      "router.",
      hosts, *way.gateway);
}

// For what was seen to leave the site. Unless it was seen to die further out, replies may be lost:
// a firewall also drops those to packets that it did not see leave (asymmetric routes).
Text ask_the_provider(const Diagnosis& context, const Claim& claim, Cause& cause) {
  const auto asked = asked_flows(context, cause);
  return claim.blocked
             ? phrase(
                   "Ask the Internet provider to allow this traffic (and return traffic): {}. "
                   "This site lets it out.",
                   asked)
             : phrase(
                   "Check the firewall's log for dropped replies. If there are none, ask the "
                   "Internet provider to allow this traffic (and return traffic): {}.",
                   asked);
}

// `way`: as of way_of_their_own.
void say_ports(const Diagnosis& context, const Claim& claim, const EgressPath* way, Cause& cause) {
  const bool range = claim.is_range();
  const auto numbers = set_of(claim.flows, &Flow::port);
  const auto spans = range ? spans_of(context, claim.flows) : std::vector<Span>();
  const auto parts = listed(spans | std::views::transform(&Span::ports));
  const bool exact = std::ranges::all_of(
      spans, [&](const Span& span) { return span.has_known_ends(claim.probes); });
  const bool one_port = numbers.size() == 1;
  const auto ports = !range              ? named_ports(numbers)
                     : one_port && exact ? phrase("port {}", parts)
                     : one_port          ? phrase("ports around {}", parts)
                     : exact             ? phrase("ports {}", parts)
                                         : phrase("roughly ports {}", parts);
  const auto hosts = hosts_of(claim.probes);
  const auto what = transport(claim.udp());
  if (way != nullptr && way->tunnel) {
    cause.title = phrase("The VPN blocks {} to {}", what, ports);
  } else if (claim.beyond) {
    cause.owner = Owner::provider;
    cause.title =
        claim.blocked
            ? phrase("{} to {} is lost beyond this site, whatever the destination", what, ports)
            : phrase("{} to {}: packets leave this site, and nothing comes back", what, ports);
    cause.fix = ask_the_provider(context, claim, cause);
    cause.fix += where_the_list_is(context, claim.probes);
  } else {
    cause.title =
        claim.by_hosts && hosts.size() == 1 && spans.size() < 2
            ? phrase("The firewall blocks outgoing {} to {} of {}", what, ports, hosts.front())
            : phrase("The firewall blocks outgoing {} to {}", what, ports);
    const auto asked = asked_flows(context, cause);
    cause.fix = range && !one_port
                    ? phrase("Allow outgoing UDP (and return traffic) {} to the whole range: {}.",
                             from_users(context), asked)
                    : phrase("Allow outgoing {} (and return traffic) {}: {}.", what,
                             from_users(context), asked);
    cause.fix += ask_the_device(context, device_of(claim.flows));
    cause.fix += where_the_list_is(context, claim.probes);
  }
  cause.evidence = evidence_for_claim(context, claim, range ? 6 : 8);
  for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
    const auto* within = first_sample(
        claim.flows, [&](const FlowSample& sample) { return span->ports.contains(sample.port); });
    cause.contrast({within->result->probe.id, span->bounds()});
  }
  const auto control = claim.udp() ? control_for(context, claim.flows.front()->host)
                                   : reachable_port_of_same_host(context, *claim.flows.front());
  if (control && !range) cause.contrast(*control);
  if (control && range) cause.tell(*control);
  if (claim.udp()) return;
  for (const auto& flow : context.flows) {
    const auto* before = numbers.contains(flow.port) ? answered_at_first(flow) : nullptr;
    if (before == nullptr) continue;
    // A rule hardly comes into force within the same seconds.
    cause.confidence = possible;
    cause.tell(phrase("{} answered earlier in this run.", endpoint_in_words(before->probe.target)),
               before);
    return;
  }
  const auto networks = set_of(claim.flows, &Flow::network).size();
  cause.tell(networks > 1
                 ? phrase("No connection to {} succeeded, in any of {} networks.", ports, networks)
                 : phrase("No connection to {} succeeded.", ports));
}

// The device on the way that refuses them, or says that it knows no way there; empty: nobody spoke.
std::string who_turns_away(const std::vector<const Flow*>& flows) {
  if (auto device = device_of(flows); !device.empty()) return device;
  const auto* lost = first_sample(flows, &FlowSample::no_way);
  if (lost == nullptr) return {};
  const auto& address = lost->result->observation.address;
  auto router = text_of(*lost->result, EvidenceKind::icmp_error, Fact::sender);
  return address && is_beside(router, address->to_string()) ? std::string() : router;
}

// Of each of these hosts, a router says that it knows no way there, and nobody refuses: no rule
// closes them.
bool lack_a_route(const std::vector<const Flow*>& flows) {
  std::map<std::string, bool> said;
  for (const auto* flow : flows) {
    said[flow->host] |= any_sample(*flow, &FlowSample::no_way);
    const bool refused = any_sample(
        *flow, [](const FlowSample& sample) { return sample.turned_away() && !sample.no_way; });
    if (refused) return false;
  }
  return std::ranges::all_of(said, [](const auto& entry) { return entry.second; });
}

void say_destinations(const Diagnosis& context, const Claim& claim, Cause& cause) {
  const auto hosts = hosts_of(claim.probes);
  const auto device = who_turns_away(claim.flows);
  const bool proved = claim.blocked || !device.empty();
  const auto tried = in_runs(set_of(claim.flows, &Flow::port));
  const Text what = !claim.udp() ? phrase("No TCP connection") : phrase("Nothing");
  cause.title = !proved ? phrase("Nothing comes back from {}", listed(hosts))
                : !claim.tcp()
                    ? phrase("No UDP gets through to {} (tried: {})", listed(hosts), listed(tried))
                    : phrase("{} gets through to {}", what, listed(hosts));
  cause.fix = phrase(
      "Remove the block on the firewall or web filter (by address, name, country or category), and "
      "allow this traffic (and return traffic) {}: {}.{}{}",
      from_users(context), flows_in_words(context, claim.probes),
      proved ? ask_the_device(context, device)
             : phrase(" If the firewall's log shows that the packets leave, ask the servers' "
                      "operator whether they are up."),
      where_the_list_is(context, claim.probes));
  if (may_be_the_providers(context, device)) cause.owner = Owner::provider;
  if (!device.empty() && lack_a_route(claim.flows)) {
    if (cause.owner != Owner::provider) cause.owner = Owner::lan;
    cause.title = phrase("The router {} has no route to {}", device, listed(hosts));
    cause.fix = phrase(
        "Check the routing table of {}: a static route, a VPN's network or another network of this "
        "site may have taken the place of these addresses, or a route is missing. Afterwards this "
        "traffic has to pass: {}.{}{}",
        device, flows_in_words(context, claim.probes),
        may_be_the_providers(context, device)
            ? phrase(" If that router is not yours, it is the Internet provider's.")
            : Text(),
        where_the_list_is(context, claim.probes));
  }
  cause.evidence = evidence_for(context, claim.flows, 8);
  auto elsewhere = context.select([&](const Flow& flow) {
    return out(flow) && std::ranges::any_of(claim.flows, [&](const Flow* shut) {
             return shut->udp == flow.udp && shut->port == flow.port && shut->host != flow.host;
           });
  });
  if (elsewhere.empty()) return;
  const auto unheard = [](const Flow* flow) { return !heard(*flow); };
  const bool only_left = std::ranges::all_of(elsewhere, unheard);
  if (!only_left) std::erase_if(elsewhere, unheard);
  const auto ports = set_of(elsewhere, &Flow::port);
  const auto list = listed(ports, 8);
  cause.contrast(
      {"",
       only_left
           ? plural(ports.size(), "Packets to the same port ({1}) of other hosts leave the site.",
                    "Packets to the same ports ({1}) of other hosts leave the site.", list)
           : plural(ports.size(), "The same port ({1}) of other hosts is reachable.",
                    "The same ports ({1}) of other hosts are reachable.", list)});
}

// The operator of all these flows, if they are to all of its servers that were tried, at least two,
// and none of them was heard; otherwise empty.
std::string silent_operator(const Facts& facts, const Claim& claim) {
  const auto& party = claim.flows.front()->party;
  const auto hosts = set_of(claim.flows, &Flow::host);
  const bool one_party = set_of(claim.flows, &Flow::party).size() == 1;
  const bool others = std::ranges::any_of(facts.flows, [&](const Flow& flow) {
    return flow.party == party && (heard(flow) || !hosts.contains(flow.host));
  });
  return one_party && !others && hosts.size() > 1 && is_name(party) ? party : std::string();
}

// Servers that answer something else, over TCP say.
bool are_several_that_answer(const Facts& facts, const Claim& claim) {
  const auto hosts = set_of(claim.flows, &Flow::host);
  return hosts.size() > 1 && std::ranges::all_of(hosts, [&](const std::string& host) {
           return std::ranges::any_of(
               facts.flows, [&](const Flow& flow) { return flow.host == host && heard(flow); });
         });
}

// Other addresses that sent the answers, where that happened to all of these.
std::vector<std::string> answered_from(const Probes& lost) {
  std::vector<std::string> places;
  for (const auto* result : lost) {
    const auto* stray = evidence_of(*result, EvidenceKind::stun_stray);
    if (stray == nullptr || detail_fact(*stray, Fact::reason) != DetailCode::wrong_source)
      return {};
    add_once(places, text_fact(*stray, Fact::from));
  }
  return places;
}

void say_flows(const Diagnosis& context, const Claim& claim, Cause& cause) {
  const auto [subject, subjects] = flows_in_subject(claim.flows);
  const bool several = subjects > 1;
  const bool several_owners = set_of(claim.flows, &Flow::party).size() > 1;
  if (const auto places = answered_from(claim.probes); !places.empty()) {
    cause.owner = Owner::vendor;
    cause.title = phrase("{}: replies come from a different address than the one queried", subject);
    cause.fix = phrase(
        "Ask the operator of {} to have its servers answer from the address that was asked (a load "
        "balancer may be in front of them). Clients, NAT and firewalls drop such answers.",
        listed(hosts_of(claim.probes)));
    const bool inside = std::ranges::any_of(places, [](const std::string& place) {
      const auto address = IpAddress::parse(without_port(place));
      return address && address->is_private();
    });
    if (inside) {
      cause.owner = Owner::network;
      cause.fix = phrase(
          "Have the NAT on this site's router translate the replies as well (hairpin NAT): servers "
          "inside answer this computer directly, and it drops such replies.");
    }
    cause.tell(phrase("Answers came from {}.", listed(places)));
  } else if (claim.beyond && !claim.blocked &&
             (several_owners || are_several_that_answer(context, claim))) {
    // They are hardly down together: what is lost may be the replies.
    cause.title = phrase("{}: packets leave this site, and nothing comes back", subject);
    cause.fix = ask_the_provider(context, claim, cause);
  } else if (claim.beyond) {
    const auto hosts = hosts_of(claim.probes);
    cause.owner = claim.blocked ? Owner::provider : Owner::vendor;
    const auto silent = silent_operator(context, claim);
    cause.title =
        !silent.empty() && !claim.blocked
            ? phrase("All tested servers of {} are down, or blocked beyond this site", silent)
        : several ? phrase("{} are lost beyond this site", subject)
                  : phrase("{} is lost beyond this site", subject);
    // What dies on the way says nothing about the servers.
    cause.fix =
        claim.blocked
            ? ask_the_provider(context, claim, cause)
            : phrase(
                  "Ask the operator of {} whether {}. If so, ask the Internet provider to allow "
                  "this traffic (and return traffic): {}. This site lets it out.",
                  listed(hosts),
                  hosts.size() == 1 ? phrase("the server is up") : phrase("the servers are up"),
                  asked_flows(context, cause));
  } else {
    const bool refused = std::ranges::all_of(claim.probes, [](const ProbeResult* result) {
      return result->observation.outcome == Outcome::refused;
    });
    cause.title =
        claim.blocked ? several ? phrase("{} do not get through", subject)
                                : phrase("{} does not get through", subject)
        : refused ? several ? phrase("{} are refused", subject) : phrase("{} is refused", subject)
        : several ? phrase("{} are not answered", subject)
                  : phrase("{} is not answered", subject);
    cause.fix = phrase(
        "Look in the firewall's log for dropped packets from this computer, and allow this traffic "
        "(and return traffic) {}: {}.{}",
        from_users(context), asked_flows(context, cause),
        claim.blocked ? ask_the_device(context, device_of(claim.flows))
                      : phrase(" If the log shows that the packets leave, ask the server's "
                               "operator whether it is up."));
  }
  cause.evidence = evidence_for_claim(context, claim, 6);
  if (const auto alive = reachable_port_of_same_host(context, *claim.flows.front()))
    cause.tell(*alive);
}

void add(const Facts& facts, std::vector<Claim>& all, Claim claim) {
  auto* same = first_that(all, [&](const Claim& one) { return one.goes_with(claim); });
  if (same == nullptr) {
    all.push_back(std::move(claim));
    return;
  }
  same->add(claim);
  // A range is one rule: if a device refused one of its ports, it closes all of it.
  if (claim.is_range()) same->weigh(facts);
}

// Somebody misses it, so it is reported although it is weak.
bool is_missed(const Diagnosis& context, const Claim& claim) {
  return context.breaks_capability(claim.probes) ||
         (claim.beyond && context.fails_required_row(claim.probes));
}

Causes causes_of(const Diagnosis& context, const std::vector<Claim>& all) {
  Causes causes;
  for (const auto& claim : all) {
    const bool only_silent = claim.is_weak() && !claim.blocked;
    if (only_silent && !is_missed(context, claim)) continue;
    auto& cause = causes.emplace_back(claim.probes);
    cause.contradicted = claim.unseen;
    cause.name(claim.code, claim.confidence);
    const auto* way = way_of_their_own(context, claim);
    if (claim.is_destination()) {
      say_destinations(context, claim, cause);
    } else if (claim.is_of_ports()) {
      say_ports(context, claim, way, cause);
    } else {
      say_flows(context, claim, cause);
    }
    // What is only silent may be the server's doing.
    const bool closed = claim.blocked || claim.is_destination() || claim.is_of_ports();
    if (way != nullptr && closed) say_own_way(context, claim, *way, cause);
  }
  return causes;
}

}  // namespace

Causes find_closed(const Diagnosis& context) {
  std::vector<Claim> found, all;
  std::set<std::string> proved;  // operators with a destination that is seen to be blocked
  for (const auto& closed : closed_flows(context)) {
    auto claim = claim_of(context, closed);
    // A row needs it, not only questions of our own.
    const bool matters = context.affects_requirement(claim.probes) ||
                         (claim.is_range() && context.any_asked_for(claim.unseen));
    if (!matters) continue;
    if (claim.is_destination() && claim.blocked) proved.insert(claim.flows.front()->party);
    found.push_back(std::move(claim));
  }
  for (auto& claim : found) {
    // Their other hosts that are silent are blocked as well, rather than down.
    if (claim.is_destination() && proved.contains(claim.flows.front()->party)) {
      claim.blocked = true;
      claim.weigh(context);
    }
    add(context, all, std::move(claim));
  }
  return causes_of(context, all);
}

// Over UDP, silence counts only for servers that answer everybody.
Causes find_flows(const Diagnosis& context) {
  std::vector<Claim> all;
  for (const auto& flow : context.flows) {
    const bool missed = (flow.way == Reachability::lost || flow.way == Reachability::left) &&
                        any_sample(flow, went_unanswered);
    if (flow.way != Reachability::blocked && !missed) continue;
    const auto open = context.open_probes(flow);
    const bool by_chance = missed && context.line_loses() && times_lost(flow) < 3;
    if (by_chance || !context.affects_requirement(open)) continue;  // see find_loss
    auto claim = claim_of(context, flow);
    claim.probes = open;
    if (!missed || is_missed(context, claim)) add(context, all, std::move(claim));
  }
  return causes_of(context, all);
}

}  // namespace callready::findings
