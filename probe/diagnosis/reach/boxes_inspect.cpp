// Devices that look into packets: they drop some payloads on any port, or go by the name in a TLS
// greeting.
#include <array>

#include "probe/diagnosis/reach/boxes.hpp"

namespace callready::reach {
namespace {

constexpr auto stun_and_turn = bit(Cargo::stun) | bit(Cargo::turn);

struct Read {
  std::uint32_t cargoes;
  Code code;  // of a device that drops these
};
constexpr std::array read_over_udp{Read{bit(Cargo::stun), FindingCode::firewall_stun_filtered},
                                   Read{bit(Cargo::turn), FindingCode::firewall_stun_filtered},
                                   Read{stun_and_turn, FindingCode::firewall_stun_filtered},
                                   Read{bit(Cargo::sip), FindingCode::firewall_sip_filtered},
                                   Read{bit(Cargo::ntp), ntp_filtered},
                                   Read{bit(Cargo::rtp), FindingCode::firewall_udp_range_blocked}};

// Ports on which what that box reads was seen to pass.
Ports passing_ports(const Clues& clues, const Box& box) {
  return clues.ports_of(clues.select(clues.events, [&](std::uint32_t event) {
    const auto& packet = clues.packet(event);
    return packet.udp && (bit(packet.cargo) & box.cargoes) != 0 && is_good(clues.seen(event));
  }));
}

// The same box, where it leaves some system ports alone: what they carry usually has another form.
void propose_but_on(const Ports& ports, Box box, Boxes& boxes) {
  if (ports.empty() || *ports.rbegin() >= first_user_port) return;
  for (const auto port : ports) box.spared.push_back({single(port), Protocol::udp});
  box.prior += static_cast<Bits>(ports.size()) * prior::listed_port;
  boxes.push_back(box);
}

void propose_over_udp(const Clues& clues, Boxes& boxes) {
  for (const auto& read : read_over_udp) {
    const auto reads = [&](std::uint32_t event) {
      const auto& packet = clues.packet(event);
      return packet.udp && (bit(packet.cargo) & read.cargoes) != 0;
    };
    const auto bad = clues.select(clues.bad, reads);
    if (bad.empty()) continue;
    const bool stun_like = (read.cargoes & stun_and_turn) != 0;
    const bool turn_alone = read.cargoes == bit(Cargo::turn);
    const bool media = read.cargoes == bit(Cargo::rtp);
    // Where nothing else passes, it may be the port.
    const Code code = media && passed_beside_media(clues.sight) > 0
                          ? Code(FindingCode::firewall_media_filtered)
                          : read.code;
    const auto dead = clues.hosts_of(bad);
    const bool passes_elsewhere = std::ranges::any_of(clues.events, [&](std::uint32_t event) {
      const bool alive = !holds(dead, clues.packet(event).host);
      return alive && reads(event) && is_good(clues.seen(event));
    });
    for (const auto action : actions(clues, bad)) {
      for (const bool beyond : {false, true}) {
        if (action == Fate::deaf) continue;
        Box box{.kind = Kind::inspect, .code = code, .fate = action};
        box.protocol = Protocol::udp;
        box.cargoes = read.cargoes;
        box.beyond = beyond;
        box.prior = prior::inspect + prior::any_port + (turn_alone ? prior::turn_alone : 0) +
                    (beyond ? prior::beyond : 0) + (action == Fate::drop ? 0 : prior::says_no);
        boxes.push_back(box);
        if (media) propose_but_on(passing_ports(clues, box), box, boxes);
        const bool to_some = passes_elsewhere && stun_like && !beyond;
        if (!to_some || !one_domain(clues, dead)) continue;
        box.hosts = dead;
        box.prior += prior::inspect_some;
        boxes.push_back(box);
      }
    }
  }
}

// SIP on its usual port: what a SIP ALG reads, and may swallow.
void propose_swallowed_sip(const Clues& clues, Boxes& boxes) {
  constexpr std::uint16_t usual_port = 5060;
  const auto is_plain_sip = [&](std::uint32_t event) {
    const auto& packet = clues.packet(event);
    return packet.udp && packet.cargo == Cargo::sip && packet.port == usual_port;
  };
  if (!std::ranges::any_of(clues.bad, is_plain_sip)) return;
  Box box{.kind = Kind::inspect, .code = sip_swallowed, .fate = Fate::drop};
  box.protocol = Protocol::udp;
  box.cargoes = bit(Cargo::sip);
  box.ports = {single(usual_port)};
  for (const bool beyond : {false, true}) {
    box.beyond = beyond;
    box.prior = prior::swallows_sip + (beyond ? prior::beyond : 0);
    boxes.push_back(box);
  }
}

// What died or was reset once a connection was established, for one payload.
struct Hurt {
  Seen seen;
  Cargo cargo;
  std::set<HostId> names, fine_names;
  Ports ports, fine_ports;
};

Hurt hurt_of(const Clues& clues, Seen seen, Cargo cargo) {
  Hurt hurt{seen, cargo, {}, {}, {}, {}};
  for (const auto& [packet, event] : clues.sight.seen_packets(clues.events)) {
    if (packet.udp) continue;
    if (event.seen == seen && packet.cargo == cargo) {
      hurt.names.insert(packet.name);
      hurt.ports.insert(packet.port);
    }
    if (event.seen != Seen::talk) continue;
    if (packet.cargo == Cargo::tls) hurt.fine_names.insert(packet.name);
    if (packet.cargo == cargo) hurt.fine_ports.insert(packet.port);
  }
  return hurt;
}

void propose_by_name(const Clues& clues, const Hurt& hurt, const Box& like, Boxes& boxes) {
  const auto names = as_hosts(hurt.names);
  const auto domains = by_domain(clues, names);
  auto known = hurt.names;
  for (const auto event : clues.events) known.insert(clues.packet(event).host);
  const auto siblings = by_domain(clues, as_hosts(known));
  if (domains.size() <= most_alike) {
    for (const auto& [domain, some] : domains) {
      for (const auto action : {Fate::mute, Fate::cut}) {
        if (action == Fate::cut && hurt.seen != Seen::cut) continue;
        auto box = like;
        box.fate = action;
        box.hosts = siblings.at(domain);
        box.prior = prior::inspect + prior::names_of_domain;
        boxes.push_back(box);
      }
    }
  }
  const auto alone = without(names, as_hosts(hurt.fine_names));
  if (alone.size() > most_alike) return;
  for (const auto name : alone) {
    auto box = like;
    box.hosts = {name};
    box.prior = prior::inspect + prior::one_name;
    boxes.push_back(box);
  }
}

void propose_on_ports(const Hurt& hurt, Box box, Boxes& boxes) {
  auto ports = hurt.ports;
  for (const auto port : hurt.fine_ports) ports.erase(port);
  if (ports.empty()) return;
  box.ports = as_ranges(ports);
  box.prior = prior::inspect + bits(2) + static_cast<Bits>(ports.size()) * prior::listed_port;
  boxes.push_back(box);
}

// The same payload over both transports at once.
void propose_over_both(const Clues& clues, const Hurt& hurt, Box box, Boxes& boxes) {
  const auto dies_over_udp = [&](std::uint32_t event) {
    const auto& packet = clues.packet(event);
    return packet.udp && packet.cargo == hurt.cargo;
  };
  if (hurt.seen != Seen::mute || !std::ranges::any_of(clues.bad, dies_over_udp)) return;
  box.protocol = Protocol::any;
  for (const bool beyond : {false, true}) {
    box.beyond = beyond;
    box.prior = prior::inspect + prior::both_transports + (beyond ? one_bit : 0);
    boxes.push_back(box);
  }
}

// TCP connects, and dies whatever it carries: a firewall that sees one direction only, for example.
void propose_for_all_cargoes(Seen seen, int cargoes, Boxes& boxes) {
  if (cargoes < 2) return;
  Box box{.kind = Kind::inspect, .code = connections_taken, .protocol = Protocol::tcp};
  box.fate = seen == Seen::mute ? Fate::mute : Fate::cut;
  box.prior = prior::inspect + bits(2);
  boxes.push_back(box);
}

}  // namespace

Fate fate_by_inspection(const Box& box, const Packet& packet) {
  const bool of_connections = box.fate == Fate::mute || box.fate == Fate::cut;
  if (!of_connections) return box.fate;
  if (packet.udp) return box.beyond ? Fate::deaf : Fate::drop;
  return packet.ends_early ? Fate::pass : box.fate;
}

void propose_inspections(const Clues& clues, Boxes& boxes) {
  propose_over_udp(clues, boxes);
  propose_swallowed_sip(clues, boxes);
  for (const auto seen : {Seen::mute, Seen::cut}) {
    int cargoes = 0;
    for (const auto cargo :
         {Cargo::none, Cargo::rtp, Cargo::stun, Cargo::turn, Cargo::sip, Cargo::http, Cargo::tls}) {
      const auto hurt = hurt_of(clues, seen, cargo);
      if (hurt.names.empty()) continue;
      ++cargoes;
      Box box{.kind = Kind::inspect, .protocol = Protocol::tcp, .cargoes = bit(cargo)};
      box.code = cargo == Cargo::tls   ? FindingCode::firewall_tls_filtered
                 : cargo == Cargo::sip ? FindingCode::firewall_sip_filtered
                                       : FindingCode::firewall_flow_blocked;
      box.fate = seen == Seen::mute ? Fate::mute : Fate::cut;
      propose_by_name(clues, hurt, box, boxes);
      propose_on_ports(hurt, box, boxes);
      box.prior = prior::inspect + bits(2);
      boxes.push_back(box);
      propose_over_both(clues, hurt, box, boxes);
    }
    propose_for_all_cargoes(seen, cargoes, boxes);
  }
}

}  // namespace callready::reach
