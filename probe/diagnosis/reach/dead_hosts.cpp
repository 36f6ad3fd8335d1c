// Hosts, and ports of hosts, that nothing was seen to reach.
#include "probe/diagnosis/reach/clues.hpp"
#include "probe/diagnosis/reach/prior.hpp"
#include "probe/util/text.hpp"

namespace callready::reach {
namespace {

// A packet seen on its way proves nothing about the host; a refusal may be another's.
bool proves_alive(Seen seen) {
  return is_good(seen) && seen != Seen::expired && seen != Seen::arrived;
}

}  // namespace

Bits price_of_hosts(const Clues& clues, const Hosts& hosts) {
  const auto owners = by_domain(clues, hosts).size();
  return prior::host + static_cast<Bits>(hosts.size() - owners) * prior::more_host +
         static_cast<Bits>(owners - 1) * prior::more_owner;
}

std::vector<DeadHosts> dead_hosts(const Clues& clues) {
  std::map<HostId, EventIds> bad;
  for (const auto event : clues.bad) bad[clues.packet(event).host].push_back(event);
  const auto is_dns = [&](std::uint32_t event) { return clues.packet(event).port == 53; };
  auto good = clues.select(clues.events,
                           [&](std::uint32_t event) { return proves_alive(clues.seen(event)); });
  // The site's own resolver has boxes of its own.
  const auto outside = without(clues.hosts_of(clues.bad), clues.sight.resolvers);
  const auto dead = without(outside, clues.hosts_of(good));
  std::erase_if(good, is_dns);
  const auto alive_beside_dns = clues.hosts_of(good);
  std::map<Hosts, Bits> groups;  // what they cost
  if (dead.size() <= most_alike) {
    for (const auto host : dead) groups.try_emplace({host}, prior::host);
  }
  const auto siblings = by_domain(clues, clues.hosts_of(clues.events));
  for (const auto& [domain, some] : by_domain(clues, dead)) {
    if (some.size() < 2) continue;
    groups.try_emplace(siblings.at(domain), prior::domain);
    groups.try_emplace(some, prior::part_of_domain);
  }
  if (dead.size() > 1) groups.try_emplace(dead, price_of_hosts(clues, dead));
  // An allow list may let out DNS to anybody, and lack some of the vendors' hosts.
  std::set<Hosts> lists;
  const auto dead_others = without(without(outside, alive_beside_dns), clues.vendors);
  if (dead_others.size() > 1) {
    groups.try_emplace(clues.others, prior::other_hosts);
    lists.insert(clues.others);
    Hosts short_list;
    std::ranges::set_union(clues.others, dead, std::back_inserter(short_list));
    const bool lets_any_out = std::ranges::any_of(
        clues.vendors, [&](HostId host) { return holds(alive_beside_dns, host); });
    if (lets_any_out && lists.insert(short_list).second) {
      groups.try_emplace(short_list, prior::short_list);
    }
  }
  std::vector<DeadHosts> found;
  for (const auto& [hosts, price] : groups) {
    DeadHosts one{hosts, price, {}, lists.contains(hosts)};
    for (const auto host : hosts) {
      const auto its = bad.find(host);
      if (its != bad.end()) append(one.bad, its->second);
    }
    std::ranges::sort(one.bad);
    if (one.but_dns && std::ranges::any_of(one.bad, is_dns)) {
      found.push_back(one);
      found.back().but_dns = false;
      found.back().hosts = without(hosts, clues.sight.resolvers);
    }
    found.push_back(std::move(one));
  }
  return found;
}

std::vector<DeadEndpoints> dead_endpoints(const Clues& clues) {
  struct Cell {
    EventIds good, bad;
  };
  std::map<std::pair<bool, std::uint16_t>, Cell> cells;
  const auto cell_of = [&](std::uint32_t event) -> Cell& {
    return cells[{clues.packet(event).udp, clues.packet(event).port}];
  };
  for (const auto event : clues.events) {
    if (proves_alive(clues.seen(event))) cell_of(event).good.push_back(event);
  }
  for (const auto event : clues.bad) cell_of(event).bad.push_back(event);
  std::vector<DeadEndpoints> found;
  for (const auto& [key, cell] : cells) {
    const auto [udp, port] = key;
    const auto dead = without(clues.hosts_of(cell.bad), clues.hosts_of(cell.good));
    if (port == 53 || dead.empty()) continue;
    std::set<Hosts> groups{dead};
    const auto owners = by_domain(clues, dead);
    if (owners.size() <= most_alike) {
      for (const auto& [domain, hosts] : owners) groups.insert(hosts);
    }
    if (dead.size() <= most_alike) {
      for (const auto host : dead) groups.insert({host});
    }
    for (const auto& hosts : groups) {
      const bool group = hosts.size() > 1 && one_domain(clues, hosts);
      const auto more = static_cast<Bits>(hosts.size() - 1);
      found.push_back({hosts, udp, port, group ? prior::domain : more * prior::more_endpoint,
                       clues.select(cell.bad, [&](std::uint32_t event) {
                         return holds(hosts, clues.packet(event).host);
                       })});
    }
  }
  return found;
}

}  // namespace callready::reach
