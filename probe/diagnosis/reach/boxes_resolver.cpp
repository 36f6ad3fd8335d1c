// The site's resolver is silent about all names, or about some.
#include "probe/diagnosis/reach/boxes.hpp"

namespace callready::reach {

void propose_resolvers(const Clues& clues, Boxes& boxes) {
  std::set<HostId> all;  // names
  bool refuses = false;
  for (const auto& [packet, event] : clues.sight.seen_packets(clues.events)) {
    const auto seen = event.seen;
    if (packet.cargo != Cargo::dns || !holds(clues.sight.resolvers, packet.host)) continue;
    refuses |= seen == Seen::closed;
    if (seen != Seen::closed && is_bad(seen) && !packet.ends_early) all.insert(packet.name);
  }
  if (all.empty() && !refuses) return;
  Box box{.kind = Kind::resolver, .code = FindingCode::dns_unreachable, .fate = Fate::drop};
  box.protocol = Protocol::udp;
  box.ports = {single(53)};
  box.hosts = clues.sight.resolvers;
  box.prior = prior::resolver;
  box.explains = bit(Sign::name_fails);
  boxes.push_back(box);
  if (refuses) {
    box.fate = Fate::closed;
    boxes.push_back(box);
    box.fate = Fate::drop;
  }
  if (all.empty()) return;
  box.explains = 0;
  box.prior = prior::resolver + prior::some_names;
  const auto add_for = [&](const Hosts& names) {
    box.names = names;
    boxes.push_back(box);
  };
  add_for(as_hosts(all));
  const auto silent = by_domain(clues, box.names);
  if (silent.size() < 2 || silent.size() > most_alike) return;
  for (const auto& [domain, names] : silent) add_for(names);
}

}  // namespace callready::reach
