// Servers that should be on this computer or in its own networks, and are not there: no router,
// line or other firewall is in between.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

// Packets to its hosts meet no router. Where the well-known public servers are among them, that is
// how this network works (proxy ARP), and says nothing about one host.
bool leads_to_neighbours(const Facts& facts, const EgressPath& way) {
  return !way.gateway && !way.tunnel && !facts.any_probe([&](const ProbeResult& result) {
    return result.probe.purpose == Purpose::control && is_name(result.probe.target.host) &&
           contains(way.hosts, result.probe.target.host);
  });
}

// The way to this computer's own addresses, of which systems say nothing.
EgressPath loopback(const Facts& facts) {
  EgressPath way;
  way.interface = "lo";
  for (const auto& result : facts.report.probes) {
    const auto& address = result.observation.address;
    if (address && address->is_loopback()) add_once(way.hosts, result.probe.target.host);
  }
  return way;
}

bool was_refused(const ProbeResult& result) {
  return result.observation.detail == DetailCode::connection_refused;
}

bool came_back(const ProbeResult& result) {
  const auto outcome = result.observation.outcome;
  return was_refused(result) || (reached(outcome) && outcome != Outcome::passed);
}

// Somebody there should have answered, if only to refuse; media ports owe nobody an answer.
bool should_answer(const ProbeResult* result) {
  return result->probe.check != CheckKind::udp_range &&
         (result->probe.check != CheckKind::hop || !is_udp(*result));
}

Cause nothing_listens(const Probes& refused) {
  Cause cause(refused);
  cause.name(FindingCode::target_absent, certain);
  cause.title = phrase("Nothing listens on {} of {}", named_ports(ports_of(refused)),
                       listed(hosts_of(refused)));
  cause.fix = phrase(
      "Check the address and the port that were given, and whether the server runs there. Nothing "
      "else is in between: {} is this computer, or in its own network.",
      listed(hosts_of(refused)));
  return cause;
}

Cause nobody_answers(const Probes& silent, const std::string& interface) {
  const auto hosts = listed(hosts_of(silent));
  Cause cause(silent);
  cause.name(FindingCode::target_absent, likely);
  if (is_inner_link(interface)) {
    cause.title = phrase("This computer looks for {} on its own adapter {}", hosts, interface);
    cause.fix = phrase(
        "Compare {0} with the range of the adapter {1} of this computer, often one for containers "
        "or virtual machines: it lies in it, so packets do not leave this computer. Give {1} "
        "another range, or remove it. If {0} is such a machine, check that it runs.",
        hosts, interface);
  } else if (std::ranges::all_of(silent, [](const auto* result) { return is_inside(*result); })) {
    cause.title = phrase("Nothing in this computer's own network answers at {}", hosts);
    cause.fix = phrase(
        "Check the address that was given, and whether the server is switched on and in this "
        "network ({}): if it is in another subnet, this computer's netmask is wrong. No router is "
        "in "
        "between, but Wi-Fi may isolate clients (guest networks often do), and the server's own "
        "firewall may drop the packets.",
        interface);
  } else {
    cause.title = phrase("Packets to {} never leave this computer's own network", hosts);
    cause.fix = phrase(
        "Find out why this computer takes {0} for a neighbor on {1}: an adapter or VPN whose "
        "network uses public addresses that are not its own. Remove it, or give that network "
        "private addresses (RFC 1918). Change nothing on the firewall.",
        hosts, interface);
  }
  return cause;
}

}  // namespace

Causes find_absent_neighbours(const Diagnosis& context) {
  Causes causes;
  auto ways = context.report.site.ways;
  ways.push_back(loopback(context));
  for (const auto& way : ways) {
    if (!leads_to_neighbours(context, way)) continue;
    const auto its = context.probes_that([&](const ProbeResult& result) {
      return is_direct(result) && contains(way.hosts, result.probe.target.host);
    });
    const auto lost = those_that(its, [&](const ProbeResult& result) {
      return failing(result) && context.asked_for(result) && !context.explained(result);
    });
    const auto alive = set_of(those_that(its, came_back),
                              [](const ProbeResult& result) { return result.probe.target.host; });
    const auto refused = those_that(lost, was_refused);
    const auto silent = those_that(lost, [&](const ProbeResult& result) {
      return got_no_answer(result) && !alive.contains(result.probe.target.host);
    });
    if (!refused.empty()) causes.push_back(nothing_listens(refused));
    if (std::ranges::any_of(silent, should_answer))
      causes.push_back(nobody_answers(silent, way.interface));
  }
  for (auto& cause : causes) cause.show(cause.explained, 4);
  return causes;
}

}  // namespace callready::findings
