// The second round's packets that end on the way, to the routers that speak: of those that could be
// sent, the ones that show what the likeliest world is made of, and those whose fates divide the
// likely worlds best (reach/question.hpp).
#include <algorithm>
#include <array>
#include <tuple>

#include "probe/diagnosis/questions/questions.hpp"
#include "probe/diagnosis/reach/clues.hpp"
#include "probe/diagnosis/reach/question.hpp"
#include "probe/diagnosis/ways/flow_groups.hpp"
#include "probe/model/port_order.hpp"

namespace callready {
namespace {

// This many in one look, and of these, this many that show what the likeliest world is made of.
constexpr std::size_t most_at_once = 16, most_witnesses = 10;
// Two hosts show what one cannot, more show no more.
constexpr std::size_t hosts_per_box = 2;
constexpr std::size_t most_ports = 6, most_hosts_of_ranges = 3;
// Of servers that refuse: a firewall may list ports, but an operator who closes a service closes
// all of it.
constexpr std::size_t most_ports_of_servers = 3;
// Where no UDP gets out, three ports prove that it is not one port: these are asked for besides the
// service's own.
constexpr std::array<std::uint16_t, 2> other_udp_ports{443, 50'000};
// The same for TCP: SIP over TLS, XMPP, TURN, and one of nobody in particular.
constexpr std::array<std::uint16_t, 4> other_tcp_ports{5061, 5222, 3478, 8443};

// A packet that could be sent as far as the routers that speak.
struct Candidate {
  bool udp = false;
  std::string host;
  std::uint16_t port = 0;
  Cargo cargo = Cargo::rtp;  // over UDP one that the check `hop` knows
  bool climbed = false;      // to where the routers on its own way end, not those of all ways

  friend auto operator<=>(const Candidate&, const Candidate&) = default;
};

void ask_the_way(const Candidate& packet, With with, Questions& questions) {
  if (packet.udp) with["payload"] = to_string(packet.cargo);
  questions.ask(Purpose::way_out, CheckKind::hop, packet.udp ? Transport::udp : Transport::tcp,
                packet.host, packet.port, std::move(with));
}

// Where it was reached: of several addresses of one name one may be down. Null: not known.
const IpAddress* reached_at(const Flow& flow) {
  for (const auto& sample : flow.samples) {
    const auto& address = sample.result->observation.address;
    if (sample.way == Reachability::open && address) return &*address;
  }
  return nullptr;
}

// A TCP listener that was reached: the control of every wave, and a host whose other ports are not
// the service's.
const Flow* find_control(const Facts& facts) {
  const auto intercepted = intercepted_ports(facts);
  const auto open =
      facts.select([](const Flow& flow) { return !flow.udp && reached_at(flow) != nullptr; });
  const auto best = std::ranges::max_element(open, {}, [&](const Flow* flow) {
    const bool anchor = flow->samples.front().result->probe.control();
    return std::tuple(!intercepted.contains(flow->port), anchor, flow->port == 443);
  });
  return best == open.end() ? nullptr : *best;
}

bool is_blocked(const Facts& facts, std::uint16_t udp_port) {
  return std::ranges::any_of(facts.flows, [&](const Flow& flow) {
    return flow.udp && flow.port == udp_port && flow.way == Reachability::blocked;
  });
}

// Where nothing but web traffic was seen to get out: is it these ports, or all? Packets that end on
// the way need no listener.
void ask_beyond_the_set(const Facts& facts, const With& control, Questions& questions) {
  auto lost = udp_flows(facts);
  // A refusal may be a device's own.
  if (std::ranges::any_of(
          lost, [](const Flow* flow) { return heard(*flow) || went(*flow, Reachability::left); }))
    return;
  std::erase_if(lost, [&](const Flow* flow) {
    return !any_sample(*flow, [&](const FlowSample& sample) {
      return failing(*sample.result) && facts.asked_for(*sample.result);
    });
  });
  if (lost.empty()) return;
  std::map<std::string, std::size_t> ports;
  for (const auto& flow : facts.flows) ++ports[flow.host];
  // To the host with the fewest ports, for the pacer's sake.
  const auto* fewest =
      *std::ranges::min_element(lost, {}, [&](const Flow* flow) { return ports[flow->host]; });
  for (const auto port : other_udp_ports) {
    if (!is_blocked(facts, port)) ask_the_way({true, fewest->host, port}, control, questions);
  }
  std::set<std::uint16_t> other_tcp;
  std::map<std::string, std::string> web;  // hosts whose HTTPS answers, by network
  for (const auto& flow : facts.flows) {
    if (flow.udp) continue;
    if (flow.port != 80 && flow.port != 443) {
      if (out(flow)) return;
      other_tcp.insert(flow.port);
    } else if (flow.port == 443 && flow.way == Reachability::open) {
      web.emplace(flow.network, flow.host);
    }
  }
  if (web.size() < 2) return;
  auto next = web.begin();
  for (const auto port : other_tcp_ports) {
    if (other_tcp.contains(port)) continue;
    ask_the_way({false, next->second, port}, control, questions);
    if (++next == web.end()) next = web.begin();
  }
}

// Packets died there once, on a way where others of that host got out or were not tried: a bad line
// does that, too.
bool died_once(const Facts& facts, const Flow& flow) {
  const auto only_once = [&](const Flow& one) {
    return one.way == Reachability::blocked && !firmly_blocked(facts, one);
  };
  if (!only_once(flow)) return false;
  const auto alike = std::ranges::count_if(facts.flows, [&](const Flow& other) {
    return other.udp == flow.udp && other.host == flow.host && only_once(other);
  });
  return alike <= findings::most_by_chance && facts.asked_for(flow);
}

// What stands for that on the way: what is inspected is sent as it is, all else as media.
Cargo sent_as(bool udp, Cargo cargo) {
  if (!udp) return Cargo::none;
  return cargo == Cargo::stun || cargo == Cargo::turn || cargo == Cargo::sip ? cargo : Cargo::rtp;
}

// The likeliest world has a box that this flow's packets meet.
bool is_explained(const reach::Drawn& drawn, const Flow& flow) {
  const auto& events = drawn.sight.events.flows;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& sent = events[i].flow;
    const bool its = sent.udp == flow.udp && sent.host == flow.host && sent.port == flow.port;
    if (its && reach::fate_in(drawn.worlds.front(), drawn.boxes, drawn.sight, i).met()) return true;
  }
  return false;
}

// They may have died by chance. Nobody has to listen there: the way is its own control. Where rows
// suffer, worlds have asked about what they explain.
void ask_once_more(const Diagnosis& context, bool suffers, Questions& questions) {
  const auto flows = context.select([&](const Flow& flow) {
    return died_once(context, flow) && !(suffers && is_explained(context.worlds(), flow));
  });
  for (const auto* flow : first_of(flows, most_ports)) {
    const auto died = std::ranges::find(flow->samples, Reachability::blocked, &FlowSample::way);
    ask_the_way({flow->udp, flow->host, flow->port, sent_as(flow->udp, died->cargo)},
                flow->udp ? With() : With{{"again", "true"}}, questions);
  }
}

class Candidates {
 public:
  explicit Candidates(const Report& report) {
    for (const auto& [probe, seen] : report.probes) {
      if (probe.check != CheckKind::hop || seen.outcome == Outcome::skipped) continue;
      const bool udp = probe.target.transport == Transport::udp;
      known_.insert({udp, probe.target.host, probe.target.port(),
                     sent_as(udp, findings::cargo_of(probe)), !probe.with.contains("control")});
    }
  }

  // Nothing where it has been sent.
  void add(Candidate candidate) {
    candidate.cargo = sent_as(candidate.udp, candidate.cargo);
    if (known_.insert(candidate).second) list.push_back(std::move(candidate));
  }

  std::vector<Candidate> list;

 private:
  std::set<Candidate> known_;
};

// In likely worlds something is lost that a row asks for.
bool any_row_suffers(const reach::Drawn& drawn) {
  constexpr double hardly = .02;
  const auto suffers = [&](const reach::World& world) {
    return std::ranges::any_of(drawn.asked.packets, [&](const reach::Packet& packet) {
      return reach::loses(reach::fate_in(world, drawn.boxes, packet).fate);
    });
  };
  return reach::probability(drawn.worlds, suffers) >= hardly;
}

// Of a host outside, on a port that is known.
bool may_be_asked_about(const Facts& facts, const FlowEvent& event) {
  const auto* result = facts.find(event.probe);
  const bool outside = result != nullptr && !is_inside(*result);
  return outside && event.flow.port != 0 && event.flow.port != dns_port;
}

// What the packet of each event meets in the likeliest world; of those that may not be asked about,
// nothing.
std::vector<reach::Met> met_in_best(const Facts& facts, const reach::Drawn& drawn) {
  const auto& events = drawn.sight.events.flows;
  std::vector<reach::Met> met(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!may_be_asked_about(facts, events[i])) continue;
    met[i] = reach::fate_in(drawn.worlds.front(), drawn.boxes, drawn.sight, i);
  }
  return met;
}

// The events that this box of the likeliest world has lost the whole way. At the far end: those for
// which nobody knows who refused.
std::vector<std::size_t> lost_by(std::uint32_t box, const reach::Drawn& drawn,
                                 const std::vector<reach::Met>& met) {
  const bool far = reach::at_far_end(drawn.boxes[box]);
  std::vector<std::size_t> lost;
  for (std::size_t i = 0; i < met.size(); ++i) {
    if (met[i].box != box || drawn.sight.packets[i].ends_early) continue;
    if (!reach::stops(met[i].fate) && met[i].fate != reach::Fate::take) continue;
    if (!far || drawn.sight.events.flows[i].seen == Seen::refused) lost.push_back(i);
  }
  return lost;
}

// The packets that show what a box does, of those that it has lost: of two hosts, of the second on
// the lowest port; of a list of ports one on each. Those that were sent on the way count.
std::vector<std::size_t> witnesses_of(const reach::Box& box, const std::vector<std::size_t>& lost,
                                      const reach::Sight& sight) {
  const auto& packets = sight.packets;
  const auto flow_of = [&](const reach::Packet& packet) {
    return std::tuple(packet.udp, packet.host, packet.port);
  };
  std::set<std::tuple<bool, reach::HostId, std::uint16_t>> sent;
  for (const auto& packet : packets) {
    if (packet.ends_early) sent.insert(flow_of(packet));
  }
  std::vector<std::size_t> chosen;
  std::set<reach::HostId> hosts;
  std::set<std::uint16_t> ports;
  const auto note = [&](std::size_t event) {
    hosts.insert(packets[event].host);
    ports.insert(packets[event].port);
  };
  for (const auto event : lost) {
    if (sent.contains(flow_of(packets[event]))) note(event);
  }
  const auto choose = [&](std::size_t event) {
    chosen.push_back(event);
    note(event);
  };
  if (hosts.empty()) choose(lost.front());
  auto others = lost;
  std::erase_if(others, [&](std::size_t event) { return hosts.contains(packets[event].host); });
  if (hosts.size() < hosts_per_box && !others.empty()) {
    choose(*std::ranges::min_element(others, {},
                                     [&](std::size_t event) { return packets[event].port; }));
  }
  const auto most = reach::at_far_end(box) ? most_ports_of_servers : most_ports;
  for (const auto event : lost) {
    const auto port = packets[event].port;
    const bool listed = contains(box.ports, reach::single(port));
    if (listed && !ports.contains(port) && ports.size() < most) choose(event);
  }
  return chosen;
}

// Where a box of the likeliest world has stopped nothing but media: does anything else pass there?
// Asked twice, since one packet may have taken another path.
void add_beside_media(const reach::Drawn& drawn, const std::vector<reach::Met>& met,
                      Candidates& candidates) {
  const auto& sight = drawn.sight;
  for (const auto number : drawn.worlds.front().boxes) {
    const reach::Packet *first = nullptr, *second = nullptr;
    bool others = false;
    for (std::size_t i = 0; i < met.size(); ++i) {
      if (met[i].box != number || !reach::stops(met[i].fate)) continue;
      const auto& packet = sight.packets[i];
      others |= !packet.udp || packet.cargo != Cargo::rtp;
      if (first == nullptr) first = &packet;
      if (packet.host != first->host || packet.port != first->port) second = &packet;
    }
    if (first == nullptr || others) continue;
    candidates.add({true, sight.hosts[first->host], first->port, Cargo::stun});
    if (second != nullptr) {
      candidates.add({true, sight.hosts[second->host], second->port, Cargo::stun});
    } else {
      candidates.add({true, sight.hosts[first->host], first->port, Cargo::sip});
    }
  }
}

// A rule that names ports but no host, and that packets to one host only have met, may be about
// that host. Do packets to the control's host meet it, too? Asked over each transport.
void add_second_hosts(const reach::Drawn& drawn, const std::vector<reach::Met>& met,
                      const Flow& control, Candidates& candidates) {
  for (const auto number : drawn.worlds.front().boxes) {
    const auto& box = drawn.boxes[number];
    const bool by_port = box.kind == reach::Kind::rule && !box.ports.empty() && box.hosts.empty();
    if (!by_port || box.beyond) continue;
    std::set<reach::HostId> hosts;
    std::map<bool, std::uint16_t> ports;  // over UDP (true) or TCP: the first that was lost
    for (std::size_t i = 0; i < met.size(); ++i) {
      if (met[i].box != number || !reach::stops(met[i].fate)) continue;
      const auto& packet = drawn.sight.packets[i];
      hosts.insert(packet.host);
      ports.try_emplace(packet.udp, packet.port);
    }
    if (hosts.size() > 1 || hosts.contains(drawn.sight.host_id(control.host))) continue;
    for (const auto& [udp, port] : ports) candidates.add({udp, control.host, port});
  }
}

// Shows what a box is thought to do: how its packets fare on the way, over UDP next to media on the
// same port, which a filter for STUN or SIP lets through; and, of what dies further out, whether a
// stranger's packet gets as far as the vendors' do. `silent`: what no box of it explains.
void add_witnesses(const reach::Drawn& drawn, const std::vector<reach::Met>& met,
                   const std::vector<std::size_t>& silent, Candidates& candidates) {
  const auto& sight = drawn.sight;
  const auto of = [&](std::size_t event, Cargo cargo = Cargo::rtp, bool climbed = false) {
    const auto& packet = sight.packets[event];
    candidates.add({packet.udp, sight.hosts[packet.host], packet.port, cargo, climbed});
  };
  // What may be read is sent together with what is not: each later look costs another second.
  const auto as_it_is_and_as_media = [&](std::size_t event) {
    of(event, sight.packets[event].cargo);
    of(event);
  };
  for (const auto number : drawn.worlds.front().boxes) {
    const auto lost = lost_by(number, drawn, met);
    if (lost.empty()) continue;
    const auto& box = drawn.boxes[number];
    for (const auto event : witnesses_of(box, lost, sight)) as_it_is_and_as_media(event);
    const auto by_udp =
        std::ranges::find_if(lost, [&](std::size_t event) { return sight.packets[event].udp; });
    if (box.cargoes != 0 && by_udp != lost.end()) of(*by_udp);
    const auto stranger = std::ranges::find_if(lost, [&](std::size_t event) {
      return sight.packets[event].udp && sight.events.flows[event].control;
    });
    const bool any_host = box.beyond && box.hosts.empty();
    if (any_host && stranger != lost.end()) of(*stranger, sight.packets[*stranger].cargo, true);
  }
  for (const auto event : silent) as_it_is_and_as_media(event);
}

// Where connections get no answer and nothing was heard over UDP, datagrams that were seen to leave
// may have ended before the device that drops the connections. Does one get past it?
void add_datagram_past_it(const Facts& facts, const reach::Drawn& drawn, Candidates& candidates) {
  const PacketFlow* left = nullptr;  // the first datagram's
  bool drops = false;
  for (const auto& event : drawn.sight.events.flows) {
    const auto& [udp, seen] = std::tie(event.flow.udp, event.seen);
    if (!may_be_asked_about(facts, event)) continue;
    if (udp && reach::is_heard(event)) return;
    drops |= !udp && (seen == Seen::nothing || seen == Seen::dropped);
    if (udp && seen == Seen::expired && left == nullptr) left = &event.flow;
  }
  if (drops && left != nullptr) candidates.add({true, left->host, left->port});
}

// For each flow that died, or was only seen to leave: with its own payload, as media, to the
// control's host, and, of strangers, as far as its own way goes; over UDP, where a row asks for a
// range around it, also to the ends of that. If a connection was established and carried nothing,
// or was taken nearby, also for each that was only established, and to the control, which works: a
// device that takes all connections may carry that one on.
void add_all(const Facts& facts, const reach::Sight& sight, const Flow& control,
             Candidates& candidates) {
  const bool taken = std::ranges::any_of(sight.events.flows, [](const FlowEvent& event) {
    return event.seen == Seen::taken || event.seen == Seen::mute;
  });
  if (taken) candidates.add({false, control.host, control.port});
  for (const auto& [packet, event] : sight.seen_packets()) {
    const bool left = packet.udp && event.seen == Seen::expired;
    const bool only_open = taken && !packet.udp && event.seen == Seen::open;
    const bool in_doubt = reach::is_bad(event.seen) || left || only_open;
    if (!in_doubt || !may_be_asked_about(facts, event)) continue;
    const auto& host = event.flow.host;
    candidates.add({packet.udp, host, packet.port, packet.cargo});
    candidates.add({packet.udp, host, packet.port});
    candidates.add({packet.udp, control.host, packet.port});
    if (!packet.udp) continue;
    if (event.control) candidates.add({true, host, packet.port, packet.cargo, true});
    const auto rows = sight.asked.find({true, packet.host});
    if (rows == sight.asked.end()) continue;
    for (const auto& range : rows->second) {
      if (!range.contains(packet.port)) continue;
      for (const auto port : {range.first, range.last}) candidates.add({true, host, port});
    }
  }
}

// The middle of the largest gap between the ports in that range that the box has closed over UDP.
// Nothing if it has closed fewer than two, or neighbours.
std::optional<Candidate> between_closed_ports(const reach::Box& box, const PortRange& range,
                                              const reach::Sight& sight) {
  std::map<std::uint16_t, reach::HostId> closed;
  for (const auto& [packet, event] : sight.seen_packets()) {
    const bool lost = reach::is_bad(event.seen) && reach::loses(reach::fate_of(box, packet));
    if (packet.udp && lost && range.contains(packet.port))
      closed.try_emplace(packet.port, packet.host);
  }
  int widest = 1;
  std::optional<Candidate> middle;
  const std::pair<const std::uint16_t, reach::HostId>* lower = nullptr;
  for (const auto& next : closed) {
    const int gap = lower == nullptr ? 0 : next.first - lower->first;
    if (gap > widest) {
      widest = gap;
      middle = {true, sight.hosts[lower->second],
                static_cast<std::uint16_t>(lower->first + gap / 2)};
    }
    lower = &next;
  }
  return middle;
}

// For the ranges of ports that the two likeliest worlds have rules for: a list of ports leaves open
// what is between them.
void add_between(const reach::Drawn& drawn, Candidates& candidates) {
  for (const auto& world : first_of(drawn.worlds, 2)) {
    for (const auto number : world.boxes) {
      const auto& box = drawn.boxes[number];
      if (box.kind != reach::Kind::rule) continue;
      for (const auto& range : box.ports) {
        if (auto middle = between_closed_ports(box, range, drawn.sight)) candidates.add(*middle);
      }
    }
  }
}

void ask_by_worlds(const Diagnosis& context, const Flow& control, const With& through,
                   const std::vector<std::size_t>& silent, Questions& questions) {
  const auto& drawn = context.worlds();
  Candidates candidates(context.report);
  const auto& list = candidates.list;
  add_datagram_past_it(context, drawn, candidates);
  const auto met = met_in_best(context, drawn);
  add_witnesses(drawn, met, silent, candidates);
  add_second_hosts(drawn, met, control, candidates);
  add_beside_media(drawn, met, candidates);
  const auto witnesses = std::min(list.size(), most_witnesses);
  add_all(context, drawn.sight, control, candidates);
  add_between(drawn, candidates);
  std::vector<reach::Packet> packets;
  for (const auto& [udp, host, port, cargo, climbed] : list) {
    auto& packet = packets.emplace_back(drawn.sight.packet_of({udp, host, {}, port, cargo, {}}));
    packet.ends_early = true;
    packet.ends_far = climbed;
  }
  auto chosen = first_of(list, witnesses);
  for (const auto number : reach::most_telling(packets, witnesses, drawn.boxes, drawn.worlds,
                                               most_at_once - witnesses)) {
    chosen.push_back(list[number]);
  }
  for (const auto& packet : chosen)
    ask_the_way(packet, packet.climbed ? With() : through, questions);
}

bool is_range(const Probe& probe) { return probe.check == CheckKind::udp_range; }
bool is_range(const Flow& flow) { return is_range(flow.samples.front().result->probe); }

// The second round has seen packets to that media range leave the site.
bool was_seen_to_leave(const Flow& flow) {
  return flow.udp && is_range(flow) && any_sample(flow, [](const FlowSample& sample) {
           return sample.result->probe.purpose == Purpose::way_out &&
                  sample.result->observation.detail == DetailCode::left_site;
         });
}

// A packet died or was turned away, or a server that answers everybody was silent.
bool is_in_trouble(const Flow& flow) {
  const bool lost = flow.way == Reachability::lost && !is_range(flow);
  return lost || flow.way == Reachability::blocked || flow.way == Reachability::refused;
}

// A device on the way closed a port of a public server, and that port lies in a media range whose
// sample passed: is it closed to the service's host as well, and how far around it?
void ask_within_ranges(const Facts& facts, Questions& questions) {
  const auto& probes = facts.report.probes;
  const auto of_closed_port = [](const ProbeResult& result) {
    return is_range(result.probe) && result.probe.purpose == Purpose::way_out;
  };
  if (facts.any_probe(of_closed_port)) return;  // it has tried what lies around, too
  const auto of_anchor = [](const FlowSample& sample) {
    return sample.result->probe.purpose == Purpose::control;
  };
  for (const auto& flow : facts.flows) {
    if (!flow.udp || flow.way != Reachability::blocked || facts.asked_for(flow)) continue;
    if (!any_sample(flow, of_anchor)) continue;  // asked about because a row's own port is closed
    const auto range = std::ranges::find_if(probes, [&](const ProbeResult& result) {
      return is_range(result.probe) && result.observation.outcome == Outcome::passed &&
             !is_inside(result) && result.probe.target.ports.contains(flow.port);
    });
    if (range == probes.end()) continue;
    auto again = range->probe;
    again.purpose = Purpose::way_out;
    again.with["closed"] = std::to_string(flow.port);  // tried first
    questions.ask(std::move(again));
    return;
  }
}

// Media hosts whose ranges have shown nothing, where packets to others were seen to leave: do
// theirs leave as well? One port each, the farthest from those that are known to be open.
void ask_for_silent_ranges(const Facts& facts, const With& through, Questions& questions,
                           bool hurried) {
  const auto left =
      facts.select([](const Flow& flow) { return flow.udp && is_range(flow) && out(flow); });
  if (left.empty()) return;
  const auto open = set_of(left, &Flow::port);
  const auto in_trouble = facts.select(is_in_trouble);
  // Something is wrong over UDP. Else each more port that is asked for costs a router one of its
  // few answers.
  const bool suffers = std::ranges::any_of(in_trouble, &Flow::udp);
  std::map<std::string, std::uint16_t> silent;  // a port of each host
  for (const auto& flow : facts.flows) {
    if (!flow.udp || flow.way != Reachability::lost || !is_range(flow)) continue;
    const auto& range = flow.samples.front().result->probe.target.ports;
    const auto port = open.lower_bound(range.first);
    const bool covered = port != open.end() && *port <= range.last;
    if (!suffers && covered) continue;
    auto& chosen = silent.try_emplace(flow.host, flow.port).first->second;
    if (distance_to_nearest(flow.port, open) > distance_to_nearest(chosen, open))
      chosen = flow.port;
  }
  // Whom the routers were not asked about, since the same ports passed to others.
  const auto troubled = set_of(in_trouble, &Flow::host);
  for (const auto& [probe, seen] : facts.report.probes) {
    if (seen.detail != DetailCode::spared || probe.target.sample.empty()) continue;
    const auto& host = probe.target.host;
    if (suffers || troubled.contains(host)) silent.try_emplace(host, probe.target.sample.front());
  }
  for (const auto& flow : facts.flows) {
    if (flow.udp && is_range(flow) && flow.way != Reachability::lost) silent.erase(flow.host);
  }
  // Those that an earlier look has asked about count: each look would ask about others, and the run
  // end ever later.
  const auto known = hurried ? left : facts.select(was_seen_to_leave);
  auto asked = set_of(known, &Flow::host).size();
  for (const auto& [host, port] : silent) {
    if (asked++ >= most_hosts_of_ranges) return;
    ask_the_way({true, host, port}, through, questions);
  }
}

}  // namespace

std::set<std::uint16_t> intercepted_ports(const Facts& facts) {
  return findings::ports_of(facts.probes_that(
      [](const ProbeResult& result) { return is_direct(result) && has_foreign_root(result); }));
}

bool udp_is_shut(const Diagnosis& context) {
  const auto closed = closed_udp(context);
  if (!closed || closed->confidence != Confidence::certain || closed->replies_from) return false;
  // Ports that no service of the set has: a firewall with an allow list may know those.
  return std::ranges::all_of(other_udp_ports,
                             [&](std::uint16_t port) { return is_blocked(context, port); });
}

void ask_for_ways(const Diagnosis& context, Questions& questions, bool hurried) {
  const auto* control = find_control(context);
  if (control == nullptr) return ask_once_more(context, false, questions);
  const SocketAddress listener{*reached_at(*control), control->port};
  const With through{{"control", listener.to_string()}};
  ask_beyond_the_set(context, through, questions);
  const bool any_in_doubt = std::ranges::any_of(context.flows, [](const Flow& flow) {
    return flow.port != dns_port && flow.way != Reachability::open;
  });
  bool suffers = false;
  if (any_in_doubt) {
    const auto& drawn = context.worlds();
    suffers = any_row_suffers(drawn);
    // Silences that no box of the likeliest world explains: do such packets leave?
    auto silent = reach::left_over(drawn);
    std::erase_if(silent, [&](std::size_t number) {
      const auto& event = drawn.sight.events.flows[number];
      return event.seen != Seen::nothing || event.ends_early || !may_be_asked_about(context, event);
    });
    if (suffers || !silent.empty()) ask_by_worlds(context, *control, through, silent, questions);
  }
  ask_once_more(context, suffers, questions);
  ask_within_ranges(context, questions);
  ask_for_silent_ranges(context, through, questions, hurried);
}

}  // namespace callready
