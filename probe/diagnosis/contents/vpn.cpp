// A tunnel that carries the service: what a VPN does to voice.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

// Tunnels that stand in for a missing IP version, and are not VPNs: 464XLAT and DS-Lite (both with
// an address of RFC 7335's 192.0.0.0/29), 6in4, 6rd, 6to4.
bool is_transition_link(const Facts& facts, std::string_view name) {
  for (const std::string_view word :
       {"clat", "v4-", "sit", "he-ipv6", "6rd", "6to4", "tun6to4", "ip6tnl"}) {
    if (name.starts_with(word)) return true;
  }
  static const auto dummies = Network::parse("192.0.0.0/29");
  return std::ranges::any_of(facts.report.site.interfaces, [&](const InterfaceInfo& interface) {
    return interface.name == name &&
           std::ranges::any_of(interface.addresses,
                               [](const IpAddress& address) { return dummies->contains(address); });
  });
}

// The service's way past the tunnel: what its document requires of those sets, open or not today,
// media first. Of a tunnel that carries some networks only, the rows that go there. In a report
// from before 0.2, which has no rules, it is what was tried.
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
    cause.title = way.default_route
                      ? phrase("A VPN ({}) carries all traffic, including calls", way.interface)
                  : hosts.size() == outside.size()
                      ? phrase("A VPN ({}) carries the service's traffic", way.interface)
                      : phrase("A VPN ({}) carries part of the service's traffic", way.interface);
    const auto advice = advice_in_words(context, probes, {"vpn", "tunnel"});
    cause.fix = phrase(
        "Exclude the service from the tunnel in the VPN's settings (split tunnel): {}.{}{} To "
        "compare both paths: callready check ... --interface {} --interface {}.",
        service_in_words(context, way, probes), commands_for_the_list(context, probes), advice,
        link->name, way.interface);
    cause.tell(phrase("Traffic to {} goes over {}, although {} is connected, too.", listed(hosts),
                      way.interface, link->name));
    if (way.default_route)
      cause.tell(phrase("So does all other traffic (default route over {}).", way.interface));
  }
  return causes;
}

}  // namespace callready::findings
