// A firewall's rule about destinations: hosts by themselves, by their owner, or on one port.
#include "probe/diagnosis/reach/boxes.hpp"

namespace callready::reach {
namespace {

void propose_of(const Clues& clues, Box box, Bits price, const EventIds& bad, Boxes& boxes) {
  for (const bool beyond : {false, true}) {
    box.beyond = beyond;
    for (const auto action : actions(clues, bad)) {
      if (action == Fate::deaf || (beyond && action != Fate::drop)) continue;
      box.fate = action;
      box.prior = prior::rule + price + (action == Fate::drop ? 0 : prior::says_no) +
                  (beyond ? prior::beyond : 0);
      boxes.push_back(box);
    }
  }
}

constexpr std::size_t fewest_of_a_range = 3;

// Some UDP ports of one host, or the same of several; others of theirs may get through.
void propose_ranges_of_hosts(const Clues& clues, Boxes& boxes) {
  std::map<HostId, Ports> dead, open;
  for (const auto& [packet, event] : clues.sight.seen_packets(clues.events)) {
    if (packet.udp && is_good(event.seen)) open[packet.host].insert(packet.port);
  }
  for (const auto& [packet, event] : clues.sight.seen_packets(clues.bad)) {
    if (packet.udp) dead[packet.host].insert(packet.port);
  }
  std::erase_if(dead, [](const auto& one) { return one.second.size() < fewest_of_a_range; });
  if (dead.size() > most_alike) return;
  std::map<std::pair<std::uint16_t, std::uint16_t>, Hosts> alike;  // hosts, by their range
  for (const auto& [host, ports] : dead) {
    const auto between = open[host].lower_bound(*ports.begin());
    if (between != open[host].end() && *between <= *ports.rbegin()) continue;
    alike[{*ports.begin(), *ports.rbegin()}].push_back(host);
  }
  for (const auto& [ends, hosts] : alike) {
    Box box{.kind = Kind::hosts, .code = FindingCode::firewall_flow_blocked, .fate = Fate::drop};
    box.protocol = Protocol::udp;
    box.ports = {{ends.first, ends.second}};
    const auto add = [&](Hosts some, Bits price) {
      box.hosts = std::move(some);
      propose_of(clues, box, prior::range + price, clues.met_by(box, clues.bad), boxes);
    };
    for (const auto host : hosts) add({host}, prior::host);
    if (hosts.size() > 1) add(hosts, price_of_hosts(clues, hosts));
  }
}

// An allow list that names the vendors' hosts with their ports. Its sign: packets to other ports of
// these hosts die just as packets to strangers do.
void propose_strict_lists(const Clues& clues, Boxes& boxes) {
  const auto bad = clues.select(clues.bad, [&](std::uint32_t event) {
    const auto& packet = clues.packet(event);
    return !packet.asked && !holds(clues.sight.resolvers, packet.host);
  });
  const auto is_dns = [&](std::uint32_t event) { return clues.packet(event).port == 53; };
  const auto is_of = [&](const Hosts& hosts) {
    return std::ranges::any_of(bad, [&](std::uint32_t event) {
      return !is_dns(event) && holds(hosts, clues.packet(event).host);
    });
  };
  if (!is_of(clues.vendors) || !is_of(clues.others)) return;
  Box box{
      .kind = Kind::hosts, .code = FindingCode::firewall_destination_blocked, .spares_asked = true};
  box.spared_hosts = clues.sight.resolvers;
  if (!std::ranges::any_of(bad, is_dns)) box.spared = {{single(53), Protocol::any}};
  propose_of(clues, box, prior::other_hosts + prior::with_ports, bad, boxes);
}

}  // namespace

void propose_host_rules(const Clues& clues, Boxes& boxes) {
  propose_ranges_of_hosts(clues, boxes);
  propose_strict_lists(clues, boxes);
  for (const auto& [hosts, price, bad, but_dns] : dead_hosts(clues)) {
    for (const auto protocol : {Protocol::any, Protocol::udp, Protocol::tcp}) {
      const auto some = clues.select(bad, [&, protocol](std::uint32_t event) {
        return matches(protocol, clues.packet(event).udp);
      });
      Box box{.kind = Kind::hosts,
              .code = FindingCode::firewall_destination_blocked,
              .protocol = protocol};
      box.hosts = hosts;
      if (but_dns) box.spared = {{single(53), Protocol::any}};
      const bool one = protocol != Protocol::any;
      propose_of(clues, box, price + (one ? prior::one_protocol : 0), some, boxes);
    }
  }
  for (const auto& [hosts, udp, port, price, bad] : dead_endpoints(clues)) {
    Box box{.kind = Kind::hosts, .code = FindingCode::firewall_flow_blocked};
    box.protocol = udp ? Protocol::udp : Protocol::tcp;
    box.ports = {single(port)};
    box.hosts = hosts;
    const auto odd = clues.services.contains(port) ? 0 : prior::odd_port;
    propose_of(clues, box, prior::flow + price + odd, bad, boxes);
  }
}

}  // namespace callready::reach
