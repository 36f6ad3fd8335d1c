#include "probe/diagnosis/reach/asked.hpp"

#include <set>
#include <unordered_map>

#include "probe/diagnosis/facts.hpp"
#include "probe/diagnosis/reach/read.hpp"

namespace callready::reach {
namespace {

using ById = std::unordered_map<std::string_view, const ProbeResult*>;

// A direct probe of an endpoint, but no stream; the same through a proxy is found by its id.
bool stands_for_packets(const ProbeResult& result) {
  constexpr std::array others{CheckKind::dns, CheckKind::media, CheckKind::ice};
  return !contains(others, result.probe.check) && findings::is_direct(result);
}

// For a probe that goes through a proxy, also the same one without it.
Probes probes_of(const RequirementResult& row, const ById& known) {
  Probes found;
  for (const auto& id : row.probes) {
    for (const auto& name : {id, id.substr(0, id.find('@'))}) {
      if (const auto its = known.find(name); its != known.end()) found.push_back(its->second);
    }
  }
  return found;
}

// An answer is not the service's own.
bool deceives(Fate fate) {
  return fate == Fate::take || fate == Fate::portal || fate == Fate::elsewhere;
}

class Asking {
 public:
  Asking(const Report& report, const Sight& sight) : report_(report), sight_(sight) {
    constexpr std::array there{Seen::reply, Seen::arrived, Seen::talk, Seen::open};
    constexpr std::array out{Seen::reply, Seen::arrived, Seen::expired, Seen::one_way};
    for (const auto& event : sight.events.flows) {
      const auto seen = event.seen;
      const bool as_asked = event.ends_early ? seen == Seen::expired : contains(there, seen);
      if (as_asked) good_.insert(event.probe);
      if (event.flow.udp && contains(out, seen)) open_udp_.insert(event.flow.port);
    }
    for (const auto& sign : sight.events.signs) {
      if (breaks(sign.sign)) broken_.insert(sign.probe);
      if (sign.sign == Sign::proxy_works) {
        proxied_.insert(std::string_view(sign.probe).substr(0, sign.probe.find('@')));
      }
    }
  }

  Asked make() {
    ById known;
    for (const auto& result : report_.probes) known[result.probe.id] = &result;
    for (const auto& row : rows_of(report_.sets)) {
      for (const auto* result : probes_of(row, known)) add(*result);
    }
    return std::move(made_);
  }

 private:
  std::size_t packet(const PacketFlow& flow) {
    const auto packet = sight_.packet_of(flow);
    const auto [place, fresh] = packets_.try_emplace(packet, made_.packets.size());
    if (fresh) made_.packets.push_back(packet);
    return place->second;
  }

  void add(const ProbeResult& result) {
    if (!known_.insert(&result).second) return;
    const auto& [probe, seen] = result;
    AskedProbe asked;
    asked.result = &result;
    asked.by_proxy = proxied_.contains(probe.id);
    asked.broken = broken_.contains(probe.id);
    const bool inside = findings::is_inside(result);
    asked.arrived = (inside || good_.contains(probe.id)) && reached(seen.outcome);
    if (probe.check == CheckKind::udp_range && !inside) {
      const auto open = open_udp_.lower_bound(probe.target.ports.first);
      asked.arrived = open != open_udp_.end() && *open <= probe.target.ports.last;
    }
    if (stands_for_packets(result)) {
      for (const auto& flow : flows_of(probe, seen)) asked.packets.push_back(packet(flow));
      if (!asked.packets.empty()) asked.host = made_.packets[asked.packets.front()].host;
      const auto& name = probe.target.host;
      if (findings::is_name(name)) asked.lookup = packet(lookup_of(report_.site, name));
    }
    made_.probes.push_back(std::move(asked));
  }

  const Report& report_;
  const Sight& sight_;
  std::set<std::string_view> good_, broken_, proxied_;
  std::set<std::uint16_t> open_udp_;
  std::map<Packet, std::size_t> packets_;
  std::set<const ProbeResult*> known_;
  Asked made_;
};

}  // namespace

bool hurts_rows(const Box& box, const Asked& asked) {
  return std::ranges::any_of(asked.packets, [&](const Packet& packet) {
    const auto fate = fate_of(box, packet);
    return loses(fate) || is_chance(fate);
  });
}

bool is_exchange(CheckKind check) {
  using enum CheckKind;
  return check == tcp || check == tls || check == sip || check == turn || check == stun ||
         check == http || check == hop || check == ntp || check == nat;
}

bool breaks(Sign sign) {
  using enum Sign;
  constexpr std::array all{cert_expired, cert_wrong_name, cert_untrusted, turn_login,
                           name_gone,    name_fails,      dns_special,    foreign_page};
  return contains(all, sign);
}

std::vector<PacketFlow> flows_asked_for(const Report& report) {
  std::vector<PacketFlow> flows;
  for (const auto& result : report.probes) {
    if (!stands_for_packets(result)) continue;
    for (auto& flow : flows_of(result.probe, result.observation)) flows.push_back(std::move(flow));
    const auto& name = result.probe.target.host;
    if (findings::is_name(name)) flows.push_back(lookup_of(report.site, name));
  }
  return flows;
}

std::vector<const Target*> targets_of_rows(const Report& report) {
  std::vector<const Target*> targets;
  for (const auto& result : report.probes) {
    if (!result.probe.control() && stands_for_packets(result))
      targets.push_back(&result.probe.target);
  }
  return targets;
}

Asked asked_by(const Report& report, const Sight& sight) { return Asking(report, sight).make(); }

std::vector<Packet> packets_of(const Asked& asked, const AskedProbe& probe,
                               const std::set<std::uint16_t>& ports) {
  std::vector<Packet> packets;
  for (const auto number : probe.packets) packets.push_back(asked.packets[number]);
  const auto& range = probe.result->probe.target.ports;
  if (packets.empty() || range.single()) return packets;
  auto packet = packets.front();
  for (auto port = ports.lower_bound(range.first); port != ports.end() && *port <= range.last;
       ++port) {
    packet.port = *port;
    packets.push_back(packet);
  }
  return packets;
}

std::vector<Met> fates_in(const World& world, const Boxes& boxes, const Asked& asked) {
  std::vector<Met> fates;
  for (const auto& packet : asked.packets) fates.push_back(fate_in(world, boxes, packet));
  return fates;
}

bool fails(const AskedProbe& probe, const std::vector<Met>& fates, const World& world,
           const Boxes& boxes) {
  if (probe.packets.empty() || probe.by_proxy) return false;
  for (const auto number : world.boxes) {
    const auto& box = boxes[number];
    // A name that is gone everywhere may be from an old list, whose other names exist.
    if (box.kind == Kind::fact && holds(box.names, probe.host))
      return box.code != FindingCode::target_outdated;
  }
  if (probe.broken) return true;
  const bool answered = probe.arrived && is_exchange(probe.result->probe.check);
  for (const auto packet : probe.packets) {
    const auto& met = fates[packet];
    // Answered probes got through, whatever else the world closes, unless a ban came later.
    const bool since = met.met() && boxes[met.box].kind == Kind::ban;
    if (loses(met.fate) && (!answered || since || deceives(met.fate))) return true;
  }
  return probe.lookup && loses(fates[*probe.lookup].fate) && !probe.arrived;
}

}  // namespace callready::reach
