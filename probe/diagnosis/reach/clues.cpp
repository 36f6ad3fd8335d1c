#include "probe/diagnosis/reach/clues.hpp"

#include <iterator>

#include "probe/diagnosis/reach/prior.hpp"
#include "probe/util/text.hpp"

namespace callready::reach {

Hosts as_hosts(const std::set<HostId>& hosts) { return {hosts.begin(), hosts.end()}; }

Hosts without(const Hosts& hosts, const Hosts& some) {
  Hosts rest;
  std::set_difference(hosts.begin(), hosts.end(), some.begin(), some.end(),
                      std::back_inserter(rest));
  return rest;
}

Hosts Clues::hosts_of(Sign sign) const {
  std::set<HostId> found;
  for (std::size_t i = 0; i < sight.sign_hosts.size(); ++i) {
    if (sight.events.signs[i].sign == sign) found.insert(sight.sign_hosts[i]);
  }
  return as_hosts(found);
}

Hosts Clues::hosts_of(const EventIds& some) const {
  std::set<HostId> found;
  for (const auto event : some) found.insert(packet(event).host);
  return as_hosts(found);
}

Ports Clues::ports_of(const EventIds& some) const {
  Ports found;
  for (const auto event : some) found.insert(packet(event).port);
  return found;
}

EventIds Clues::met_by(const Box& box, const EventIds& from) const {
  return select(from, [&](std::uint32_t event) { return covers(box, packet(event)); });
}

Clues clues_of(const Sight& sight, EventIds events) {
  Clues clues{sight, std::move(events), {}, {}, {}, {}, true, 0};
  std::erase_if(clues.events,
                [&](std::uint32_t event) { return clues.packet(event).ends_at_device; });
  std::set<HostId> vendors, all;
  for (const auto event : clues.events) {
    const auto& packet = clues.packet(event);
    const auto seen = clues.seen(event);
    const bool refusing_resolver = packet.cargo == Cargo::dns && seen == Seen::closed;
    if (is_bad(seen) && !refusing_resolver) clues.bad.push_back(event);
    if (is_good(seen)) clues.nothing_good = false;
    if (packet.cargo != Cargo::rtp) clues.services.insert(packet.port);
    all.insert(packet.host);
    if (!sight.events.flows[event].control) vendors.insert(packet.host);
  }
  for (const auto& sign : sight.events.signs) clues.signs |= bit(sign.sign);
  clues.vendors = as_hosts(vendors);
  clues.others = without(as_hosts(all), clues.vendors);
  return clues;
}

std::vector<Fate> actions(const Clues& clues, const EventIds& events) {
  const auto any = [&](std::initializer_list<Seen> wanted) {
    return std::ranges::any_of(
        events, [&](std::uint32_t event) { return contains(wanted, clues.seen(event)); });
  };
  std::vector<Fate> found;
  const bool prohibited = any({Seen::prohibited});
  if (any({Seen::one_way})) found.push_back(Fate::deaf);
  if (prohibited) found.push_back(Fate::prohibit);
  if (prohibited && any({Seen::nothing})) found.push_back(Fate::ration);
  if (any({Seen::refused, Seen::refused_way, Seen::refused_by})) found.push_back(Fate::refuse);
  if (any({Seen::closed, Seen::forged})) found.push_back(Fate::forge);
  if (!prohibited && any({Seen::nothing, Seen::dropped})) found.push_back(Fate::drop);
  return found;
}

std::map<std::uint32_t, Hosts> by_domain(const Clues& clues, const Hosts& hosts) {
  std::map<std::uint32_t, Hosts> found;
  for (const auto host : hosts) found[clues.sight.domains[host]].push_back(host);
  return found;
}

bool one_domain(const Clues& clues, const Hosts& hosts) {
  return by_domain(clues, hosts).size() <= 1;
}

std::vector<PortRange> as_ranges(const Ports& ports) {
  std::vector<PortRange> ranges;
  for (const auto port : ports) ranges.push_back(single(port));
  return ranges;
}

Bits price_of(const Ports& ports, const Clues& clues) {
  Bits price = 0;
  for (const auto port : ports) {
    price += price == 0 ? prior::port : prior::more_port;
    if (!clues.services.contains(port)) price += prior::odd_port;
  }
  return price;
}

}  // namespace callready::reach
