// SIP servers that answer nobody they do not know, over any transport: usual, and no fault. Without
// this box each of their silences is charged by itself, and a search buys a filter for them.
#include <fmt/format.h>

#include "probe/diagnosis/reach/boxes.hpp"
#include "probe/diagnosis/reach/clues.hpp"
#include "probe/diagnosis/reach/prior.hpp"

namespace callready::reach {

Fate fate_by_reticence(const Box& box, const Packet&) { return box.fate; }

void propose_reticent_servers(const Clues& clues, Boxes& boxes) {
  std::map<std::uint32_t, std::set<HostId>> domains;
  for (const auto event : clues.events) {
    const auto& packet = clues.packet(event);
    const auto seen = clues.seen(event);
    const bool silent = seen == Seen::nothing || seen == Seen::mute;
    const bool sip = packet.cargo == Cargo::sip || packet.cargo == Cargo::inside;
    if (silent && sip && !packet.ends_early) domains[clues.domain(packet.host)].insert(packet.host);
  }
  // Those that one service names by address may have no owner in common that one could see.
  std::set<HostId> all;
  for (const auto& [domain, hosts] : domains) all.insert(hosts.begin(), hosts.end());
  if (domains.size() > 1) {
    Box box;
    box.kind = Kind::reticent;
    box.fate = Fate::ignore;
    box.hosts = as_hosts(all);
    box.cargoes = bit(Cargo::sip) | bit(Cargo::inside);
    box.prior = prior::reticent + bits(2);
    box.text = fmt::format("{} hosts: SIP of strangers is not answered", all.size());
    boxes.push_back(box);
  }
  if (domains.size() > most_alike) return;
  for (const auto& [domain, hosts] : domains) {
    Box box;
    box.kind = Kind::reticent;
    box.fate = Fate::ignore;
    box.hosts = as_hosts(hosts);
    box.cargoes = bit(Cargo::sip) | bit(Cargo::inside);
    box.prior = prior::reticent;
    box.text = fmt::format("{}: SIP of strangers is not answered", host_words(clues, box.hosts));
    boxes.push_back(box);
  }
}

}  // namespace callready::reach
