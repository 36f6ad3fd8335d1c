#include "probe/diagnosis/reach/box.hpp"

#include <algorithm>
#include <array>

#include "probe/diagnosis/reach/boxes.hpp"
#include "probe/util/text.hpp"

namespace callready::reach {
namespace {

// It does the same to everything that it acts on.
Fate its_own(const Box& box, const Packet&) { return box.fate; }

// The table. Its order means nothing: a test shuffles it.
constexpr std::array<KindOfBox, 13> kind_table{{
    {Kind::rule, its_own, propose_rules},
    {Kind::hosts, its_own, propose_host_rules},
    {Kind::inspect, fate_by_inspection, propose_inspections},
    {Kind::accept, its_own, propose_acceptances},
    {Kind::far_end, its_own, propose_far_ends},
    {Kind::limit, fate_by_limit, propose_limits},
    {Kind::ban, fate_by_ban, propose_bans},
    {Kind::portal, fate_by_portal, propose_portals},
    {Kind::fact, fate_by_fact, propose_facts},
    {Kind::reticent, its_own, propose_reticent_servers},
    {Kind::resolver, its_own, propose_resolvers},
    {Kind::neighbour, its_own, propose_neighbours},
    {Kind::path, its_own, propose_dead_paths},
}};

static_assert(in_their_places(kind_table, &KindOfBox::kind));

// A list may hold thousands of ports.
bool is_one_of(const std::vector<PortRange>& ranges, std::uint16_t port) {
  const auto next = std::ranges::upper_bound(ranges, port, {}, &PortRange::first);
  return next != ranges.begin() && std::prev(next)->contains(port);
}

}  // namespace

std::span<const KindOfBox> kinds() { return kind_table; }

bool covers(const Box& box, const Packet& packet) {
  if (box.fate == Fate::pass) return false;
  if (packet.ends_at_device || (packet.ends_early && at_far_end(box))) return false;
  // A packet seen that far out has passed any box that drops it, but not one that drops replies.
  if (packet.ends_early && box.beyond && (!packet.ends_far || box.fate == Fate::deaf)) return false;
  if (packet.turned_near && box.beyond) return false;  // it never got there
  if (!matches(box.protocol, packet.udp) || (box.spares_asked && packet.asked)) return false;
  if (box.cargoes != 0 && (box.cargoes & bit(packet.cargo)) == 0) return false;
  if (!box.ports.empty() && !is_one_of(box.ports, packet.port)) return false;
  for (const auto& [ports, protocol] : box.spared) {
    if (ports.contains(packet.port) && matches(protocol, packet.udp)) return false;
  }
  const auto& hosts = box.hosts;
  // A device that reads greetings goes by the name in them, wherever they are sent.
  const bool host = box.kind != Kind::inspect && holds(hosts, packet.host);
  const bool name = packet.cargo != Cargo::dns && holds(hosts, packet.name);
  if (!hosts.empty() && !host && !name) return false;
  if (!box.names.empty() && !holds(box.names, packet.name)) return false;
  return !holds(box.spared_hosts, packet.host);
}

Fate fate_of(const Box& box, const Packet& packet) {
  if (!covers(box, packet)) return Fate::pass;
  return kind_table[static_cast<std::size_t>(box.kind)].fate(box, packet);
}

bool is_wider(const Box& whole, const Box& part) {
  const auto is_rule = [](const Box& box) {
    return (box.kind == Kind::rule || box.kind == Kind::hosts) && loses(box.fate);
  };
  if (!is_rule(whole) || !is_rule(part)) return false;
  if (whole.protocol != Protocol::any && whole.protocol != part.protocol) return false;
  const auto within = [](const Hosts& all, const Hosts& some) {
    return all.empty() || (!some.empty() && std::ranges::includes(all, some));
  };
  const auto is_shut = [&](const PortRange& range) {
    return std::ranges::any_of(whole.ports, [&](const PortRange& all) {
      return all.first <= range.first && range.last <= all.last;
    });
  };
  const bool all_ports =
      whole.ports.empty() || (!part.ports.empty() && std::ranges::all_of(part.ports, is_shut));
  // What the wider one lets through, the other must not name.
  const auto is_spared = [&](const Spared& spared) {
    const bool other =
        !part.ports.empty() && std::ranges::none_of(part.ports, [&](const auto& range) {
          return range.overlaps(spared.ports);
        });
    return other || contains(part.spared, spared);
  };
  const bool spares = (!whole.spares_asked || part.spares_asked) &&
                      std::ranges::all_of(whole.spared, is_spared) &&
                      (whole.spared_hosts.empty() || whole.spared_hosts == part.spared_hosts);
  return within(whole.hosts, part.hosts) && all_ports && spares;
}

bool tells(const Box& box, Sign sign, HostId host) {
  return (box.explains & bit(sign)) != 0 && (box.names.empty() || holds(box.names, host));
}

}  // namespace callready::reach
