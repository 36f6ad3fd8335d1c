#include "probe/diagnosis/ways/claims.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace callready::findings {
namespace {

// A relay or an echo that works did not hear us on a port that is closed.
bool missed_by_a_relay(const std::vector<const Flow*>& flows) {
  return any_sample(flows, [](const FlowSample& sample) {
    return std::ranges::any_of(sample.result->observation.evidence, [&](const Evidence& evidence) {
      return evidence.kind == EvidenceKind::udp_port &&
             detail_fact(evidence, Fact::result) == DetailCode::dropped &&
             number_fact(evidence, Fact::port) == sample.port &&
             !text_fact(evidence, Fact::responder).empty();
    });
  });
}

bool of_a_range(const FlowSample& sample) {
  const auto& probe = sample.result->probe;
  return probe.check == CheckKind::udp_range && !probe.target.ports.single();
}

// Packets to it were seen to leave; or it is silent, like another host of the same operator on the
// same port to which packets leave: then the fault is beyond the site for this one, too.
bool is_beyond(const Facts& facts, const Flow& flow) {
  if (flow.way != Reachability::lost) return flow.way == Reachability::left;
  return std::ranges::any_of(facts.flows, [&](const Flow& other) {
    return other.udp == flow.udp && other.port == flow.port && other.party == flow.party &&
           other.way == Reachability::left && any_sample(other, went_unanswered);
  });
}

// How many servers: two names may lead to one.
std::size_t servers_of(const std::vector<const Flow*>& flows) {
  const auto server = [](const Flow& flow) {
    const auto& address = flow.samples.front().result->observation.address;
    return address ? address->to_string() : flow.host;
  };
  return set_of(flows, server).size();
}

constexpr std::size_t many = 3;  // flows: too many to be lost by chance

// Many TCP flows are lost on these ports, and none on others.
bool are_alone(const Facts& facts, const std::vector<const Flow*>& flows) {
  const auto ports = set_of(flows, &Flow::port);
  return flows.size() >= many && std::ranges::none_of(facts.flows, [&](const Flow& flow) {
           return !flow.udp && went(flow, Reachability::lost) && !ports.contains(flow.port);
         });
}

// Few enough for a line that loses packets, or for a limit on new flows, to explain them.
bool may_be_chance(const Facts& facts, const Claim& claim, bool told) {
  // A TCP port that fails in two networks: only a limit that was measured explains it, and not if
  // that port is lost at many hosts, and no other.
  const bool tcp_port = claim.code == FindingCode::firewall_tcp_port_blocked &&
                        set_of(claim.flows, &Flow::network).size() > 1;
  const bool limited = tcp_port ? new_flows_are_limited(facts) && !are_alone(facts, claim.flows)
                                : new_flows_may_be_limited(facts);
  if (limited && !told) return true;
  return facts.line_loses() && claim.flows.size() < many &&
         std::ranges::none_of(claim.flows,
                              [&](const Flow* flow) { return firmly_blocked(facts, *flow); });
}

// What no row asks for may be closed for that reason alone.
bool is_asked_for(const Facts& facts, const Claim& claim) {
  return facts.any_asked_for(claim.unseen) ||
         std::ranges::any_of(claim.flows, [&](const Flow* flow) { return facts.asked_for(*flow); });
}

// Silence alone shows no device. For a single flow, and for UDP that dies without a word, no
// device has said that it is the flow or the port that is closed.
Confidence most_of(const Facts& facts, const Claim& claim) {
  const bool told = any_sample(claim.flows, &FlowSample::turned_away);
  if (may_be_chance(facts, claim, told) || !is_asked_for(facts, claim)) return possible;
  switch (claim.code) {
    case FindingCode::firewall_tcp_port_blocked:
    case FindingCode::firewall_destination_blocked:
      return claim.blocked ? certain : likely;
    case FindingCode::firewall_flow_blocked:
      return likely;
    default:
      return told || missed_by_a_relay(claim.flows) ? certain : likely;
  }
}

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

  // That a device on the way closes that flow, for whatever reason.
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
    for (const auto event : events) {
      const auto* result = context_.find(seen(event).probe);
      // Questions to the site's own resolvers are left to the rules about names.
      const bool open =
          failing(*result) && !context_.explained(*result) && !result->probe.target.host.empty();
      if (open) add_once(closed.probes, result);
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
      return is_closed(met) && met.place == reach::BoxPlace::at_site;
    });
    // By any box of that world: what looks into packets may stop this one before the rule does.
    closed.ports_sure = probability(events, [&](const reach::World& world, std::uint32_t event) {
      const auto other = to_a_stranger(event);
      return std::ranges::any_of(world.boxes, [&](std::uint32_t one) {
        return is_closed_alike({.fate = reach::fate_of(drawn_.boxes[one], other), .box = one},
                               *closed.box);
      });
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
  const reach::Drawn& drawn_;
};

bool surely_share_a_box(const Claim& one, const Claim& other) {
  return one.box != nullptr && one.box == other.box &&
         std::min(one.sure, other.sure) >= reach::is_likely;
}

// One range of their box's ports has the ports of both, or it closes all.
bool share_a_range(const Claim& one, const Claim& other) {
  const auto& [ports, hosts] = std::tie(one.box->ports, one.box->hosts);
  if (ports.empty() && hosts.empty()) return true;  // all of them
  return std::ranges::any_of(ports, [&](const PortRange& range) {
    const auto within = [&](const Flow* flow) { return range.contains(flow->port); };
    return std::ranges::all_of(one.flows, within) && std::ranges::all_of(other.flows, within);
  });
}

}  // namespace

bool Claim::goes_with(const Claim& other) const {
  const bool of_ports = is_of_ports() && other.is_of_ports();
  if (beyond != other.beyond) return false;
  if (of_ports && udp() != other.udp()) return false;
  // What one box surely closes is no more by chance than all of it together.
  const bool one_box = surely_share_a_box(*this, other);
  if (one_box && of_ports && udp() && share_a_range(*this, other)) return true;
  if (code != other.code) return false;
  if (one_box && !of_ports && !beyond && !is_destination()) return true;
  const bool as_seen = of_ports || blocked == other.blocked;
  // The ends of a range are tried with others, too; what is between them hardly is.
  const bool hosts = is_range() || by_hosts == other.by_hosts;
  const bool one_rule = is_range() && one_box;
  return (one_rule || is_weak() == other.is_weak()) && as_seen && hosts && party == other.party;
}

void Claim::add(const Claim& other) {
  sure = std::min(sure, other.sure);
  if (other.is_range()) code = other.code;
  by_hosts &= other.by_hosts;
  blocked |= other.blocked;
  confidence = std::max(confidence, other.confidence);
  add_new(flows, other.flows);
  add_new(probes, other.probes);
  add_new(unseen, other.unseen);
}

void Claim::weigh(const Facts& facts) {
  // What is silent further out, and not by its port, is as likely the far end's fault.
  const bool weak = beyond && !blocked && code == FindingCode::firewall_flow_blocked;
  confidence = weak ? possible : std::max(reach::confidence_of(sure), most_of(facts, *this));
}

Claim claim_of(const Facts& facts, const ClosedFlows& closed) {
  Claim claim{closed};
  claim.blocked = any_blocked(claim.flows);
  // What was lost over UDP says nothing about TCP that was only seen to leave, nor the other way
  // round.
  std::erase_if(claim.unseen, [&](const ProbeResult* result) {
    return !(is_udp(*result) ? claim.udp() : claim.tcp());
  });
  const auto& box = *closed.box;
  const bool wide_ports = closed.ports_sure >= reach::is_likely;
  const bool wide_hosts = closed.hosts_sure >= reach::is_likely;
  // A device that names itself need not be placed.
  claim.beyond = box.beyond && !reach::names_itself(box.fate);
  if (reach::at_far_end(box)) {
    claim.beyond = std::ranges::any_of(closed.flows,
                                       [&](const Flow* flow) { return is_beyond(facts, *flow); });
  }
  const bool elsewhere = closed.ports_sure <= 1 - reach::is_likely;  // the ports are open
  const bool is_destination = box.kind != reach::Kind::rule && box.ports.empty() && !claim.beyond &&
                              elsewhere && closed.flows.size() > 1;
  const bool several = set_of(closed.flows, &Flow::network).size() > 1;
  const bool nowhere =
      !elsewhere && !claim.beyond && (!claim.udp() || closed.whole_sure >= reach::is_likely);
  // To a firewall what goes to port 53 is DNS, whatever it carries.
  const bool dns = set_of(closed.flows, &Flow::port).contains(dns_port);
  // From one network alone, only a block at this site can be told from one farther out.
  const bool near = servers_of(closed.flows) > 1 && closed.near_sure >= reach::is_likely;
  const bool one_will_do = !claim.beyond && (claim.udp() || near);
  const bool one_transport = claim.udp() != claim.tcp();  // a sentence about ports names one
  const bool is_port = one_transport && !dns && (wide_ports || nowhere) && (one_will_do || several);
  if (wide_hosts || is_destination) {
    claim.code = FindingCode::firewall_destination_blocked;
  } else if (is_port) {
    claim.code = !claim.udp()                           ? FindingCode::firewall_tcp_port_blocked
                 : any_sample(closed.flows, of_a_range) ? FindingCode::firewall_udp_range_blocked
                                                        : FindingCode::firewall_udp_port_blocked;
    claim.by_hosts = !wide_ports || !several;
  } else {
    claim.party = claim.beyond ? "" : closed.flows.front()->party;
  }
  claim.sure = wide_hosts ? closed.hosts_sure : closed.sure;
  claim.weigh(facts);
  return claim;
}

Claim claim_of(const Diagnosis& context, const Flow& flow) {
  Claim claim;
  claim.flows = {&flow};
  claim.blocked = flow.way == Reachability::blocked;
  claim.beyond = is_beyond(context, flow);
  claim.party = claim.beyond ? "" : flow.party;
  claim.sure = claim.blocked ? Reader(context).sure_of(flow) : 0;
  claim.weigh(context);
  return claim;
}

std::vector<ClosedFlows> closed_flows(const Diagnosis& context) {
  const auto& flows = context.flows;
  const bool any = std::ranges::any_of(flows, [&](const Flow& flow) {
    return flow.way != Reachability::open && !context.open_probes(flow).empty();
  });
  return any ? Reader(context).read() : std::vector<ClosedFlows>();
}

}  // namespace callready::findings
