// Servers that are close by: an answer in no time is no sign of a device that answers for them.
#include <fmt/format.h>

#include "probe/diagnosis/reach/boxes.hpp"
#include "probe/diagnosis/reach/clues.hpp"
#include "probe/diagnosis/reach/prior.hpp"

namespace callready::reach {

Fate fate_by_neighbour(const Box& box, const Packet& packet) {
  return packet.ends_early ? Fate::pass : box.fate;
}

void propose_neighbours(const Clues& clues, Boxes& boxes) {
  std::set<HostId> quick;
  for (const auto event : clues.events) {
    const bool near_by = clues.sight.events.flows[event].too_near == true;
    if (near_by) quick.insert(clues.packet(event).host);
  }
  std::map<std::uint32_t, std::set<HostId>> domains;
  for (const auto host : quick) {
    domains[clues.domain(host)].insert(host);
  }
  if (domains.size() > most_alike) return;
  for (const auto& [domain, hosts] : domains) {
    Box box;
    box.kind = Kind::neighbour;
    box.fate = Fate::close;
    box.hosts = as_hosts(hosts);
    box.prior = prior::neighbour;
    box.text = fmt::format("{} is close by", host_words(clues, box.hosts));
    boxes.push_back(box);
  }
}

}  // namespace callready::reach
