// The flows that a device on the way closes, taken from worlds.
#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "probe/diagnosis/reach/clues.hpp"
#include "probe/diagnosis/ways/claims.hpp"

namespace callready::findings {
namespace {

// A host that was never asked, and a port that no rule about ports names by itself.
constexpr reach::HostId stranger = ~0U;
constexpr std::uint16_t any_port = 1;

// Also boxes that close more than ports, for the flows that no earlier finding has explained: all
// UDP, all but the web, and all TCP where there is no proxy.
bool is_about_flows(const reach::Box& box, bool any_proxy) {
  using enum FindingCode;
  constexpr std::array codes{firewall_destination_blocked,
                             firewall_flow_blocked,
                             firewall_tcp_port_blocked,
                             firewall_udp_port_blocked,
                             firewall_udp_range_blocked,
                             firewall_udp_blocked,
                             firewall_web_only};
  return contains(codes, box.code) || reach::is_mere_silence(box.code) ||
         (box.code == proxy_required && !any_proxy);
}

class Reader {
 public:
  explicit Reader(const Diagnosis& context) : context_(context), drawn_(context.worlds()) {}

  std::vector<ClosedFlows> read() const {
    const bool any_proxy = !std::ranges::all_of(context_.report.probes, is_direct);
    const auto& best = drawn_.worlds.front();
    std::map<Part, reach::EventIds> parts;
    for (std::uint32_t i = 0; i < drawn_.sight.packets.size(); ++i) {
      const auto met = met_in(best, i);
      if (reach::is_bad(seen(i).seen) && is_lost(met) && is_about_flows(box(met), any_proxy))
        parts[part_of(met, packet(i), sure_of({i}) >= reach::is_likely)].push_back(i);
    }
    std::map<Part, ClosedFlows> found;
    for (const auto& [part, events] : parts) {
      auto closed = closed_by(std::get<0>(part), events);
      if (!closed.flows.empty()) found.emplace(part, std::move(closed));
    }
    add_others(best, found);
    std::vector<ClosedFlows> list;
    for (auto& [part, closed] : found) {
      if (!closed.probes.empty()) list.push_back(std::move(closed));
    }
    return list;
  }

  double sure_of(const Flow& flow) const {
    reach::EventIds events;
    for (std::uint32_t i = 0; i < drawn_.sight.packets.size(); ++i) {
      if (reach::is_bad(seen(i).seen) && is_of(flow, i)) events.push_back(i);
    }
    return events.empty() ? 0 : sure_of(events);
  }

 private:
  // What one box closes: what is surely closed (true) separately from the rest, at one host, or
  // otherwise on one port over UDP (true) or TCP.
  using Part = std::tuple<std::uint32_t, bool, reach::HostId, bool, std::uint16_t>;

  const FlowEvent& seen(std::uint32_t event) const { return drawn_.sight.events.flows[event]; }
  const reach::Packet& packet(std::uint32_t event) const { return drawn_.sight.packets[event]; }
  const reach::Box& box(const reach::Met& met) const { return drawn_.boxes[met.box]; }
  Part part_of(const reach::Met& met, const reach::Packet& packet, bool surely) const {
    if (box(met).hosts.empty()) return {met.box, surely, stranger, packet.udp, packet.port};
    return {met.box, surely, packet.host, false, 0};
  }
  bool is_of(const Flow& flow, std::uint32_t event) const {
    const auto& one = seen(event).flow;
    return one.udp == flow.udp && one.port == flow.port && one.host == flow.host;
  }
  reach::Met met_in(const reach::World& world, std::uint32_t event) const {
    return reach::fate_in(world, drawn_.boxes, drawn_.sight, event);
  }
  static bool is_lost(const reach::Met& met) { return met.met() && reach::loses(met.fate); }
  // By a device on the way. A far end that is out of order does not count.
  bool is_closed(const reach::Met& met) const {
    return is_lost(met) && !reach::is_mere_silence(box(met).code);
  }
  bool would_be_closed(const reach::World& world, const reach::Packet& packet) const {
    return is_closed(reach::fate_in(world, drawn_.boxes, packet));
  }
  // Whatever it carries, or by a device that inspects the same payloads.
  bool is_closed_alike(const reach::Met& met, const reach::Box& other) const {
    return is_closed(met) && (box(met).cargoes == 0 || box(met).cargoes == other.cargoes);
  }

  // How probable the worlds are in which that is true of all of these events.
  template <typename True>
  double probability(const reach::EventIds& events, True is_true) const {
    return reach::probability(drawn_.worlds, [&](const reach::World& world) {
      return std::ranges::all_of(events,
                                 [&](std::uint32_t event) { return is_true(world, event); });
    });
  }
  double sure_of(const reach::EventIds& events) const {
    return probability(events, [&](const reach::World& world, std::uint32_t event) {
      return is_closed(met_in(world, event));
    });
  }

  ClosedFlows closed_by(std::uint32_t number, const reach::EventIds& events) const {
    ClosedFlows closed;
    closed.box = &drawn_.boxes[number];
    std::set<const ProbeResult*> known;
    for (const auto event : events) {
      const auto* result = context_.find(seen(event).probe);
      // Questions to the site's own resolvers are left to the rules about names.
      const bool open =
          failing(*result) && !context_.explained(*result) && !result->probe.target.host.empty();
      if (open && known.insert(result).second) closed.probes.push_back(result);
    }
    for (const auto& flow : context_.flows) {
      const bool its =
          std::ranges::any_of(events, [&](std::uint32_t event) { return is_of(flow, event); });
      if (its && flow.way != Reachability::open) closed.flows.push_back(&flow);
    }
    const auto to_a_stranger = [&](std::uint32_t event) {
      auto other = packet(event);
      other.host = other.name = stranger;
      other.ends_early = other.ends_far = false;
      return other;
    };
    closed.sure = sure_of(events);
    closed.whole_sure = probability(events, [&](const reach::World& world, std::uint32_t event) {
      return is_closed_alike(met_in(world, event), *closed.box);
    });
    closed.near_sure = probability(events, [&](const reach::World& world, std::uint32_t event) {
      const auto met = met_in(world, event);
      return is_closed(met) && met.place == 0;
    });
    closed.ports_sure = probability(events, [&](const reach::World& world, std::uint32_t event) {
      const auto met = reach::fate_in(world, drawn_.boxes, to_a_stranger(event));
      return is_closed_alike(met, *closed.box);
    });
    closed.hosts_sure = probability(events, [&](const reach::World& world, std::uint32_t event) {
      auto other = to_a_stranger(event);
      other.port = any_port;
      const bool all = would_be_closed(world, other);
      other.host = other.name = packet(event).host;
      return !all && would_be_closed(world, other);
    });
    return closed;
  }

  // Also probes whose silence is not an event, and those that passed as far as could be seen.
  void add_others(const reach::World& best, std::map<Part, ClosedFlows>& found) const {
    // Over UDP, surely, and whatever the host; asked for by a row. A few show that a range is cut.
    constexpr std::size_t most_ports = 16;
    std::set<std::uint16_t> closed_ports;
    std::map<std::string_view, std::set<std::uint16_t>> closed_at;  // a host, surely
    for (const auto& [part, closed] : found) {
      const auto& [number, surely, host, udp, port] = part;
      for (const auto* flow : closed.flows) {
        if (surely && flow->udp) closed_at[flow->host].insert(flow->port);
      }
      const bool of_ports = surely && udp && host == stranger;
      if (of_ports && closed_ports.size() < most_ports && context_.any_asked_for(closed.probes))
        closed_ports.insert(port);
    }
    for (const auto& probe : drawn_.asked.probes) {
      const auto& result = *probe.result;
      const bool left = result.observation.outcome == Outcome::passed && !is_inside(result);
      const bool open = failing(result) ? !context_.explained(result) : left;
      if (!open || probe.by_proxy) continue;
      // What was seen to pass speaks for ports between its sample: another host's may be closed.
      const bool silent = is_udp(result) && failing(result);
      const auto& ports = silent ? closed_ports : closed_at[result.probe.target.host];
      for (const auto& asked : packets_of(drawn_.asked, probe, ports)) {
        const auto met = reach::fate_in(best, drawn_.boxes, asked);
        if (!is_lost(met)) continue;
        auto closed = found.find(part_of(met, asked, true));
        if (closed == found.end()) closed = found.find(part_of(met, asked, false));
        if (closed == found.end()) continue;
        auto& list = failing(result) ? closed->second.probes : closed->second.unseen;
        const bool known = contains(list, &result);
        if (!known && is_surely_closed(asked)) list.push_back(&result);
      }
    }
  }
  bool is_surely_closed(const reach::Packet& packet) const {
    const auto closed = [&](const reach::World& world) { return would_be_closed(world, packet); };
    return reach::probability(drawn_.worlds, closed) >= reach::is_likely;
  }

  const Diagnosis& context_;
  const reach::Diagnosis& drawn_;
};

}  // namespace

std::vector<ClosedFlows> closed_flows(const Diagnosis& context) {
  const auto& flows = context.flows;
  const bool any = std::ranges::any_of(flows, [&](const Flow& flow) {
    return flow.way != Reachability::open && !context.open_probes(flow).empty();
  });
  return any ? Reader(context).read() : std::vector<ClosedFlows>();
}

double sure_to_be_closed(const Diagnosis& context, const Flow& flow) {
  return Reader(context).sure_of(flow);
}

}  // namespace callready::findings
