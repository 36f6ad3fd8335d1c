// Devices that take connections, or answer over UDP, in the far end's place.
#include "probe/diagnosis/reach/boxes.hpp"

namespace callready::reach {

void propose_acceptances(const Clues& clues, Boxes& boxes) {
  bool suspicious = false;
  Ports good;
  std::uint32_t answered_near = 0;
  for (const auto& [packet, event] : clues.sight.seen_packets(clues.events)) {
    const bool quick = event.too_near == true;
    if (packet.udp && quick) answered_near |= bit(packet.cargo);
    if (packet.udp) continue;
    suspicious |= quick || event.seen == Seen::taken || event.seen == Seen::mute;
    if (event.seen == Seen::talk) good.insert(packet.port);
  }
  for (const auto cargo : {Cargo::stun, Cargo::turn, Cargo::sip, Cargo::ntp, Cargo::dns}) {
    if ((answered_near & bit(cargo)) == 0) continue;
    Box own{.kind = Kind::accept, .fate = Fate::carry, .protocol = Protocol::udp};
    if (cargo == Cargo::sip) own.code = FindingCode::sip_alg;
    own.cargoes = bit(cargo);
    own.prior = prior::answers_itself;
    boxes.push_back(own);
  }
  if (!suspicious) return;
  Box box{.kind = Kind::accept, .protocol = Protocol::tcp};
  const Ports web{80, 443};
  for (const auto& ports : std::set<Ports>{{}, web, good}) {
    if (ports.size() > most_alike) continue;
    box.code = connections_taken;
    box.fate = Fate::take;
    box.spared.clear();
    for (const auto port : ports) box.spared.push_back({single(port), Protocol::tcp});
    box.prior = prior::accept + static_cast<Bits>(ports.size()) * prior::listed_port;
    boxes.push_back(box);
  }
  box.spared.clear();
  box.prior = prior::accept + one_bit;
  for (const auto& ports : std::initializer_list<Ports>{{443}, web}) {
    box.ports = as_ranges(ports);
    boxes.push_back(box);
  }
  box.code = {};
  box.fate = Fate::carry;
  for (const auto& ports : std::initializer_list<Ports>{{80}, {443}, web, {}}) {
    box.ports = as_ranges(ports);
    boxes.push_back(box);
  }
}

}  // namespace callready::reach
