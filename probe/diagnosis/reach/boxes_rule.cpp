// A firewall's rule about protocols and ports.
#include <array>
#include <set>

#include "probe/diagnosis/reach/boxes.hpp"

namespace callready::reach {
namespace {

const std::vector<Spared> but_dns{{single(53), Protocol::any}};
const std::vector<Spared> but_web{
    {single(53), Protocol::any}, {single(80), Protocol::tcp}, {single(443), Protocol::tcp}};
const std::vector<Spared> but_web_alone{{single(80), Protocol::tcp}, {single(443), Protocol::tcp}};

// Where ranges usually begin.
constexpr std::array<std::uint16_t, 5> known_borders{1024, 10000, 16384, 32768, 49152};

Code range_code(std::uint16_t first) {
  return first >= first_user_port ? FindingCode::firewall_udp_range_blocked
                                  : FindingCode::firewall_udp_blocked;
}

// Unfinished rules: which ports they name, or spare, and how rare that is.
Boxes whole_rules(Protocol protocol, const Hosts& resolvers) {
  using enum FindingCode;
  switch (protocol) {
    case Protocol::udp:
      return {{.code = firewall_udp_blocked, .prior = prior::all_udp, .spared = but_dns},
              {.code = firewall_udp_blocked, .prior = prior::all_udp + bits(4)},
              {.code = firewall_udp_blocked,
               .prior = prior::all_udp + prior::own_dns,
               .spared_hosts = resolvers}};
    case Protocol::tcp:
      return {{.code = proxy_required, .prior = prior::all_tcp},
              {.code = proxy_required, .prior = prior::all_tcp, .spared = but_dns},
              {.code = firewall_web_only, .prior = prior::web_only_tcp, .spared = but_web}};
    case Protocol::any:
      return {{.code = network_offline, .prior = prior::everything, .spared = but_dns},
              {.code = network_offline, .prior = prior::everything},
              {.code = firewall_web_only, .prior = prior::web_only, .spared = but_web},
              {.code = firewall_web_only,
               .prior = prior::web_only + prior::own_dns,
               .spared = but_web_alone,
               .spared_hosts = resolvers}};
  }
  return {};
}

// Runs of dead ports between open ones, in order. Port 53 has rules of its own, so if it is dead it
// begins no range.
void add_ranges(const Clues& clues, const Ports& dead, const Ports& open, Boxes& rules) {
  auto left = dead;
  left.erase(53);
  std::size_t ranges = 0;
  while (!left.empty()) {
    const auto first = *left.begin();
    const auto above = open.upper_bound(first);
    const auto end = above == open.end() ? left.end() : left.lower_bound(*above);
    const auto last = *std::prev(end);
    left.erase(left.begin(), end);
    const auto add = [&](Bits price, PortRange ports) {
      rules.push_back({.code = range_code(first), .prior = price, .ports = {ports}});
    };
    const int below = above == open.begin() ? 0 : *std::prev(above);
    // Including ports that nobody could measure.
    const auto from = static_cast<std::uint16_t>(below + 1);
    if (above == open.end()) {
      for (const auto border : known_borders) {
        if (below >= border || border > first) continue;
        rules.push_back({.code = FindingCode::firewall_udp_range_blocked,
                         .prior = prior::known_range,
                         .ports = {{border, 65535}}});
      }
      // From the lowest port that failed: rules name the ranges of vendors, too.
      add(prior::named_range, {first, 65535});
      add(prior::open_range, {from, 65535});
    } else if (first == last && !clues.services.contains(first)) {
      // Only a sample: no rule names it by itself.
      add(prior::hidden_range, {from, static_cast<std::uint16_t>(*above - 1)});
    }
    if (last > first && ranges++ < most_alike) add(prior::range, {first, last});
  }
}

// The entries of a list of what may pass, if these ports were seen to pass. Such lists are written
// from the documents: where two ports of a range pass, all of it does. Other ports stand alone.
std::vector<PortRange> listed_ports(const Clues& clues, Protocol protocol, const Ports& open,
                                    const Ports& dead) {
  const auto within = [](const Ports& ports, const PortRange& range) {
    return std::distance(ports.lower_bound(range.first), ports.upper_bound(range.last));
  };
  std::vector<PortRange> list;
  for (const auto& [target, asked] : clues.sight.asked) {
    for (const auto& range : asked) {
      const auto asked_by = target.first ? Protocol::udp : Protocol::tcp;
      if (protocol != Protocol::any && protocol != asked_by) continue;
      if (within(open, range) > 1 && within(dead, range) == 0) add_once(list, range);
    }
  }
  for (const auto port : open) {
    const auto has_it = [&](const PortRange& range) { return range.contains(port); };
    if (std::ranges::none_of(list, has_it)) list.push_back(single(port));
  }
  return list;
}

Boxes rules_of(const Clues& clues, Protocol protocol, const EventIds& bad, const EventIds& good) {
  auto rules = whole_rules(protocol, clues.sight.resolvers);
  const auto open = clues.ports_of(good);
  auto dead = clues.ports_of(bad);
  for (const auto port : open) dead.erase(port);
  const auto code = protocol == Protocol::udp ? FindingCode::firewall_udp_port_blocked
                                              : FindingCode::firewall_tcp_port_blocked;
  for (const auto port : dead) {
    if (dead.size() > most_alike) break;
    rules.push_back({.code = port == 53 ? FindingCode::dns_unreachable : code,
                     .prior = port == 53 ? prior::dns_port : price_of({port}, clues),
                     .ports = {single(port)}});
  }
  if (dead.size() > 1)
    rules.push_back({.code = code, .prior = price_of(dead, clues), .ports = as_ranges(dead)});
  auto listed = open;
  listed.erase(53);
  if (dead.size() >= 3 && !listed.empty() && open.size() <= 12) {
    const auto list = listed_ports(clues, protocol, open, dead);
    auto spared = but_dns;
    for (const auto& ports : list) spared.push_back({ports, protocol});
    rules.push_back({.code = protocol == Protocol::udp ? range_code(*open.rbegin()) : code,
                     .prior = prior::but_list + static_cast<Bits>(list.size()) * prior::listed_port,
                     .spared = std::move(spared)});
  }
  if (protocol == Protocol::udp) add_ranges(clues, dead, open, rules);
  return rules;
}

void propose(const Clues& clues, Protocol protocol, bool beyond, Boxes& boxes) {
  const auto gets_there = [&](std::uint32_t event) {
    const auto& packet = clues.packet(event);
    const bool ends_before = packet.ends_early && !packet.ends_far;
    return matches(protocol, packet.udp) && !(beyond && ends_before);
  };
  const auto bad = clues.select(clues.bad, gets_there);
  if (bad.empty()) return;
  const auto good = clues.select(clues.events, [&](std::uint32_t event) {
    return is_good(clues.seen(event)) && gets_there(event);
  });
  const bool beside_proxy = (clues.signs & signs_of_proxy) != 0;
  for (auto& box : rules_of(clues, protocol, bad, good)) {
    const auto price = box.prior;
    box.fate = Fate::drop;
    box.protocol = protocol;
    box.beyond = beyond;
    if (box.code == FindingCode::network_offline) box.explains = bit(Sign::name_fails);
    const auto met = clues.met_by(box, bad);
    // A rule about both protocols requires both to have failed.
    const auto by_udp = [&](std::uint32_t event) { return clues.packet(event).udp; };
    const bool both = std::ranges::any_of(met, by_udp) && !std::ranges::all_of(met, by_udp);
    const bool dead_line = clues.nothing_good && box.ports.empty();
    const bool shuts_all_tcp =
        box.code == FindingCode::proxy_required || box.code == FindingCode::network_offline;
    if (protocol == Protocol::any && !both && !dead_line) continue;
    for (const auto action : actions(clues, met)) {
      // On the way back packets just vanish. A refusal from beyond the routers that speak counts
      // only where the device names itself.
      const bool possible_beyond = action == Fate::drop || names_itself(action);
      if (action == Fate::deaf ? !beyond : beyond && !possible_beyond) continue;
      box.fate = action;
      box.prior =
          prior::rule + price + (beside_proxy && shuts_all_tcp ? prior::beside_proxy : 0) +
          (action == Fate::drop ? 0 : prior::says_no) + (beyond ? prior::beyond : 0) +
          (beyond && protocol != Protocol::tcp && box.ports.empty() ? prior::whole_beyond : 0);
      const bool replies = beyond && action == Fate::drop;
      boxes.push_back(box);
      if (!replies || box.code != FindingCode::firewall_udp_blocked) continue;
      box.fate = Fate::deaf;
      boxes.push_back(box);
    }
  }
}

// What was sent to the port was seen as far out as any, and nothing comes back from there: of the
// port alone, or of a range that a row asks for with it.
void propose_deaf_ports(const Clues& clues, Boxes& boxes) {
  Ports silent, heard, seen_far;
  for (const auto event : clues.events) {
    const auto& packet = clues.packet(event);
    const auto seen = clues.seen(event);
    if (!packet.udp || packet.port == 53) continue;
    if (packet.ends_early && packet.ends_far && is_good(seen)) seen_far.insert(packet.port);
    if (!packet.ends_early && is_good(seen)) heard.insert(packet.port);
    if (!packet.ends_early && is_bad(seen)) silent.insert(packet.port);
  }
  std::set<std::pair<std::uint16_t, std::uint16_t>> ranges;
  const auto add = [&](PortRange range) {
    const auto open = heard.lower_bound(range.first);
    const auto left = seen_far.lower_bound(range.first);
    const bool only_silent = (open == heard.end() || *open > range.last) &&
                             left != seen_far.end() && *left <= range.last;
    if (only_silent && ranges.size() < most_alike) ranges.emplace(range.first, range.last);
  };
  for (const auto port : silent) {
    add(single(port));
    for (const auto& [target, asked] : clues.sight.asked) {
      for (const auto& range : asked) {
        if (target.first && range.contains(port)) add(range);
      }
    }
  }
  for (const auto& [first, last] : ranges) {
    const auto price = first == last ? price_of({first}, clues) : prior::named_range;
    boxes.push_back({.code = FindingCode::firewall_udp_port_blocked,
                     .prior = prior::rule + price + prior::beyond,
                     .fate = Fate::deaf,
                     .protocol = Protocol::udp,
                     .ports = {{first, last}},
                     .beyond = true});
  }
}

Hosts hosts_that_answer_dns(const Clues& clues) {
  return clues.hosts_of(clues.select(clues.events, [&](std::uint32_t event) {
    return clues.packet(event).cargo == Cargo::dns && clues.seen(event) == Seen::reply;
  }));
}

// Names are resolved by the site's own resolver only: usual, and not a fault.
void propose_own_resolver_only(const Clues& clues, Boxes& boxes) {
  const auto is_dns = [&](std::uint32_t event) { return clues.packet(event).cargo == Cargo::dns; };
  const auto asked = clues.hosts_of(clues.select(clues.events, is_dns));
  const auto answered = hosts_that_answer_dns(clues);
  const auto bad = clues.select(clues.bad, is_dns);
  Box box{.kind = Kind::rule, .protocol = Protocol::udp, .ports = {single(53)}};
  box.hosts = without(without(asked, answered), clues.sight.resolvers);
  if (answered.empty() || bad.empty() || box.hosts.empty()) return;
  for (const auto action : actions(clues, bad)) {
    if (action == Fate::deaf) continue;
    box.fate = action;
    box.prior = prior::own_resolver_only + (action == Fate::drop ? 0 : prior::says_no);
    boxes.push_back(box);
  }
}

// Only the site's own resolver answers, and not for names that it would have to ask others about.
void propose_no_way_out(const Clues& clues, Boxes& boxes) {
  const auto answers = [&](std::uint32_t event) {
    return is_good(clues.seen(event)) && clues.packet(event).cargo != Cargo::dns;
  };
  if (!clues.has(Sign::name_fails) || std::ranges::any_of(clues.events, answers)) return;
  Box box{.kind = Kind::rule, .code = FindingCode::network_offline, .prior = prior::no_way_out};
  box.spared_hosts = hosts_that_answer_dns(clues);
  box.explains = bit(Sign::name_fails);
  for (const auto action : actions(clues, clues.bad)) {
    box.fate = action;
    boxes.push_back(box);
  }
}

}  // namespace

void propose_rules(const Clues& clues, Boxes& boxes) {
  for (const auto protocol : {Protocol::udp, Protocol::tcp, Protocol::any}) {
    for (const bool beyond : {false, true}) propose(clues, protocol, beyond, boxes);
  }
  propose_deaf_ports(clues, boxes);
  propose_own_resolver_only(clues, boxes);
  propose_no_way_out(clues, boxes);
}

}  // namespace callready::reach
