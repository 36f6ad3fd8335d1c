// A sign-in page stands between the site and the Internet.
#include "probe/diagnosis/reach/boxes.hpp"

namespace callready::reach {

Fate fate_by_portal(const Box& box, const Packet& packet) {
  if (packet.udp) return Fate::drop;
  return packet.port == 80 && !packet.ends_early ? Fate::portal : box.fate;
}

void propose_portals(const Clues& clues, Boxes& boxes) {
  if (!clues.has(Sign::foreign_page)) return;
  for (const auto rest : {Fate::refuse, Fate::drop}) {
    Box box{.kind = Kind::portal,
            .code = FindingCode::network_captive_portal,
            .prior = bits(6),
            .fate = rest};
    box.spared = {{single(53), Protocol::any}};
    box.explains = bit(Sign::foreign_page) | bit(Sign::cert_wrong_name) | bit(Sign::cert_untrusted);
    boxes.push_back(box);
  }
}

}  // namespace callready::reach
