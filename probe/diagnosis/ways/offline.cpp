// No way out at all. First, is this computer connected? Judged by what its system says about its
// links, addresses, routes and gateways, before looking at anything that was sent. Then the line
// behind it.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"
#include "probe/model/canary.hpp"

namespace callready::findings {
namespace {

Text in_words(const LinkInfo& link) {
  const bool wireless = link.wireless.value_or(false);
  if (link.state == LinkState::disabled) return phrase("{} is switched off.", link.name);
  return wireless ? phrase("{} has not joined a Wi-Fi network.", link.name)
                  : phrase("{} has no signal: no cable, or no device at its other end.", link.name);
}

// Of the first packets that have no way: fewer than this may be a vendor's own trouble.
constexpr std::size_t enough_endpoints = 3;
// Operators whose silence, each by itself, would say nothing.
constexpr std::size_t enough_mute = 4;

// Somebody answers at the proxy's address, if only to refuse: it is the proxy that is gone. Or this
// computer asks nobody there.
bool proxy_is_gone(const ProbeResult& result) {
  const auto& seen = result.observation;
  if (is_direct(result)) return false;
  const bool refused =
      seen.outcome == Outcome::refused && seen.detail == DetailCode::proxy_unreachable;
  return refused || seen.detail == DetailCode::not_a_proxy ||
         seen.detail == DetailCode::proxy_without_tls ||
         seen.detail == DetailCode::proxy_timed_out || seen.detail == DetailCode::kept_here;
}

bool was_looked_up(const ProbeResult& result) {
  return is_name(result.probe.target.host) && result.observation.address.has_value();
}

// What became of all that was sent out, if nothing comes back.
struct Outside {
  std::set<std::string> parties;                      // who should answer
  std::set<std::string> mute;                         // these, and who may answer clients only
  std::set<std::pair<bool, std::uint16_t>> services;  // that nobody answers: by transport and port
  std::size_t silent = 0, silent_resolvers = 0, without_route = 0, tried = 0;
  bool control = false;          // public servers were asked
  bool own = false;              // a server of the vendor's that should answer was asked
  bool own_not_refused = false;  // and nobody turned those packets away
  bool answers_all = false;      // one of those asked answers everybody
  bool looked_up = false;        // names are found
  bool names_fail = false;       // the site's name server answers, and finds nothing
  std::string device;            // that turns packets away
  // Routers that know no way for packets, each with those that it said so about.
  std::map<std::string, std::set<std::string>> lost_routers;
  std::string proxy;  // that does not answer either
  void add_silent(const Flow& flow) {
    ++silent;
    parties.insert(flow.party);
    services.insert({flow.udp, flow.port});
  }
};

// False where it got out, or somebody out there said no.
bool note(const Flow& flow, const std::set<std::string>& asked_for, Outside& outside) {
  for (const auto& sample : flow.samples) {
    const auto* said = evidence_of(*sample.result, EvidenceKind::icmp_error);
    const auto router = said != nullptr ? text_fact(*said, Fact::sender) : sample.by;
    if (sample.no_way && !router.empty()) outside.lost_routers[router].insert(flow.party);
  }
  // Many networks that let nothing else out allow look-ups, with any server.
  const bool only_names = std::ranges::all_of(flow.samples, [](const FlowSample& sample) {
    return sample.result->probe.check == CheckKind::dns;
  });
  if (only_names) {
    if (any_sample(flow, &FlowSample::no_way)) {
      outside.add_silent(flow);
    } else if (flow.way == Reachability::lost) {
      ++outside.silent_resolvers;
    }
    return true;
  }
  if (out(flow) || flow.way == Reachability::refused) return false;
  const bool vendors = asked_for.contains(flow.host);
  const bool answers_all = any_sample(flow, &FlowSample::responder);
  outside.answers_all |= answers_all;
  if (flow.way == Reachability::blocked || answers_all) {
    outside.add_silent(flow);
    outside.own |= vendors;
  }
  outside.own_not_refused |= vendors && flow.way != Reachability::blocked;
  outside.mute.insert(flow.party);
  for (const auto& sample : flow.samples) {
    // The vendor's may be asked again by the second round.
    outside.control |= sample.result->probe.control() && !vendors;
    if (!sample.by.empty() && !sample.no_way) outside.device = sample.by;
  }
  return true;
}

bool note(const ProbeResult& result, Outside& outside) {
  if (is_inside(result)) return true;
  if (result.probe.check == CheckKind::dns && reached(result.observation.outcome)) {
    outside.looked_up = true;
    return true;
  }
  if (asks_for_canary(result.probe)) return true;
  if (reached(result.observation.outcome) || proxy_is_gone(result)) return false;
  if (!is_direct(result)) outside.proxy = result.probe.target.route.proxy;
  if (has_no_route(result)) ++outside.without_route;
  outside.looked_up |= was_looked_up(result);
  outside.names_fail |= result.observation.detail == DetailCode::dns_failed;
  // Without a route, no name server can be asked either.
  if (failing(result) && result.observation.detail != DetailCode::dns_unreachable) ++outside.tried;
  return true;
}

// Nothing where anything came back.
std::optional<Outside> look_outside(const Facts& facts, bool no_link) {
  Outside outside;
  const auto asked_for = facts.hosts_asked_for();
  for (const auto& flow : facts.flows) {
    if (!note(flow, asked_for, outside)) return std::nullopt;
  }
  const bool names_found = facts.any_probe(was_looked_up);
  for (const auto& result : facts.report.probes) {
    // It is the proxy's name that is wrong.
    if (names_found && result.observation.detail == DetailCode::proxy_unresolved)
      return std::nullopt;
    // Without a link nobody is at the proxy's address either.
    const bool unheard = result.observation.outcome != Outcome::refused;
    if (no_link && unheard && proxy_is_gone(result)) continue;
    if (!note(result, outside)) return std::nullopt;
  }
  return outside;
}

// The router that knows no way to two operators: behind it, the line is down. Empty: none said so.
std::string router_without_line(const Outside& outside) {
  const auto told = std::ranges::find_if(
      outside.lost_routers, [](const auto& router) { return router.second.size() > 1; });
  return told == outside.lost_routers.end() ? std::string() : told->first;
}

bool has_no_way(const Outside& outside, const Site& site) {
  const auto& interfaces = site.interfaces;
  const bool led_nowhere =
      !interfaces.empty() && std::ranges::none_of(interfaces, &InterfaceInfo::default_route);
  const std::size_t enough = led_nowhere ? 1 : enough_endpoints;
  return outside.without_route >= enough && outside.silent == 0 && outside.tried == 0;
}

Cause offline(const Facts& facts, Owner owner, Confidence confidence, Text title) {
  Cause cause(lost_probes(facts));
  cause.closes = Closes::everything;
  cause.name(FindingCode::network_offline, confidence);
  cause.owner = owner;
  cause.title = std::move(title);
  return cause;
}

// `with_resolvers`: name servers had to be counted in.
Confidence confidence_of(const Outside& outside, bool with_resolvers) {
  // Silence of servers that answer only their clients proves nothing.
  if (!outside.answers_all) return possible;
  // One or two services may be shut, where little else was asked.
  const std::size_t few = outside.device.empty() ? 2 : 3;
  if (outside.services.size() < few && (outside.looked_up || !outside.control)) return possible;
  if (!outside.looked_up) {
    // A name server of the site's that answers, and reaches nobody itself, says the same.
    const bool many = outside.parties.size() > 1 || outside.mute.size() >= enough_mute;
    const bool enough = !with_resolvers || (outside.names_fail && many);
    return outside.control && enough ? certain : likely;
  }
  // A name server that finds names has a way out, or has them from before: perhaps only this
  // computer is kept in, and let out to the vendor's list, of which nobody who answers was asked. A
  // device that turns some of the service away may turn no more away than that.
  const bool told = outside.own && (outside.device.empty() || !outside.own_not_refused);
  return told ? likely : possible;
}

Text what_to_do(const Facts& facts, const Outside& outside) {
  Text fix;
  if (facts.any_probe(is_broken_script)) {
    fix = phrase(
        "Correct the script of the PAC file first: while it fails, no program knows this site's "
        "proxy. Then run this again.");
  } else if (outside.looked_up && outside.proxy.empty()) {
    fix = phrase(
        "DNS works, so the line is probably up and something blocks this computer. If this site "
        "has a web proxy, the person who ran this test needs its address (it is in the browser's "
        "settings) to run it again with --proxy URL");
    fix += facts.report.site.proxy_sought ? phrase(" (--proxy auto looked for one and found none).")
                                          : phrase(" (or --proxy auto, which looks for it).");
    fix += phrase(
        " If the site has no proxy, check the firewall and the line (can other computers here open "
        "any web page?).");
  } else {
    fix = phrase(
        "See whether other computers here can open any web page. If they cannot, check the "
        "Internet line and the router. ");
    fix += outside.proxy.empty()
               ? phrase(
                     "If they can, this site probably lets traffic out only through a proxy: find "
                     "its address in their browser's settings and run again with --proxy URL.")
               : phrase(
                     "If they can, compare the address of the proxy {}, which does not answer "
                     "either, with the one in their browser's settings.",
                     outside.proxy);
  }
  if (!outside.device.empty())
    fix += phrase(" The device {} rejects the traffic: ask its operator.", outside.device);
  return fix;
}

// The router is there, and says that it has no way on.
Cause line_is_down(const Facts& facts, const Outside& outside, const std::string& router) {
  const bool sure = is_gateway(facts.report.site, router) || outside.control;
  auto cause = offline(facts, Owner::provider, sure ? certain : likely,
                       phrase("The Internet line is down: the router {} has no route out", router));
  cause.fix = phrase(
      "Check the router {} and its line (modem, cable, status page): is it connected to the "
      "Internet provider? If the router is on but the line is down, call the provider. This "
      "computer and the local network are fine.",
      router);
  cause.tell(phrase("{} reports addresses of {} operators as unreachable.", router,
                    outside.lost_routers.at(router).size()));
  return cause;
}

// The tunnel that everything went into; null where some went past it.
const EgressPath* only_tunnel(const Site& site) {
  const bool one = site.ways.size() == 1 && site.ways.front().tunnel;
  return one && site.ways.front().default_route ? &site.ways.front() : nullptr;
}

// Likely at most: the line itself may be dead, and the fix tells the two apart.
Cause dead_tunnel(const Facts& facts, const EgressPath& tunnel, Confidence confidence) {
  auto cause = offline(
      facts, Owner::vpn, std::max(confidence, likely),
      phrase("All traffic goes into the VPN ({}), and nothing comes back", tunnel.interface));
  cause.closes = Closes::direct;
  cause.fix = phrase(
      "Disconnect the VPN and run this again. If all is well then, have the VPN's operator look at "
      "its gateway; if nothing changes, check the Internet line.");
  return cause;
}

// This computer looks for each host on the link itself, and says that none is there.
Cause without_router(const Facts& facts) {
  auto cause = offline(facts, Owner::helpdesk, certain,
                       phrase("Nothing leaves by this interface: it has no router"));
  cause.name(FindingCode::network_no_gateway, certain);
  cause.owner = Owner::helpdesk;
  cause.fix = phrase(
      "Run this again without --interface, or give the interface a default route. While a VPN is "
      "connected, often only the VPN has one: then the two cannot be compared.");
  return cause;
}

// Another adapter that is up and has an address, and that this computer did not send through.
const InterfaceInfo* other_adapter(const Site& site) {
  return first_that(site.interfaces, [&](const InterfaceInfo& interface) {
    const bool addressed = std::ranges::any_of(
        interface.addresses, [](const IpAddress& address) { return !address.is_link_local(); });
    const bool up = site.links && std::ranges::any_of(*site.links, [&](const LinkInfo& link) {
                      return link.name == interface.name && link.state == LinkState::up;
                    });
    return addressed && up && !interface.default_route && !interface.tunnel &&
           !is_inner_link(interface.name);
  });
}

// The only gateway, if all name servers are other machines beside it; otherwise empty.
std::string gateway_in_doubt(const Site& site) {
  if (site.gateways.size() != 1 || site.resolvers.empty()) return {};
  const auto gateway = site.gateways.front().address;
  const bool beside = std::ranges::all_of(site.resolvers, [&](const std::string& resolver) {
    const auto address = IpAddress::parse(without_port(resolver));
    return address && *address != gateway && is_beside(gateway.to_string(), address->to_string());
  });
  return beside ? gateway.to_string() : std::string();
}

// Nothing comes back: the line, or a firewall.
Cause kept_inside(const Facts& facts, const Outside& outside, Confidence confidence) {
  // Where names are found, or a device says no, the line is not what is missing.
  const bool line = !outside.looked_up && outside.device.empty();
  auto cause =
      offline(facts, line ? Owner::provider : Owner::network, confidence,
              outside.looked_up
                  ? phrase("Name lookup works, but nothing on the Internet answers this computer")
                  : phrase("Nothing outside this site answers: no Internet access from here"));
  if (!line) cause.closes = Closes::direct;
  cause.fix = what_to_do(facts, outside);
  if (const auto gateway = gateway_in_doubt(facts.report.site);
      outside.looked_up && !gateway.empty()) {
    cause.fix += phrase(
        " Compare this computer's default gateway, {}, with that of another computer: it may not "
        "be a router.",
        gateway);
  }
  if (const auto* other = other_adapter(facts.report.site)) {
    cause.fix += phrase(" If {0} should have Internet access, run this again with --interface {0}.",
                        other->name);
  }
  const auto& gateways = facts.report.site.gateways;
  const auto answering = std::ranges::find(gateways, std::optional(true), &GatewayInfo::answers);
  if (answering != gateways.end()) {
    cause.tell(phrase("The router {} answers this computer: the local network is fine.",
                      answering->address.to_string()));
  }
  return cause;
}

std::set<std::string> links_to(const std::vector<GatewayInfo>& gateways) {
  std::set<std::string> links;
  for (const auto& gateway : gateways) {
    if (!gateway.interface.empty()) links.insert(gateway.interface);
  }
  return links;
}

}  // namespace

std::optional<Cause> disconnected(const Site& site) {
  if (!site.links) return std::nullopt;
  auto links = *site.links;  // those that may lead to a network
  std::erase_if(links, [](const LinkInfo& link) { return is_inner_link(link.name); });
  std::vector<std::string> up, connected;  // and those that have an address as well
  std::vector<IpAddress> addresses;
  for (const auto& link : links) {
    if (link.state == LinkState::up) up.push_back(link.name);
  }
  bool leads_on = false, addressed = false;
  std::string unplugged;  // the default route leads over it
  for (const auto& interface : site.interfaces) {
    if (interface.default_route && interface.tunnel) return std::nullopt;
    if (interface.tunnel || is_inner_link(interface.name)) continue;
    // A route may outlive the cable.
    const bool is_up = contains(up, interface.name);
    leads_on |= is_up && interface.default_route;
    if (!is_up && interface.default_route) unplugged = interface.name;
    for (const auto& address : interface.addresses) {
      if (address.is_link_local()) continue;
      addressed |= is_up;
      if (is_up) add_once(connected, interface.name);
      addresses.push_back(address);
    }
  }
  const auto& gateways = site.gateways;
  const bool silent = std::ranges::all_of(
      gateways, [](const GatewayInfo& gateway) { return gateway.answers == false; });
  Cause cause;
  cause.name(up.empty() ? FindingCode::network_offline : FindingCode::network_no_gateway, certain);
  if (up.empty()) {
    cause.title = phrase("This computer is not connected to any network (no cable, no Wi-Fi)");
    cause.fix = phrase(
        "Plug in the network cable (at both ends), or turn off airplane mode and join the Wi-Fi. "
        "Then run this again. If the link light stays dark, tell your network team which wall "
        "socket it is.");
    for (const auto& link : links) cause.tell(in_words(link));
    if (links.empty()) cause.tell(phrase("This computer has no network adapter."));
  } else if (!addressed) {
    cause.title = phrase("This computer gets no IP address from the network");
    cause.fix = phrase(
        "Check the DHCP server of the network on {}: is it running, does it have free addresses, "
        "and may this device join? On the computer, reconnect the cable or the Wi-Fi, and check "
        "that its address is set to \"automatic\". Then run this again.",
        listed(up));
    cause.tell(
        phrase("{} is connected but has no address of its own (DHCP, RFC 2131).", listed(up)));
  } else if (!leads_on && !unplugged.empty()) {
    cause.owner = Owner::helpdesk;
    cause.title =
        phrase("This computer sends everything over {}, which is not connected", unplugged);
    cause.fix = phrase(
        "Connect {0} (cable, dock, Wi-Fi). If this computer should use {1}, which is connected, "
        "switch off {0}, and check that {1} has a default gateway. Then run this again.",
        unplugged, listed(connected));
    cause.tell(phrase("This computer's default route leads over {}.", unplugged));
  } else if (!leads_on) {
    cause.title = phrase("This computer has an address but no default gateway");
    cause.fix = phrase(
        "Have the DHCP server hand out the router's address (option 3), or set this computer's "
        "default gateway if its address is static. Then run this again. If the only way out of "
        "this network is a proxy, add --proxy URL.");
    cause.tell(
        phrase("Addresses of this computer: {}. It has no default route.", listed(addresses)));
  } else if (silent && !gateways.empty()) {
    const auto routers = listed(gateways | std::views::transform(&GatewayInfo::address));
    const auto through = links_to(gateways);
    auto others = connected;  // another way out, which the system does not take
    std::erase_if(others, [&](const auto& link) { return through.contains(link); });
    cause.title = gateways.size() > 1 ? phrase("The default gateways {} do not answer", routers)
                                      : phrase("The default gateway {} does not answer", routers);
    cause.fix = phrase(
        "Check that the router is running ({}), and that this computer is on the right network "
        "(VLAN, Wi-Fi name, switch port): the router does not even answer ARP or Neighbor "
        "Discovery. Then run this again.",
        routers);
    if (!through.empty() && !others.empty()) {
      cause.owner = Owner::helpdesk;
      cause.fix = phrase(
          "This computer sends everything over {0}, where no router answers, although {1} is "
          "connected, too. Unplug or switch off {0} (a dock, an adapter) and run this again. If "
          "{0} is the right connection, check that its router {2} is running.",
          listed(through), listed(others), routers);
    }
    cause.tell(phrase("No device on {} answers for {} (ARP, or Neighbor Discovery for IPv6).",
                      through.empty() ? listed(up) : listed(through), routers));
  } else {
    return std::nullopt;
  }
  return cause;
}

Causes find_offline(const Diagnosis& context) {
  if (context.proxy_speaks) return {};
  const auto& site = context.report.site;
  auto disconnection = disconnected(site);
  const bool no_link = disconnection && disconnection->code == FindingCode::network_offline;
  auto outside = look_outside(context, no_link);
  if (!outside) return {};
  if (disconnection) {
    // Nothing that was sent outside is known to have failed: all of it was on this computer or its
    // network, which may be of use without a way out, or the run was stopped before.
    disconnection->explained = lost_probes(context);
    if (disconnection->explained.empty()) return {};
    disconnection->closes = Closes::everything;
    disconnection->show(disconnection->explained, 4);
    return {*disconnection};
  }
  if (has_no_way(*outside, site)) {
    auto cause = offline(context, Owner::user, certain,
                         phrase("This computer is not connected to the Internet"));
    cause.fix = phrase(
        "Connect the network cable or join the Wi-Fi, and check that the computer gets an address "
        "and a default gateway (DHCP). Then run this again.");
    cause.tell(phrase("The computer has no route to any of the servers tried."));
    return {cause};
  }
  // That other name servers may not be asked is usual; where names are not found at all, they
  // count.
  const bool with_resolvers = outside->silent < enough_endpoints && !outside->looked_up;
  if (with_resolvers && outside->silent > 1) outside->silent += outside->silent_resolvers;
  const bool enough = outside->silent >= enough_endpoints && outside->parties.size() > 1;
  // Where the site's own server answers and finds nothing, it is kept in as well: one more silent
  // server, for names and for connections, is enough.
  const bool kept_in = outside->names_fail && !outside->looked_up && outside->device.empty() &&
                       outside->silent_resolvers > 0 && outside->silent > 0;
  const auto router = outside->looked_up ? std::string() : router_without_line(*outside);
  if (!enough && !kept_in && router.empty()) return {};

  const auto confidence = confidence_of(*outside, with_resolvers);
  const auto* tunnel = outside->device.empty() ? only_tunnel(site) : nullptr;
  const auto sought_here = context.probes_that([&](const ProbeResult& result) {
    const auto sender = text_of(result, EvidenceKind::icmp_error, Fact::sender);
    return goes_outside(result) && is_this_computer(site, sender);
  });
  const bool no_router = parties_of(sought_here).size() > 1;
  auto cause = no_router         ? without_router(context)
               : !router.empty() ? line_is_down(context, *outside, router)
               : tunnel          ? dead_tunnel(context, *tunnel, confidence)
                                 : kept_inside(context, *outside, confidence);
  // A name server of the site's cannot ask anybody either: the names that it did not find are lost
  // with the line.
  if (!outside->looked_up) {
    add_new(cause.explained, context.probes_that([](const ProbeResult& result) {
      return result.probe.check == CheckKind::dns && failing(result);
    }));
  }
  if (enough) {
    cause.tell(phrase("None of the {} endpoints of {} operators answered{}.", outside->silent,
                      outside->parties.size(),
                      outside->control ? phrase(", including well-known public servers") : ""));
  } else if (kept_in) {
    cause.tell(phrase(
        "This site's DNS servers answer but resolve no names, and no other server answers."));
  }
  if (!outside->device.empty() && outside->device != router)
    cause.tell(phrase("{} reports that it blocks the packets.", outside->device));
  Probes asked, tried;
  for (const auto& flow : context.flows) asked.push_back(flow.samples.front().result);
  add_new(tried, asked);  // a range is one probe with many flows
  cause.show(tried, 6);
  return {cause};
}

}  // namespace callready::findings
