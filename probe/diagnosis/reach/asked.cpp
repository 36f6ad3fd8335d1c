#include "probe/diagnosis/reach/asked.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "probe/diagnosis/facts.hpp"
#include "probe/diagnosis/reach/read.hpp"

namespace callready::reach {
namespace {

using ById = std::unordered_map<std::string_view, const ProbeResult*>;

bool is_stream(CheckKind check) { return check == CheckKind::media || check == CheckKind::ice; }

// True for probes that say by themselves whether the service was reached.
bool is_exchange(CheckKind check) {
  using enum CheckKind;
  return check == tcp || check == tls || check == sip || check == turn || check == stun ||
         check == http || check == hop || check == ntp || check == nat;
}

// A direct probe of an endpoint; the same over a proxy is told by its id.
bool stands_for_packets(const ProbeResult& result) {
  return result.probe.check != CheckKind::dns && !is_stream(result.probe.check) &&
         result.probe.target.route.direct();
}

std::vector<const ProbeResult*> probes_of(const RequirementResult& row, const ById& known) {
  std::vector<const ProbeResult*> found;
  std::set<const ProbeResult*> once;
  for (const auto& id : row.probes) {
    for (const auto& name : {id, id.substr(0, id.find('@'))}) {
      const auto result = known.find(name);
      if (result == known.end() || !once.insert(result->second).second) continue;
      found.push_back(result->second);
    }
  }
  return found;
}

// Contents that make a row fail, or work with limits.
bool weakens_rows(const Finding& finding) {
  if (finding.confidence == Confidence::possible) return false;
  constexpr std::array<std::string_view, 6> families{"media", "firewall", "turn",
                                                     "sip",   "tls",      "time"};
  return finding.code == FindingCode::network_mtu || contains(families, family_of(finding.code));
}

// An answer is not the service's own.
bool deceives(Fate fate) {
  return fate == Fate::take || fate == Fate::portal || fate == Fate::elsewhere;
}

using PacketKey = std::tuple<bool, Cargo, std::uint16_t, HostId, HostId>;

PacketKey key_of(const Packet& packet) {
  return {packet.udp, packet.cargo, packet.port, packet.host, packet.name};
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
      if (seen == Seen::dropped) died_.insert(event.probe);
      if (event.flow.udp && contains(out, seen)) open_udp_.insert(event.flow.port);
    }
    for (const auto& sign : sight.events.signs) {
      if (breaks(sign.sign)) broken_.insert(sign.probe);
      if (sign.sign == Sign::proxy_works) {
        proxied_.insert(std::string_view(sign.probe).substr(0, sign.probe.find('@')));
      }
    }
  }

  Asked make(const RowReach& reach, const std::vector<const Finding*>& contents) {
    std::set<std::string> explained;
    for (const auto* finding : contents) {
      if (!weakens_rows(*finding)) continue;
      explained.insert(finding->explains.begin(), finding->explains.end());
    }
    ById known;
    for (const auto& result : report_.probes) known[result.probe.id] = &result;
    for (const auto& set : report_.sets) {
      for (const auto& row : set.requirements) {
        AskedRow asked;
        asked.set = &set;
        asked.row = &row;
        const auto id = set.id + '/' + row.id;
        if (const auto found = reach.find(id); found != reach.end()) asked.reach = found->second;
        asked.spoilt = row.status == Status::fail && explained.contains(id);
        asked.worse = row.status == Status::warn && explained.contains(id);
        for (const auto* result : probes_of(row, known)) {
          asked.nat |= result->probe.check == CheckKind::nat;
          asked.sip_alg |= result->probe.check == CheckKind::sip_alg;
          asked.plain_sip |= result->probe.check == CheckKind::sip &&
                             result->probe.target.transport == Transport::udp;
          asked.probes.push_back(add(*result));
        }
        made_.rows.push_back(std::move(asked));
      }
    }
    return std::move(made_);
  }

 private:
  std::size_t packet(const PacketFlow& flow) {
    const auto packet = sight_.packet_of(flow);
    const auto [place, fresh] = packets_.try_emplace(key_of(packet), made_.packets.size());
    if (fresh) made_.packets.push_back(packet);
    return place->second;
  }

  std::size_t add(const ProbeResult& result) {
    const auto [place, fresh] = probes_.try_emplace(&result, made_.probes.size());
    if (!fresh) return place->second;
    const auto& [probe, seen] = result;
    AskedProbe asked;
    asked.result = &result;
    asked.by_rules = is_stream(probe.check) || probe.check == CheckKind::dns;
    asked.by_proxy = proxied_.contains(probe.id);
    asked.broken = broken_.contains(probe.id);
    asked.died = died_.contains(probe.id);
    asked.measured = seen.outcome != Outcome::skipped;
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
    return place->second;
  }

  const Report& report_;
  const Sight& sight_;
  std::set<std::string_view> good_, died_, broken_, proxied_;
  std::set<std::uint16_t> open_udp_;
  std::map<PacketKey, std::size_t> packets_;
  std::unordered_map<const ProbeResult*, std::size_t> probes_;
  Asked made_;
};

// Those with so many of the best.
Works best_of(const std::vector<Works>& seen, std::size_t needed) {
  const auto count = [&](Works wanted) {
    return static_cast<std::size_t>(std::ranges::count(seen, wanted));
  };
  if (count(Works::yes) >= needed) return Works::yes;
  return count(Works::yes) + count(Works::unknown) >= needed ? Works::unknown : Works::no;
}

// `fates`: of the packets of `Asked`, in their order.
Works works(const AskedProbe& probe, const std::vector<Met>& fates, const World& world,
            const Boxes& boxes) {
  const auto check = probe.result->probe.check;
  if (probe.packets.empty()) return Works::untried;
  if (probe.by_proxy) return Works::yes;
  for (const auto number : world.boxes) {
    const auto& box = boxes[number];
    if (box.kind != Kind::fact || !holds(box.names, probe.host)) continue;
    return box.code == FindingCode::target_outdated ? Works::gone : Works::no;
  }
  if (probe.broken) return Works::no;
  bool chance = false;
  for (const auto packet : probe.packets) {
    const auto& met = fates[packet];
    chance |= is_chance(met.fate);
    // What was answered has passed, whatever else the world closes, if not for good since.
    const bool since = met.met() && boxes[met.box].kind == Kind::ban;
    const bool passed = probe.arrived && is_exchange(check) && !since && !deceives(met.fate);
    if (loses(met.fate) && !passed) return Works::no;
  }
  if (probe.lookup && loses(fates[*probe.lookup].fate) && !probe.arrived) return Works::no;
  if (chance) return Works::unknown;
  if (!probe.measured) return Works::untried;
  // What is likely beforehand alone makes nothing ready: something has to have been seen.
  const bool by_chance = losses[world.loss].share >= explains_one_failure;
  if (check == CheckKind::udp_range) {
    return probe.arrived && (by_chance || !probe.died) ? Works::yes : Works::unknown;
  }
  if (!is_exchange(check) || probe.arrived) return Works::yes;
  // Seen to fail, and no box says why: chance, or nobody knows.
  return by_chance ? Works::yes : Works::unknown;
}

}  // namespace

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

std::vector<RowFlow> flows_of_rows(const Report& report) {
  std::vector<RowFlow> flows;
  for (const auto& result : report.probes) {
    const auto& [probe, seen] = result;
    if (probe.control() || !stands_for_packets(result)) continue;
    const auto& target = probe.target;
    flows.push_back({target.transport == Transport::udp, target.host, target.ports});
  }
  return flows;
}

Asked asked_by(const Report& report, const Sight& sight, const RowReach& reach,
               const std::vector<const Finding*>& contents) {
  return Asking(report, sight).make(reach, contents);
}

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

std::vector<Works> works(const Asked& asked, const World& world, const Boxes& boxes) {
  std::vector<Met> fates;
  for (const auto& packet : asked.packets) fates.push_back(fate_in(world, boxes, packet));
  std::vector<Works> probes;
  for (const auto& probe : asked.probes) probes.push_back(works(probe, fates, world, boxes));
  return probes;
}

Works works(const Asked& asked, const AskedRow& row, const std::vector<Works>& probes) {
  if (row.spoilt) return Works::no;
  const auto by_rules = [&](std::size_t probe) { return asked.probes[probe].by_rules; };
  if (!row.probes.empty() && std::ranges::all_of(row.probes, by_rules)) {
    switch (row.row->status) {
      case Status::pass:
      case Status::warn:
        return Works::yes;
      case Status::fail:
        return Works::no;
      case Status::unknown:
        return Works::unknown;
      case Status::skip:
        return Works::untried;
    }
  }
  std::vector<Works> seen;
  for (const auto probe : row.probes) {
    if (probes[probe] != Works::untried) seen.push_back(probes[probe]);
  }
  const bool others = std::ranges::any_of(seen, [](Works one) { return one != Works::gone; });
  if (others) std::erase(seen, Works::gone);
  if (seen.empty()) return Works::untried;
  const auto& [kind, count] = row.reach;
  if (kind == Reach::Kind::all) return best_of(seen, seen.size());
  const int needed = kind == Reach::Kind::any ? 1 : std::max(count, 1);
  return best_of(seen, std::min(static_cast<std::size_t>(needed), seen.size()));
}

}  // namespace callready::reach
