#include "probe/cli/follow_up.hpp"

#include <algorithm>
#include <set>

#include "probe/verdict/finding_facts.hpp"

namespace callready {
namespace {

using findings::Cell;
using findings::Contact;
using findings::Facts;
using findings::Way;

// Of each kind of doubt so many: two show what one cannot, more show no more.
constexpr std::size_t hosts_per_port = 2;
constexpr std::size_t most_ports = 6;
constexpr std::size_t most_names = 3;
constexpr std::size_t most_resolvers = 2;
constexpr std::size_t most_neighbours = 3;
// Where no UDP gets out, three ports prove that it is not one port: these are asked for beside the
// service's own.
constexpr std::uint16_t other_udp_ports[] = {443, 50'000};
// The same for TCP: SIP over TLS, XMPP, TURN, and one of nobody in particular.
constexpr std::uint16_t other_tcp_ports[] = {5061, 5222, 3478, 8443};
// Greets a server in place of its own name, to see whether it is the name that is cut off.
constexpr auto neutral_name = "example.com";

class Questions {
 public:
  explicit Questions(const Facts& facts) : facts_(facts) {}

  void ask(std::string check, Transport transport, std::string host, std::uint16_t port,
           std::map<std::string, std::string> with = {}) {
    Probe probe;
    probe.check = std::move(check);
    probe.target.host = std::move(host);
    probe.target.ports = {port, port};
    probe.target.transport = transport;
    probe.with = std::move(with);
    probe.control = true;
    probe.id = probe_id(probe);
    const bool known = facts_.find(probe.id) != nullptr || !ids_.insert(probe.id).second;
    if (!known && list_.size() < most_follow_ups) list_.push_back(std::move(probe));
  }
  std::vector<Probe> take() { return std::move(list_); }

 private:
  const Facts& facts_;
  std::set<std::string> ids_;
  std::vector<Probe> list_;
};

bool gets_out(const Cell& cell) { return cell.way == Way::open || cell.way == Way::left; }

// A cell that a row misses, and of which more can be known.
bool doubtful(const Facts& facts, const Cell& cell) {
  const bool open_question = cell.way == Way::lost || (cell.way == Way::refused && !cell.left);
  return open_question &&
         std::any_of(cell.contacts.begin(), cell.contacts.end(), [&](const Contact& contact) {
           return findings::failing(*contact.result) && facts.asked_for(*contact.result) &&
                  (!cell.udp || contact.payload == "stun" || contact.payload == "sip");
         });
}

// A TCP listener that was reached: the control of every wave, and a host whose other ports are not
// the service's.
const Cell* find_control(const Facts& facts) {
  const Cell* best = nullptr;
  for (const auto& cell : facts.cells) {
    const auto& result = *cell.contacts.front().result;
    if (cell.udp || cell.way != Way::open || !result.observation.address) continue;
    const auto better = [&](const Cell& than) {
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

std::string payload_of(const Cell& cell) {
  for (const auto& contact : cell.contacts) {
    if (contact.payload == "stun" || contact.payload == "sip") return contact.payload;
  }
  return "rtp";
}

// Of media ports that died on the way to one network: do they die on the way to others, too?
void ask_for_ranges(const Facts& facts, const Cell& control,
                    const std::map<std::string, std::string>& with, Questions& questions) {
  std::vector<std::uint16_t> ports;
  for (const auto& cell : facts.cells) {
    const bool range = cell.contacts.front().result->probe.check == "udp-range";
    const bool dropped = cell.udp && cell.way == Way::blocked && range;
    const auto elsewhere = facts.networks([&](const Cell& other) {
      return other.udp && other.port == cell.port && other.way != Way::lost;
    });
    if (dropped && elsewhere.size() == 1) ports.push_back(cell.port);
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
  const Cell* lost = nullptr;
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
      if (lost == nullptr && asked) lost = &cell;
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
    questions.ask("hop", Transport::udp, lost->host, port, by_udp);
  }
  if (other_tcp_works || web.size() < 2) return;
  auto next = web.begin();
  for (const auto port : other_tcp_ports) {
    if (other_tcp.contains(port)) continue;
    questions.ask("hop", Transport::tcp, next->second->host, port, control);
    next = std::next(next) == web.end() ? web.begin() : std::next(next);
  }
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
  std::map<std::pair<bool, std::uint16_t>, std::vector<const Cell*>> doubts;
  for (const auto& cell : facts.cells) {
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
  ask_for_ranges(facts, *control, through({{"payload", "rtp"}}), questions);
  ask_beyond_the_set(facts, through({}), questions);
}

// Is a host that is silent on its one port alive at all?
void ask_for_neighbours(const Facts& facts, Questions& questions) {
  std::size_t asked = 0;
  for (const auto& cell : facts.cells) {
    if (!doubtful(facts, cell) || facts.alive(cell.host) || asked == most_neighbours) continue;
    const auto others = facts.select([&](const Cell& other) {
      return !other.udp && other.host == cell.host && (cell.udp || other.port != cell.port);
    });
    if (!others.empty()) continue;
    const std::uint16_t port = cell.udp ? cell.port : cell.port == 443 ? 80 : 443;
    questions.ask("tcp", Transport::tcp, cell.host, port);
    ++asked;
  }
}

// The independent resolvers, by address, that the controls asked.
std::vector<std::string> independent_resolvers(const Facts& facts) {
  std::vector<std::string> servers;
  for (const auto& result : facts.report.probes) {
    const auto& probe = result.probe;
    const bool server = probe.check == "dns" && probe.control && probe.with.contains("server");
    if (!server || findings::is_name(probe.target.host) || facts.inside(result)) continue;
    const auto& host = probe.target.host;
    const bool known = std::find(servers.begin(), servers.end(), host) != servers.end();
    if (!known && servers.size() < most_resolvers) servers.push_back(host);
  }
  return servers;
}

bool is_suspicious(const ProbeResult& result) {
  const auto& seen = result.observation;
  if (seen.outcome == Outcome::unresolved) return true;
  return seen.address && seen.address->is_special() && findings::failing(result);
}

// Names that are missing, or lead to no public address: asked for here, with all that the
// resolvers say beside it, and elsewhere.
void ask_for_names(const Facts& facts, Questions& questions) {
  const auto servers = independent_resolvers(facts);
  std::vector<std::string> names;
  std::set<std::string> parties;
  bool any_resolved = false;
  for (const bool fresh : {true, false}) {
    for (const auto& result : facts.report.probes) {
      const auto& host = result.probe.target.host;
      const bool direct = findings::is_direct(result) && findings::is_name(host);
      if (!direct || result.probe.check == "dns") continue;
      any_resolved |= result.observation.address.has_value();
      const bool known = std::find(names.begin(), names.end(), host) != names.end();
      if (known || !is_suspicious(result) || !facts.asked_for(result)) continue;
      if (names.size() == most_names) continue;
      if (parties.insert(findings::party_of(host)).second || !fresh) names.push_back(host);
    }
  }
  if (names.empty()) return;
  // Where nothing resolves, one name shows it as well as three.
  if (!any_resolved) names.resize(1);
  for (const auto& name : names) {
    questions.ask("dns", Transport::udp, name, 53);
    for (const auto& server : servers) {
      questions.ask("dns", Transport::udp, server, 53, {{"server", "true"}, {"name", name}});
    }
  }
  if (any_resolved) return;
  // Is it the names, or the line? These listen on 443 as well.
  for (const auto& server : servers) questions.ask("tcp", Transport::tcp, server, 443);
}

// Is it the server's name in the greeting that is cut off?
void ask_for_greetings(const Facts& facts, Questions& questions) {
  std::size_t asked = 0;
  for (const auto& result : facts.report.probes) {
    const auto& [probe, seen] = result;
    const bool tls = probe.target.transport == Transport::tls && findings::is_direct(result);
    const bool cut = seen.detail == "connection_reset" || seen.detail == "closed_by_peer" ||
                     seen.detail == "tls_timed_out";
    if (!tls || !cut || seen.outcome != Outcome::failed || !facts.asked_for(result)) continue;
    if (!findings::chain_of(result).empty() || asked == most_neighbours) continue;
    questions.ask("tls", Transport::tls, probe.target.host, probe.target.port(),
                  {{"server_name", neutral_name}});
    ++asked;
  }
}

// Who says over plain HTTP that the server is out of order: the server, or somebody on the way?
void ask_for_the_servers_word(const Facts& facts, Questions& questions) {
  std::size_t asked = 0;
  for (const auto& result : facts.report.probes) {
    const auto& probe = result.probe;
    const auto* reply = findings::evidence_of(result, "http_reply");
    if (reply == nullptr || !findings::is_direct(result) || !facts.asked_for(result)) continue;
    const bool error = findings::number_fact(*reply, "status").value_or(0) >= 500;
    if (!error || probe.target.transport != Transport::tcp || asked == most_neighbours) continue;
    std::map<std::string, std::string> with;
    if (const auto path = probe.with.find("path"); path != probe.with.end()) with.insert(*path);
    questions.ask("http", Transport::tls, probe.target.host, 443, std::move(with));
    ++asked;
  }
}

}  // namespace

std::vector<Probe> follow_ups(const Report& report) {
  const Facts facts(report);
  Questions questions(facts);
  ask_for_names(facts, questions);
  ask_for_ways(facts, questions);
  ask_for_neighbours(facts, questions);
  ask_for_greetings(facts, questions);
  ask_for_the_servers_word(facts, questions);
  return questions.take();
}

}  // namespace callready
