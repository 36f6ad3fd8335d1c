// UDP, all of it, or its replies, or all but the web (docs/design.md, "How neighbours are told
// apart", 4): worlds decide it. And media that goes one way: relays that we made ourselves, or a
// far end of our own, hear us, and what they send back does not come in.
#include <algorithm>
#include <array>
#include <map>

#include "probe/diagnosis/ways/by_worlds.hpp"
#include "probe/diagnosis/ways/flow_groups.hpp"

namespace callready::findings {
namespace {

// What to a firewall is DNS, whatever it carries.
bool is_dns(const reach::Packet& packet) {
  return packet.cargo == Cargo::dns || packet.port == dns_port;
}

// Firewall rules that let none of certain packets through except DNS, whatever they carry and to
// whom. None of those that were sent got through, and what a rule leaves open, another box of its
// world closes. A list of three ports or more counts as all if it has every port that was tried.
class AllClosed {
 public:
  using OfPackets = bool (*)(const reach::Packet&);
  AllClosed(const Diagnosis& context, OfPackets such)
      : context_(context), drawn_(context.worlds()), such_(such) {}

  bool by(const reach::Box& box, const reach::World& world) {
    const auto& left = left_by(box);
    return left && std::ranges::all_of(*left, [&](std::size_t number) {
             return loses(fate_in(world, drawn_.boxes, drawn_.sight.packets[number]).fate);
           });
  }

 private:
  // The numbers of the packets that it leaves open; nothing: it is not such a rule. Kept, since
  // many worlds have the same boxes.
  const std::optional<std::vector<std::size_t>>& left_by(const reach::Box& box) {
    const auto [known, fresh] = left_.try_emplace(&box);
    auto& left = known->second;
    if (!fresh || box.kind != reach::Kind::rule || !box.hosts.empty() || box.cargoes != 0)
      return left;
    constexpr std::size_t several = 3;
    constexpr std::array got_through{Seen::reply, Seen::arrived, Seen::talk, Seen::refused_far};
    const auto& sight = drawn_.sight;
    std::set<std::uint16_t> ports;
    std::vector<std::size_t> spared;
    for (std::size_t i = 0; i < sight.packets.size(); ++i) {
      const auto& packet = sight.packets[i];
      const auto& event = sight.events.flows[i];
      const bool ends_before = packet.ends_before_device || (packet.ends_early && box.beyond);
      if (is_dns(packet) || !such_(packet) || ends_before) continue;
      // An error that comes back says nothing about replies.
      const bool no_reply = box.fate == reach::Fate::deaf && event.seen == Seen::arrived;
      const bool contradicted =
          !packet.ends_early && contains(got_through, event.seen) && !no_reply;
      if (!contradicted && loses(fate_of(box, packet))) {
        ports.insert(packet.port);
        continue;
      }
      const auto& result = *context_.find(event.probe);
      const bool tells = is_direct(result) && !is_inside(result);
      if (tells && contradicted) return left;
      // A list of what may pass does not have what was seen to die all the same.
      const bool died = packet.cargo == Cargo::rtp && event.seen == Seen::dropped;
      if (tells && !(box.ports.empty() && died)) spared.push_back(i);
    }
    const bool says_all =
        box.code == FindingCode::firewall_udp_blocked || box.code == FindingCode::firewall_web_only;
    if (ports.size() >= (says_all ? 1 : several)) left = std::move(spared);
    return left;
  }

  const Diagnosis& context_;
  const reach::Drawn& drawn_;
  OfPackets such_;
  std::map<const reach::Box*, std::optional<std::vector<std::size_t>>> left_;
};

// To the outside, but DNS.
Probes failing_udp(const Diagnosis& context) {
  return context.probes_that([&](const ProbeResult& result) {
    const bool dns = result.probe.target.port() == dns_port;
    // A call that was offered over TLS, and whose checks over UDP got no answer.
    const bool silent_call =
        result.probe.check == CheckKind::ice && result.observation.detail == DetailCode::ice_silent;
    return (is_udp(result) || silent_call) && !dns && goes_outside(result) && failing(result) &&
           !context.explained(result);
  });
}

const FlowSample* tcp_works(const Facts& facts) {
  return first_sample(facts.select([](const Flow& flow) { return !flow.udp; }),
                      [](const FlowSample& sample) { return sample.way == Reachability::open; });
}

// If replies are lost: the lowest port known to get none, among servers that should answer. Packets
// to others may be dropped on their way out. Nothing if no packet was seen to leave.
std::optional<std::uint16_t> lowest_without_reply(const Diagnosis& context) {
  using Endpoint = std::pair<std::string_view, std::uint16_t>;
  std::set<Endpoint> known, heard, silent;
  bool any_left = false;
  for (const auto& [packet, event] : context.worlds().sight.seen_packets()) {
    if (!packet.udp || is_dns(packet)) continue;
    const Endpoint to{event.flow.host, packet.port};
    const bool half_way = event.seen == Seen::one_way;
    const bool left = half_way || (event.seen == Seen::expired && !packet.ends_at_device);
    any_left |= left;
    if (left || packet.asked) known.insert(to);
    if (half_way || was_owed_an_answer(context, event)) silent.insert(to);
    if (event.seen == Seen::reply) heard.insert(to);
  }
  std::optional<std::uint16_t> lowest;
  for (const auto& to : silent) {
    if (!known.contains(to) || heard.contains(to)) continue;
    lowest = std::min(lowest.value_or(to.second), to.second);
  }
  return any_left ? lowest : std::nullopt;
}

// The highest UDP port that it sends to; 0: not known. A call's own port is the TCP port over which
// it is offered, and its media goes to the port that the far end names.
std::uint16_t last_udp_port_of(const ProbeResult& result) {
  if (is_udp(result)) return result.probe.target.ports.last;
  const auto* answer = evidence_of(result, EvidenceKind::call_answer);
  return answer == nullptr ? std::uint16_t{0} : port_fact(*answer, Fact::far_port).value_or(0);
}

// UDP to these ports and higher ones that was seen to leave the site, and no more.
Probes left_without_reply(const Diagnosis& context, std::uint16_t from) {
  return context.probes_that([&](const ProbeResult& result) {
    const bool dns = result.probe.target.port() == dns_port;
    const bool passed =
        result.observation.outcome == Outcome::passed && result.probe.target.ports.last >= from;
    return is_udp(result) && !dns && passed && goes_outside(result);
  });
}

template <typename Such>
bool any_answer_on_the_port_of_dns(const Facts& facts, Such such) {
  const auto flows =
      facts.select([](const Flow& flow) { return flow.udp && flow.port == dns_port; });
  return any_sample(flows, [&](const FlowSample& sample) {
    return sample.way == Reachability::open && such(*sample.result);
  });
}

// Something other than DNS is answered on DNS's port, which many let out.
bool works_on_the_port_of_dns(const Facts& facts) {
  return any_answer_on_the_port_of_dns(facts, [](const ProbeResult& result) {
    return result.probe.check == CheckKind::stun || result.probe.check == CheckKind::turn;
  });
}

// Servers elsewhere answer DNS, and nothing on the way does it in their place.
bool dns_passes(const Facts& facts) {
  return port_53_taken(facts) == nullptr &&
         any_answer_on_the_port_of_dns(facts, [](const ProbeResult& result) {
           return asks_a_dns_server(result.probe) && !is_inside(result);
         });
}

Text title_of(std::optional<std::uint16_t> replies_from, const Facts& facts) {
  if (replies_from > last_well_known_port)
    return phrase("The firewall blocks UDP replies from port {} up", *replies_from);
  if (!replies_from && works_on_the_port_of_dns(facts))
    return phrase("The firewall blocks all outgoing UDP except port 53");
  if (dns_passes(facts))
    return replies_from ? phrase("The firewall blocks all UDP replies except DNS")
                        : phrase("The firewall blocks all outgoing UDP except DNS");
  return replies_from ? phrase("The firewall blocks all UDP replies")
                      : phrase("The firewall blocks all outgoing UDP");
}

// The far end spoke: an established but silent connection may end at a device on the way, and so
// may one that is opened there.
bool spoke(const FlowSample& sample) {
  const auto outcome = sample.result->observation.outcome;
  const bool answered = outcome == Outcome::answered || outcome == Outcome::denied;
  return (answered || has_certificate(*sample.result)) && !has_foreign_root(*sample.result);
}

// Packets died on the way, or somebody other than the target turned them away.
bool is_blocked_on_the_way(const FlowSample& sample) {
  const auto& target = sample.result->observation.address;
  const bool by_itself = target && sample.by == target->to_string();
  return sample.way == Reachability::blocked && !by_itself;
}

// Who turned them away; empty if nobody was heard.
std::string device_on_the_way(const std::vector<const Flow*>& flows) {
  const auto* told = first_sample(flows, [](const FlowSample& sample) {
    return is_blocked_on_the_way(sample) && !sample.by.empty();
  });
  return told == nullptr ? std::string() : told->by;
}

// A packet died on the way, and not for what it carried, according to the likeliest world.
bool any_dies_whatever_it_carries(const Diagnosis& context) {
  const auto& drawn = context.worlds();
  const auto& best = drawn.worlds.front();
  for (const auto& [packet, event] : drawn.sight.seen_packets()) {
    const bool died = packet.ends_early && reach::is_bad(event.seen);
    if (!packet.udp || is_dns(packet) || !died) continue;
    const auto met = reach::fate_in(best, drawn.boxes, packet);
    if (met.met() && drawn.boxes[met.box].cargoes == 0) return true;
  }
  return false;
}

bool is_web(std::uint16_t port) { return port == 80 || port == 443; }

// A rule that leaves TCP to the web's ports alone.
bool spares_the_web(const reach::Box& box) {
  reach::Packet https;
  https.port = 443;
  return box.ports.empty() && !loses(fate_of(box, https));
}

// If all that was lost went into a tunnel, this site's firewall saw nothing of it.
void ask_the_vpn(const Diagnosis& context, Cause& cause) {
  auto lost = cause.explained;
  append(lost, cause.contradicted);
  const auto* way = vpn_to_all(context, hosts_of(lost));
  if (way == nullptr) return;
  cause.owner = Owner::vpn;
  cause.fix += phrase(
      " All of it goes through the VPN ({}), and this site's firewall sees nothing of that: look "
      "at the VPN's own firewall first.",
      way->interface);
}

}  // namespace

bool silence_tells(const Facts& facts) {
  if (facts.any_probe(is_taken_near)) return false;
  bool strangers = false, vendors = false, vendors_mute = false;
  for (const auto& flow : facts.flows) {
    if (flow.udp) continue;
    const bool own = facts.asked_for(flow);
    vendors_mute |= own && any_sample(flow, [](const FlowSample& sample) {
                      return sample.way == Reachability::open && !spoke(sample);
                    });
    (own ? vendors : strangers) |= any_sample(flow, spoke);
  }
  return strangers && (vendors || !vendors_mute) && !new_flows_may_be_limited(facts);
}

std::optional<ClosedUdp> closed_udp(const Diagnosis& context) {
  if (failing_udp(context).empty() || tcp_works(context) == nullptr) return std::nullopt;
  AllClosed all(context, [](const reach::Packet& packet) { return packet.udp; });
  const auto told = told_by_worlds(
      context, [&](const auto& box, const auto& world) { return all.by(box, world); });
  if (!told) return std::nullopt;
  ClosedUdp closed;
  if (told->box->beyond) closed.replies_from = lowest_without_reply(context);
  // If it is only one network, it may be that one.
  const auto by_udp = context.select([](const Flow& flow) { return flow.udp; });
  const bool several = set_of(by_udp, &Flow::network).size() > 1;
  const bool seen = !closed.replies_from && any_sample(udp_flows(context), is_blocked_on_the_way);
  // Where nothing but silence shows it, somebody further out may do it.
  const auto surest = seen && several                  ? certain
                      : seen || silence_tells(context) ? likely
                                                       : possible;
  closed.confidence = std::max(told->confidence(), surest);
  return closed;
}

Causes find_udp_blocked(const Diagnosis& context) {
  const auto closed = closed_udp(context);
  if (!closed) return {};
  Cause cause(failing_udp(context));
  cause.impaired = context.probes_that(needs_relay_over_stream);
  const auto replies_from = closed->replies_from;
  if (replies_from) {
    std::erase_if(cause.explained, [&](const ProbeResult* result) {
      return last_udp_port_of(*result) < *replies_from;
    });
    cause.contradicted = left_without_reply(context, *replies_from);
  }
  if (!context.any_asked_for(cause.contradicted) && !context.affects_requirement(cause.explained))
    return {};
  cause.closes = replies_from > last_well_known_port ? Closes::high_udp : Closes::udp;
  cause.name(FindingCode::firewall_udp_blocked, closed->confidence);
  cause.title = title_of(replies_from, context);
  if (cause.confidence == possible) {
    // What is seen to be blocked is reported as that, and is surer.
    if (any_dies_whatever_it_carries(context)) return {};
    auto silent = udp_flows(context);
    std::erase_if(
        silent, [](const Flow* flow) { return heard(*flow) || !went(*flow, Reachability::lost); });
    if (set_of(silent, &Flow::party).size() < 2) return {};  // reported for that one
  }
  auto without_calls = cause;
  without_calls.explained.clear();
  std::set<Text> ends;
  for (const auto* list : {&cause.explained, &cause.impaired}) {
    for (const auto* result : *list) {
      if (result->probe.check != CheckKind::ice) {
        without_calls.explained.push_back(result);
      } else if (const auto end = far_end_of_call(*result); !end.empty()) {
        ends.insert(end);
      }
    }
  }
  auto wanted = asked_flows(context, without_calls);
  if (ends.empty()) cause.asked = without_calls.asked;
  for (const auto& end : ends) wanted += (wanted.empty() ? "" : "; ") + end;
  cause.fix = phrase(
      "{} {}.{}{}",
      replies_from ? phrase("Let in the replies to UDP sent {} (a stateful rule with a timeout of "
                            "at least 120 s):",
                            from_users(context))
                   : phrase("Allow outgoing UDP (and return traffic) {}:", from_users(context)),
      wanted,
      replies_from ? phrase(" If another computer on this network gets replies, it is this "
                            "computer's own firewall that drops them.")
                   : ask_the_device(context, device_on_the_way(udp_flows(context))),
      where_the_list_is(context, cause.explained));
  ask_the_vpn(context, cause);
  if (replies_from)
    cause.tell(dns_passes(context)
                   ? phrase("UDP leaves the site, but no reply comes back, except to DNS queries.")
                   : phrase("UDP leaves the site, but no reply comes back."));
  add_what_udp_met(cause, context);
  const auto& tcp = *tcp_works(context);
  cause.tell(
      phrase("TCP works: {}, port {}, is reachable.", tcp.result->probe.target.host, tcp.port),
      tcp.result);
  return {cause};
}

// Whatever the port, while UDP is answered.
Causes find_tcp_blocked(const Diagnosis& context) {
  AllClosed tcp(context, [](const reach::Packet& packet) { return !packet.udp; });
  const auto told = told_by_worlds(context, [&](const auto& box, const auto& world) {
    return box.protocol == reach::Protocol::tcp && tcp.by(box, world);
  });
  // Sites let out questions about names and time that let out nothing else.
  const auto by_udp = context.select([](const Flow& flow) {
    constexpr std::uint16_t ntp_port = 123;
    return flow.udp && flow.port != dns_port && flow.port != ntp_port && heard(flow);
  });
  if (!told || told->confidence() == possible || by_udp.empty()) return {};
  Cause cause(context.probes_that([&](const ProbeResult& result) {
    return is_direct(result) && !is_udp(result) && !is_inside(result) && failing(result) &&
           !context.explained(result);
  }));
  if (ports_of(cause.explained).size() < 2 || !context.affects_requirement(cause.explained))
    return {};
  cause.closes = Closes::direct_tcp;
  cause.name(FindingCode::firewall_tcp_port_blocked, std::max(told->confidence(), likely));
  cause.title = phrase("No TCP connection gets out, whatever the port; UDP does");
  cause.fix = phrase(
      "Allow outgoing TCP {}: {}. If the firewall allows it already, look for a device that drops "
      "the first packet of each connection, because of its options (timestamps, ECN), for example; "
      "if this network has a web proxy, add --proxy URL.{}",
      from_users(context), asked_flows(context, cause),
      where_the_list_is(context, cause.explained));
  cause.tell(phrase("No connection succeeded on TCP {}.", listed(ports_of(cause.explained), 8)));
  cause.tell(
      phrase("UDP works: {}, port {}, answers.", by_udp.front()->host, by_udp.front()->port));
  cause.show(cause.explained, 4);
  return {cause};
}

Causes find_one_way_media(const Diagnosis& context) {
  Cause cause(context.probes_that([&](const ProbeResult& result) {
    return !context.explained(result) && result.observation.detail == DetailCode::inbound_dropped;
  }));
  if (!context.affects_requirement(cause.explained)) return {};
  // No longer than that is an echo or a relay waited for (timeouts::echo).
  if (context.worlds().sight.events.slow_line) return {};
  cause.name(FindingCode::media_one_way, certain);
  for (const auto* result : cause.explained) {
    for (const auto& evidence : all_evidence(result->observation, EvidenceKind::udp_port)) {
      const bool one_way = flag_fact(evidence, Fact::inbound) == false;
      if (one_way && cause.evidence.size() < 6)
        cause.tell(phrase("{}, {}", result->probe.target.host, evidence.text), result);
    }
  }
  if (cause.evidence.empty()) cause.show(cause.explained);
  cause.title = phrase("Media gets out, but replies do not come in: one-way audio");
  cause.fix = phrase(
      "Let in the replies to UDP sent {} (a stateful rule with a timeout of at least 120 s; with "
      "several Internet lines, over the same line that the packets left on): {}.{}",
      from_users(context), flows_in_words(context, cause.explained),
      where_the_list_is(context, cause.explained));
  return {cause};
}

// The web, and nothing else. What is less than likely is reported for UDP and the ports one by one.
Causes find_web_only(const Diagnosis& context) {
  const auto lost_tcp = context.probes_that([&](const ProbeResult& result) {
    const auto port = result.probe.target.port();
    const bool other = is_direct(result) && !is_udp(result) && !is_web(port) && port != dns_port;
    return other && failing(result) && !is_inside(result) && !context.explained(result);
  });
  const auto on_443 =
      context.select([](const Flow& flow) { return !flow.udp && flow.port == 443 && out(flow); });
  const auto open = set_of(on_443, &Flow::network);
  if (lost_tcp.empty() || open.empty()) return {};
  AllClosed udp(context, [](const reach::Packet& packet) { return packet.udp; });
  AllClosed other_tcp(
      context, [](const reach::Packet& packet) { return !packet.udp && !is_web(packet.port); });
  // By one rule, or by one for each.
  const auto told = told_by_worlds(context, [&](const auto& box, const auto& world) {
    const auto closes_udp = [&](auto number) {
      return udp.by(context.worlds().boxes[number], world);
    };
    return spares_the_web(box) && other_tcp.by(box, world) &&
           std::ranges::any_of(world.boxes, closes_udp);
  });
  if (!told || told->confidence() == possible) return {};
  // Silence alone shows no device of the site's own.
  const auto beside_the_web = context.select(
      [](const Flow& flow) { return flow.port != dns_port && (flow.udp || !is_web(flow.port)); });
  const bool seen = any_blocked(beside_the_web);
  if (!seen && !silence_tells(context)) return {};
  Cause cause(lost_tcp);
  append(cause.explained, failing_udp(context));
  if (!context.affects_requirement(cause.explained)) return {};
  const auto plain = context.select([](const Flow& flow) { return !flow.udp && flow.port == 80; });
  const bool plain_web = std::ranges::any_of(plain, [](const Flow* flow) { return out(*flow); });
  // Where nobody tried port 80 it is not known to be closed.
  cause.closes = plain_web || plain.empty() ? Closes::all_but_web : Closes::all_but_https;
  cause.name(FindingCode::firewall_web_only,
             seen ? told->confidence() : std::max(told->confidence(), likely));
  const Text web = plain_web ? phrase("80 and ") : "";
  cause.title = dns_passes(context)
                    ? phrase("The firewall lets only web traffic (TCP {}443) and DNS out", web)
                    : phrase("The firewall lets only web traffic out (TCP {}443)", web);
  cause.fix = phrase("Allow outgoing and return traffic {}: {}.{}{}", from_users(context),
                     asked_flows(context, cause),
                     ask_the_device(context, device_on_the_way(beside_the_web)),
                     where_the_list_is(context, cause.explained));
  ask_the_vpn(context, cause);
  const auto ports = ports_of(lost_tcp);
  const auto lost = context.select([&](const Flow& flow) {
    return !flow.udp && any_sample(flow, [&](const FlowSample& sample) {
      return contains(lost_tcp, sample.result);
    });
  });
  const auto closed = set_of(lost, &Flow::network);
  const auto networks = [](std::size_t count) {
    return plural(count, "{} network", "{} networks");
  };
  cause.tell(phrase("TCP 443 connects to {}; on TCP {}, no connection succeeded ({} tried).",
                    networks(open.size()), listed(ports, 8), networks(closed.size())));
  add_what_udp_met(cause, context);
  cause.show(lost_tcp, 4);
  return {cause};
}

}  // namespace callready::findings
