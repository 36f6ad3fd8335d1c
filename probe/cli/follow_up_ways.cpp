// The second round's packets that end on the way: port or protocol, port or destination, all or
// some.
#include <algorithm>

#include "probe/cli/follow_up_questions.hpp"
#include "probe/verdict/finding_rules.hpp"

namespace callready {
namespace {

using findings::Cell;
using findings::Contact;
using findings::Facts;
using findings::Way;

// Of each kind of doubt so many: two show what one cannot, more show no more.
constexpr std::size_t hosts_per_port = 2;
constexpr std::size_t most_ports = 6;
constexpr std::size_t most_neighbours = 3;
// Where no UDP gets out, three ports prove that it is not one port: these are asked for beside the
// service's own.
constexpr std::uint16_t other_udp_ports[] = {443, 50'000};
// The same for TCP: SIP over TLS, XMPP, TURN, and one of nobody in particular.
constexpr std::uint16_t other_tcp_ports[] = {5061, 5222, 3478, 8443};

bool gets_out(const Cell& cell) { return cell.way == Way::open || cell.way == Way::left; }

// Where TLS is opened on the way, somebody near answers for everybody, whatever the TTL.
std::set<std::uint16_t> intercepted_ports(const Facts& facts) {
  std::set<std::uint16_t> ports;
  for (const auto& result : facts.report.probes) {
    const auto* root = findings::evidence_of(result, "chain_root");
    if (root == nullptr || !findings::is_direct(result)) continue;
    const bool foreign = flag_fact(*root, "expected") == std::optional(false);
    if (foreign) ports.insert(result.probe.target.port());
  }
  return ports;
}

// A TCP listener that was reached: the control of every wave, and a host whose other ports are not
// the service's.
const Cell* find_control(const Facts& facts) {
  const auto intercepted = intercepted_ports(facts);
  const Cell* best = nullptr;
  for (const auto& cell : facts.cells) {
    const auto& result = *cell.contacts.front().result;
    if (cell.udp || cell.way != Way::open || !result.observation.address) continue;
    const auto better = [&](const Cell& than) {
      const bool own = !intercepted.contains(cell.port), its = !intercepted.contains(than.port);
      if (own != its) return own;
      const bool anchor = result.probe.control, other = than.contacts.front().result->probe.control;
      return anchor != other ? anchor : cell.port == 443 && than.port != 443;
    };
    if (best == nullptr || better(*best)) best = &cell;
  }
  return best;
}

bool works_somewhere(const Facts& facts, bool udp, std::uint16_t port) {
  return std::any_of(facts.cells.begin(), facts.cells.end(), [&](const Cell& cell) {
    return cell.udp == udp && cell.port == port && gets_out(cell);
  });
}

// For a port: up to two doubtful cells, of two networks where there are two.
std::vector<const Cell*> choose(const std::vector<const Cell*>& cells) {
  std::vector<const Cell*> chosen;
  std::set<std::string> networks;
  for (const bool fresh : {true, false}) {
    for (const auto* cell : cells) {
      const bool taken = std::find(chosen.begin(), chosen.end(), cell) != chosen.end();
      if (taken || chosen.size() == hosts_per_port) continue;
      if (networks.insert(cell->network).second || !fresh) chosen.push_back(cell);
    }
  }
  return chosen;
}

// The protocol that is in doubt on a cell.
std::string payload_of(const Cell& cell) {
  std::string payload = "rtp";
  for (const auto& contact : cell.contacts) {
    const auto& own = contact.payload;
    if (own != "stun" && own != "turn" && own != "sip") continue;
    if (contact.way == Way::lost) return own;
    payload = own;
  }
  return payload;
}

// Of media ports that died on the way to one network: do they die on the way to others, too?
void ask_for_ranges(const Facts& facts, const Cell& control,
                    const std::map<std::string, std::string>& with, Questions& questions) {
  std::vector<std::uint16_t> ports;
  std::map<std::uint16_t, std::set<std::string>> networks;  // of what is not just lost
  for (const auto& cell : facts.cells) {
    if (cell.udp && cell.way != Way::lost) networks[cell.port].insert(cell.network);
  }
  const Cell* host = nullptr;
  for (const auto& cell : facts.cells) {
    const bool range = cell.contacts.front().result->probe.check == "udp-range";
    const bool dropped = cell.udp && cell.way == Way::blocked && range;
    if (dropped && host == nullptr) host = &cell;
    if (dropped && networks[cell.port].size() == 1) ports.push_back(cell.port);
  }
  if (host != nullptr) {
    auto as_stun = with;
    as_stun["payload"] = "stun";  // the contrast: a device that lets only what it knows pass
    questions.ask("hop", Transport::udp, host->host, host->port, as_stun);
  }
  if (ports.empty()) return;
  std::sort(ports.begin(), ports.end());
  for (const auto port : {ports.front(), ports.back()}) {
    questions.ask("hop", Transport::udp, control.host, port, with);
  }
}

// Where nothing but web traffic was seen to get out: is it these ports, or all? Packets that end on
// the way need nobody who listens.
void ask_beyond_the_set(const Facts& facts, const std::map<std::string, std::string>& control,
                        Questions& questions) {
  const Cell* lost = nullptr;  // of a host of which few ports are asked, for the pacer's sake
  std::map<std::string, std::size_t> ports;
  for (const auto& cell : facts.cells) ++ports[cell.host];
  bool udp_works = false, other_tcp_works = false;
  std::set<std::uint16_t> other_tcp;
  std::map<std::string, const Cell*> web;  // HTTPS that answers, by network
  for (const auto& cell : facts.cells) {
    const bool asked =
        std::any_of(cell.contacts.begin(), cell.contacts.end(), [&](const Contact& contact) {
          return findings::failing(*contact.result) && facts.asked_for(*contact.result);
        });
    if (cell.udp && cell.port != 53) {
      udp_works |= gets_out(cell);
      const bool fewer = lost == nullptr || ports[cell.host] < ports[lost->host];
      if (asked && fewer) lost = &cell;
    } else if (!cell.udp && cell.port != 80 && cell.port != 443) {
      other_tcp_works |= gets_out(cell);
      other_tcp.insert(cell.port);
    } else if (!cell.udp && cell.port == 443 && cell.way == Way::open) {
      web.emplace(cell.network, &cell);
    }
  }
  if (udp_works || lost == nullptr) return;
  auto by_udp = control;
  by_udp["payload"] = "rtp";
  for (const auto port : other_udp_ports) {
    const bool asked = std::any_of(facts.cells.begin(), facts.cells.end(), [&](const Cell& cell) {
      return cell.udp && cell.port == port && cell.way == Way::blocked;
    });
    if (!asked) questions.ask("hop", Transport::udp, lost->host, port, by_udp);
  }
  if (other_tcp_works || web.size() < 2) return;
  auto next = web.begin();
  for (const auto port : other_tcp_ports) {
    if (other_tcp.contains(port)) continue;
    questions.ask("hop", Transport::tcp, next->second->host, port, control);
    next = std::next(next) == web.end() ? web.begin() : std::next(next);
  }
}

}  // namespace

bool doubtful(const Facts& facts, const Cell& cell) {
  const bool tcp_in_doubt = cell.way == Way::lost || (cell.way == Way::refused && !cell.left);
  return std::any_of(cell.contacts.begin(), cell.contacts.end(), [&](const Contact& contact) {
    if (!findings::failing(*contact.result) || !facts.asked_for(*contact.result)) return false;
    // One protocol may be lost where another one passes.
    return cell.udp ? contact.way == Way::lost && contact.payload != "rtp" : tcp_in_doubt;
  });
}

bool udp_is_shut(const Facts& facts) {
  const auto verdict = findings::udp_is_blocked(facts);
  if (!verdict || verdict->only_replies || verdict->confidence != Confidence::certain) return false;
  // Ports that no service of the set has: a firewall with a list of the allowed may know those.
  return std::all_of(
      std::begin(other_udp_ports), std::end(other_udp_ports), [&](std::uint16_t port) {
        return std::any_of(facts.cells.begin(), facts.cells.end(), [&](const Cell& cell) {
          return cell.udp && cell.port == port && cell.way == Way::blocked;
        });
      });
}

// Do packets to the ports in doubt leave the site, and do such to the same ports elsewhere?
void ask_for_ways(const Facts& facts, Questions& questions) {
  const auto* control = find_control(facts);
  if (control == nullptr) return;
  const SocketAddress listener{*control->contacts.front().result->observation.address,
                               control->port};
  const auto through = [&](std::map<std::string, std::string> with) {
    with["control"] = listener.to_string();
    return with;
  };
  const bool udp_shut = udp_is_shut(facts);
  std::map<std::pair<bool, std::uint16_t>, std::vector<const Cell*>> doubts;
  for (const auto& cell : facts.cells) {
    if (cell.udp && udp_shut) continue;
    if (doubtful(facts, cell)) doubts[{cell.udp, cell.port}].push_back(&cell);
  }
  std::map<bool, std::size_t> asked;
  for (const auto& [key, cells] : doubts) {
    const auto [udp, port] = key;
    if (asked[udp]++ == most_ports) continue;
    const auto chosen = choose(cells);
    const auto transport = udp ? Transport::udp : Transport::tcp;
    std::set<std::string> networks;
    for (const auto* cell : chosen) {
      networks.insert(cell->network);
      if (!udp) {
        questions.ask("hop", transport, cell->host, port, through({}));
      } else {
        questions.ask("hop", transport, cell->host, port,
                      through({{"payload", payload_of(*cell)}}));
      }
    }
    if (udp) {
      // The contrast: the same port, another protocol.
      questions.ask("hop", transport, chosen.front()->host, port, through({{"payload", "rtp"}}));
    }
    if (networks.size() > 1 || works_somewhere(facts, udp, port)) continue;
    questions.ask("hop", transport, control->host, port,
                  udp ? through({{"payload", "rtp"}}) : through({}));
  }
  if (!udp_shut) ask_for_ranges(facts, *control, through({{"payload", "rtp"}}), questions);
  ask_beyond_the_set(facts, through({}), questions);
}

// Is a host that is silent on its one port alive at all? Of a few hosts in all: those that an
// earlier look has asked count, or each look would ask others, and the run end ever later.
void ask_for_neighbours(const Facts& facts, Questions& questions) {
  const bool udp_shut = udp_is_shut(facts);
  std::map<std::string, std::set<std::uint16_t>> tcp_ports;  // by host
  std::set<std::string> asked_before, asked;                 // hosts
  for (const auto& cell : facts.cells) {
    if (cell.udp) continue;
    tcp_ports[cell.host].insert(cell.port);
    const bool question =
        std::all_of(cell.contacts.begin(), cell.contacts.end(), [&](const Contact& contact) {
          const auto& probe = contact.result->probe;
          return probe.check == "tcp" && probe.control && !facts.asked_for(*contact.result);
        });
    if (question) asked_before.insert(cell.host);
  }
  for (const auto& cell : facts.cells) {
    if (doubtful(facts, cell) && asked_before.contains(cell.host)) asked.insert(cell.host);
  }
  for (const auto& cell : facts.cells) {
    if (cell.udp && udp_shut) continue;
    if (!doubtful(facts, cell) || facts.alive(cell.host)) continue;
    if (asked.size() >= most_neighbours && !asked.contains(cell.host)) continue;
    const auto& known = tcp_ports[cell.host];
    if (known.size() > (cell.udp ? 0 : known.count(cell.port))) continue;
    const std::uint16_t port = cell.udp ? cell.port : cell.port == 443 ? 80 : 443;
    questions.ask("tcp", Transport::tcp, cell.host, port);
    asked.insert(cell.host);
  }
}

void ask_again(const Facts& facts, Questions& questions) {
  // A device that took offence shuts out TCP as well, whatever the port.
  const bool suspicious =
      std::any_of(facts.cells.begin(), facts.cells.end(), [&](const Cell& cell) {
        return !cell.udp && cell.way == Way::lost && doubtful(facts, cell);
      });
  if (!suspicious) return;
  std::vector<const Cell*> reached;
  const auto first_sent = [](const Cell& cell) {
    return cell.contacts.front().result->observation.sent_at;
  };
  for (const auto& cell : facts.cells) {
    const auto& payload = cell.contacts.front().payload;
    const bool repeatable = !cell.udp || payload == "stun" || payload == "turn";
    if (repeatable && cell.way == Way::open && first_sent(cell)) reached.push_back(&cell);
  }
  std::stable_sort(reached.begin(), reached.end(),
                   [&](const Cell* a, const Cell* b) { return *first_sent(*a) < *first_sent(*b); });
  for (const auto* cell : choose(reached)) {
    const auto transport = cell->udp ? Transport::udp : Transport::tcp;
    questions.ask(cell->udp ? "stun" : "tcp", transport, cell->host, cell->port,
                  {{"again", "true"}});
  }
  // Is it the line, or this computer? The site's own resolver sends its questions by itself.
  questions.ask("dns", Transport::udp, "example.com", 53);
}

}  // namespace callready
