// The far end: hosts that are out of order, or where nobody listens; those that ignore strangers;
// and those that are close by. Hosts with nothing in common do not fail at the same time, so each
// owner has its own box.
#include "probe/diagnosis/reach/boxes.hpp"
#include "probe/util/text.hpp"

namespace callready::reach {
namespace {

bool is_refusal(Seen seen) {
  return seen == Seen::closed || seen == Seen::refused || seen == Seen::refused_far;
}

// `bad`: what its hosts did not answer, on its ports.
void propose(const Clues& clues, Box box, const EventIds& bad, Boxes& boxes) {
  box.code = box.ports.empty() ? destination_silent : flow_silent;
  box.fate = Fate::down;
  boxes.push_back(box);
  const auto refuses = [&](std::uint32_t event) { return is_refusal(clues.seen(event)); };
  if (!std::ranges::any_of(bad, refuses)) return;
  // A host that refuses is there; what it does on other ports is not known.
  if (box.ports.empty()) box.ports = as_ranges(clues.ports_of(bad));
  box.code = FindingCode::vendor_down;
  box.fate = Fate::closed;
  box.prior += prior::far_refuses;
  boxes.push_back(box);
}

// Nobody listens on these ports of hosts that are there: the list is wrong, or the service is out
// of order.
void propose_ports(const Clues& clues, const Hosts& hosts, bool udp, const Ports& ports,
                   const EventIds& bad, Boxes& boxes) {
  Box box{.kind = Kind::far_end, .protocol = udp ? Protocol::udp : Protocol::tcp};
  box.ports = as_ranges(ports);
  box.hosts = hosts;
  box.prior = prior::far_end + prior::far_port + (hosts.size() > 1 ? prior::far_siblings : 0) +
              static_cast<Bits>(ports.size() - 1) * prior::more_far_port;
  propose(clues, std::move(box), bad, boxes);
}

// Servers that take connections, and then reset them or say nothing.
void propose_broken_servers(const Clues& clues, Boxes& boxes) {
  for (const auto seen : {Seen::mute, Seen::cut}) {
    const auto its = clues.select(clues.events, [&](std::uint32_t event) {
      const auto& packet = clues.packet(event);
      return !packet.udp && clues.seen(event) == seen && packet.cargo != Cargo::inside;
    });
    const auto domains = by_domain(clues, clues.hosts_of(its));
    if (domains.size() > most_alike) continue;
    for (const auto& [domain, some] : domains) {
      Box box{.kind = Kind::far_end, .code = flow_silent, .protocol = Protocol::tcp};
      box.fate = seen == Seen::mute ? Fate::mute : Fate::cut;
      box.hosts = some;
      box.prior = some.size() == 1 ? prior::far_end + prior::far_port : prior::far_domain;
      boxes.push_back(box);
    }
  }
}

}  // namespace

void propose_far_ends(const Clues& clues, Boxes& boxes) {
  propose_broken_servers(clues, boxes);
  for (const auto& [hosts, price, bad, but_dns] : dead_hosts(clues)) {
    const bool resolver = std::ranges::any_of(
        bad, [&](std::uint32_t event) { return clues.packet(event).cargo == Cargo::dns; });
    if (resolver || !one_domain(clues, hosts)) continue;
    const bool public_ones = without(hosts, clues.others).empty();
    Box box{.kind = Kind::far_end, .hosts = hosts};
    box.prior = (hosts.size() == 1 ? prior::far_end : prior::far_domain) +
                (public_ones ? prior::public_anchor : 0);
    propose(clues, std::move(box), bad, boxes);
  }
  // By hosts and protocol: the ports on which none of them answers.
  std::map<std::pair<Hosts, bool>, std::pair<Ports, EventIds>> ports_of;
  for (const auto& [hosts, udp, port, price, bad] : dead_endpoints(clues)) {
    if (!one_domain(clues, hosts)) continue;
    auto& [ports, events] = ports_of[{hosts, udp}];
    ports.insert(port);
    append(events, bad);
    propose_ports(clues, hosts, udp, {port}, bad, boxes);
  }
  for (auto& [key, found] : ports_of) {
    auto& [ports, events] = found;
    if (ports.size() > 1) propose_ports(clues, key.first, key.second, ports, events, boxes);
  }
}

// SIP servers that ignore strangers, over any transport: usual, and not a fault. Without this box,
// each of their silences is charged separately, and the search buys a filter for them.
void propose_reticent_servers(const Clues& clues, Boxes& boxes) {
  const auto all = clues.hosts_of(clues.select(clues.events, [&](std::uint32_t event) {
    const auto& packet = clues.packet(event);
    const auto seen = clues.seen(event);
    const bool silent = seen == Seen::nothing || seen == Seen::mute;
    const bool sip = packet.cargo == Cargo::sip || packet.cargo == Cargo::inside;
    return silent && sip && !packet.ends_early;
  }));
  const auto domains = by_domain(clues, all);
  Box box{.kind = Kind::reticent, .fate = Fate::ignore};
  box.cargoes = bit(Cargo::sip) | bit(Cargo::inside);
  // Servers that a service lists by address may have a common owner that cannot be seen.
  if (domains.size() > 1) {
    box.hosts = all;
    box.prior = prior::reticent + bits(2);
    boxes.push_back(box);
  }
  if (domains.size() > most_alike) return;
  for (const auto& [domain, hosts] : domains) {
    box.hosts = hosts;
    box.prior = prior::reticent;
    boxes.push_back(box);
  }
}

// Servers that are close by: a quick answer is not a sign of a device that answers for them.
void propose_neighbours(const Clues& clues, Boxes& boxes) {
  const auto quick = clues.select(clues.events, [&](std::uint32_t event) {
    return clues.sight.events.flows[event].too_near == true;
  });
  const auto domains = by_domain(clues, clues.hosts_of(quick));
  if (domains.size() > most_alike) return;
  for (const auto& [domain, hosts] : domains) {
    Box box{.kind = Kind::neighbour, .prior = prior::neighbour, .fate = Fate::close};
    box.hosts = hosts;
    boxes.push_back(box);
  }
}

}  // namespace callready::reach
