// The second round's packets that end on the way: port or protocol, port or destination, all or
// some.
#include <algorithm>

#include "probe/diagnosis/questions/questions.hpp"
#include "probe/diagnosis/ways/udp_flows.hpp"

namespace callready {
namespace {

using findings::Facts;
using findings::Flow;
using findings::FlowSample;
using findings::Reachability;

// Of each kind of doubt so many: two show what one cannot, more show no more.
constexpr std::size_t most_ports = 6;
constexpr std::size_t most_refused_ports = 2;
// Of the ports beyond these: packets that died there once are sent once more, with no contrast.
constexpr std::size_t most_repeats = 16;
constexpr std::size_t most_neighbours = 3;
// Where no UDP gets out, three ports prove that it is not one port: these are asked for beside the
// service's own.
constexpr std::uint16_t other_udp_ports[] = {443, 50'000};
// The same for TCP: SIP over TLS, XMPP, TURN, and one of nobody in particular.
constexpr std::uint16_t other_tcp_ports[] = {5061, 5222, 3478, 8443};

std::string word_of(Payload payload) { return std::string(to_string(payload)); }

// Where TLS is opened on the way, somebody near answers for everybody, whatever the TTL.
std::set<std::uint16_t> intercepted_ports(const Facts& facts) {
  std::set<std::uint16_t> ports;
  for (const auto& result : facts.report.probes) {
    const auto* root = findings::evidence_of(result, EvidenceKind::chain_root);
    if (root == nullptr || !findings::is_direct(result)) continue;
    const bool foreign = flag_fact(*root, Fact::expected) == std::optional(false);
    if (foreign) ports.insert(result.probe.target.port());
  }
  return ports;
}

// A TCP listener that was reached: the control of every wave, and a host whose other ports are not
// the service's.
const Flow* find_control(const Facts& facts) {
  const auto intercepted = intercepted_ports(facts);
  const Flow* best = nullptr;
  for (const auto& flow : facts.flows) {
    const auto& result = *flow.samples.front().result;
    if (flow.udp || flow.way != Reachability::open || !result.observation.address) continue;
    const auto better = [&](const Flow& than) {
      const bool own = !intercepted.contains(flow.port), its = !intercepted.contains(than.port);
      if (own != its) return own;
      const bool anchor = result.probe.control(),
                 other = than.samples.front().result->probe.control();
      return anchor != other ? anchor : flow.port == 443 && than.port != 443;
    };
    if (best == nullptr || better(*best)) best = &flow;
  }
  return best;
}

bool works_somewhere(const Facts& facts, bool udp, std::uint16_t port) {
  return std::any_of(facts.flows.begin(), facts.flows.end(), [&](const Flow& flow) {
    return flow.udp == udp && flow.port == port && findings::out(flow);
  });
}

// For a port: up to two doubtful flows, of two networks where there are two.
std::vector<const Flow*> choose(const std::vector<const Flow*>& flows) {
  std::vector<const Flow*> chosen;
  std::set<std::string> networks;
  for (const bool fresh : {true, false}) {
    for (const auto* flow : flows) {
      const bool taken = std::find(chosen.begin(), chosen.end(), flow) != chosen.end();
      if (taken || chosen.size() == hosts_per_port) continue;
      if (networks.insert(flow->network).second || !fresh) chosen.push_back(flow);
    }
  }
  return chosen;
}

// The protocol that is in doubt on a flow.
Payload payload_of(const Flow& flow) {
  auto payload = Payload::rtp;
  for (const auto& sample : flow.samples) {
    const auto own = sample.payload;
    if (own != Payload::stun && own != Payload::turn && own != Payload::sip) continue;
    if (sample.way == Reachability::lost) return own;
    payload = own;
  }
  return payload;
}

// Hosts that are shut as a whole: is it the hosts, or these ports wherever they lead to?
void ask_elsewhere(const Facts& facts, const Flow& control, const With& with,
                   Questions& questions) {
  std::size_t asked = 0;
  for (const auto& host : shut_hosts(facts)) {
    if (asked++ == hosts_per_port) return;
    for (const bool udp : {true, false}) {
      const auto flow = std::find_if(facts.flows.begin(), facts.flows.end(), [&](const Flow& one) {
        return one.udp == udp && one.host == host && one.way == Reachability::blocked;
      });
      const auto elsewhere = [&](const Flow& one) {
        return one.udp == udp && one.port == flow->port && one.host != host &&
               (findings::out(one) || one.way == Reachability::blocked);
      };
      if (flow == facts.flows.end() ||
          std::any_of(facts.flows.begin(), facts.flows.end(), elsewhere)) {
        continue;
      }
      auto as_sent = with;
      if (udp) as_sent["payload"] = word_of(Payload::rtp);
      questions.ask(Purpose::way_out, CheckKind::hop, udp ? Transport::udp : Transport::tcp,
                    control.host, flow->port, as_sent);
    }
  }
}

// Where nothing but web traffic was seen to get out: is it these ports, or all? Packets that end on
// the way need nobody who listens.
void ask_beyond_the_set(const Facts& facts, const With& control, Questions& questions) {
  const Flow* lost = nullptr;  // of a host of which few ports are asked, for the pacer's sake
  std::map<std::string, std::size_t> ports;
  for (const auto& flow : facts.flows) ++ports[flow.host];
  bool udp_works = false, other_tcp_works = false;
  std::set<std::uint16_t> other_tcp;
  std::map<std::string, const Flow*> web;  // HTTPS that answers, by network
  for (const auto& flow : facts.flows) {
    const bool asked = any_sample(flow, [&](const FlowSample& sample) {
      return findings::failing(*sample.result) && facts.asked_for(*sample.result);
    });
    if (flow.udp && flow.port != 53) {
      udp_works |= findings::out(flow);
      const bool fewer = lost == nullptr || ports[flow.host] < ports[lost->host];
      if (asked && fewer) lost = &flow;
    } else if (!flow.udp && flow.port != 80 && flow.port != 443) {
      other_tcp_works |= findings::out(flow);
      other_tcp.insert(flow.port);
    } else if (!flow.udp && flow.port == 443 && flow.way == Reachability::open) {
      web.emplace(flow.network, &flow);
    }
  }
  if (udp_works || lost == nullptr) return;
  auto by_udp = control;
  by_udp["payload"] = word_of(Payload::rtp);
  for (const auto port : other_udp_ports) {
    const bool asked = std::any_of(facts.flows.begin(), facts.flows.end(), [&](const Flow& flow) {
      return flow.udp && flow.port == port && flow.way == Reachability::blocked;
    });
    if (!asked)
      questions.ask(Purpose::way_out, CheckKind::hop, Transport::udp, lost->host, port, by_udp);
  }
  if (other_tcp_works || web.size() < 2) return;
  auto next = web.begin();
  for (const auto port : other_tcp_ports) {
    if (other_tcp.contains(port)) continue;
    questions.ask(Purpose::way_out, CheckKind::hop, Transport::tcp, next->second->host, port,
                  control);
    next = std::next(next) == web.end() ? web.begin() : std::next(next);
  }
}

}  // namespace

bool doubtful(const Facts& facts, const Flow& flow) {
  const bool tcp_in_doubt =
      flow.way == Reachability::lost || (flow.way == Reachability::refused && !flow.left);
  return any_sample(flow, [&](const FlowSample& sample) {
    if (!findings::failing(*sample.result) || !facts.asked_for(*sample.result)) return false;
    // One protocol may be lost where another one passes.
    return flow.udp ? sample.way == Reachability::lost && sample.payload != Payload::rtp
                    : tcp_in_doubt;
  });
}

bool refused_by_whom(const Facts& facts, const Flow& flow) {
  return flow.udp && !flow.left && any_sample(flow, [&](const FlowSample& sample) {
           return sample.result->observation.outcome == Outcome::refused &&
                  facts.asked_for(*sample.result);
         });
}

// Packets died there once, on a way where others of that host got out or were not tried: a bad line
// does that, too.
bool died_once(const Facts& facts, const Flow& flow) {
  constexpr int most_by_chance = 2;
  const auto only_once = [&](const Flow& one) {
    return one.way == Reachability::blocked && !findings::firmly_blocked(facts, one);
  };
  if (!only_once(flow)) return false;
  const auto alike = std::count_if(facts.flows.begin(), facts.flows.end(), [&](const Flow& other) {
    return other.udp == flow.udp && other.host == flow.host && only_once(other);
  });
  return alike <= most_by_chance && facts.asked_for(flow);
}

UdpAsAWhole udp_as_a_whole(const Facts& facts) {
  const auto closed = findings::closed_udp(findings::Diagnosis(facts));
  if (!closed || closed->confidence == Confidence::possible) return UdpAsAWhole::open;
  if (closed->replies_from) return UdpAsAWhole::unanswered;
  // Ports that no service of the set has: a firewall with a list of the allowed may know those.
  const bool whatever_the_port =
      std::all_of(std::begin(other_udp_ports), std::end(other_udp_ports), [&](std::uint16_t port) {
        return std::any_of(facts.flows.begin(), facts.flows.end(), [&](const Flow& flow) {
          return flow.udp && flow.port == port && flow.way == Reachability::blocked;
        });
      });
  const bool shut = closed->confidence == Confidence::certain && whatever_the_port;
  return shut ? UdpAsAWhole::shut : UdpAsAWhole::open;
}

namespace {

// Media leaves the site, and nobody who answers everybody is heard on such ports. Do their packets
// leave as well? Then the way back is shut, or the way further out.
void ask_for_silent_responders(const Facts& facts, bool udp, const With& with,
                               Questions& questions) {
  bool left = false;
  std::set<std::uint16_t> heard;
  for (const auto& flow : facts.flows) {
    if (flow.udp != udp || flow.port == 53) continue;
    left |= flow.way == Reachability::left;
    if (findings::heard(flow)) heard.insert(flow.port);
  }
  if (!left) return;
  std::map<std::string, const Flow*> silent;  // one of each operator
  const Flow* lowest = nullptr;               // by port
  for (const auto& flow : facts.flows) {
    if (flow.udp != udp || flow.port == 53 || flow.way != Reachability::lost) continue;
    const bool responder =
        any_sample(flow, [](const FlowSample& sample) { return sample.responder; });
    const bool doubt =
        udp ? heard.lower_bound(flow.port) == heard.end() : !heard.contains(flow.port);
    if (!responder || !doubt) continue;
    silent.try_emplace(flow.party, &flow);
    if (lowest == nullptr || flow.port < lowest->port) lowest = &flow;
  }
  std::vector<const Flow*> chosen;
  for (const auto& [party, flow] : silent) chosen.push_back(flow);
  // Firewalls shut ports from some number up, and of what is below nothing is known.
  if (udp && chosen.size() > 1 && chosen.front() != lowest) chosen[1] = lowest;
  std::size_t asked = 0;
  for (const auto* flow : chosen) {
    if (asked++ == hosts_per_port) return;
    auto as_sent = with;
    if (udp) as_sent["payload"] = word_of(payload_of(*flow));
    const auto transport = udp ? Transport::udp : Transport::tcp;
    questions.ask(Purpose::way_out, CheckKind::hop, transport, flow->host, flow->port, as_sent);
    // A list of the allowed may be further out than the router that all ways have in common: one
    // that is on no list is climbed to by itself.
    if (!udp || facts.asked_for(*flow) || asked > 1) continue;
    as_sent.erase("control");
    questions.ask(Purpose::way_out, CheckKind::hop, transport, flow->host, flow->port, as_sent);
  }
}

// STUN or SIP that a device turned away: is it the port, or the protocol?
void ask_what_is_turned_away(const Facts& facts, const With& with, Questions& questions) {
  std::set<std::uint16_t> ports;
  for (const auto& flow : facts.flows) {
    if (!flow.udp || flow.port == 53 || flow.way != Reachability::blocked) continue;
    const auto turned_away = [&](const FlowSample& sample) {
      return !sample.by.empty() && sample.payload != Payload::rtp &&
             facts.asked_for(*sample.result);
    };
    if (!any_sample(flow, turned_away)) continue;
    if (ports.size() == hosts_per_port || !ports.insert(flow.port).second) continue;
    questions.ask(Purpose::way_out, CheckKind::hop, Transport::udp, flow.host, flow.port, with);
  }
}

// TCP ports that a device turns away, so far of one network only: the hosts, or the ports?
void ask_elsewhere_of_refused(const Facts& facts, const Flow& control, const With& with,
                              Questions& questions) {
  std::map<std::uint16_t, std::set<std::string>> networks;  // by port
  for (const auto& flow : facts.flows) {
    const bool refused =
        !flow.udp && flow.way == Reachability::blocked && facts.asked_for(flow) &&
        any_sample(flow, [](const FlowSample& sample) { return sample.turned_away(); });
    if (refused) networks[flow.port].insert(flow.network);
  }
  std::size_t asked = 0;
  for (const auto& [port, known] : networks) {
    if (known.size() > 1 || works_somewhere(facts, false, port)) continue;
    if (asked++ == most_refused_ports) return;
    questions.ask(Purpose::way_out, CheckKind::hop, Transport::tcp, control.host, port, with);
  }
}

// Where nothing is known to listen, the way is its own control.
void ask_once_more(const Facts& facts, Questions& questions) {
  std::size_t asked = 0;
  for (const auto& flow : facts.flows) {
    if (!died_once(facts, flow) || asked++ >= most_ports) continue;
    const std::map<std::string, std::string> with =
        flow.udp ? std::map<std::string, std::string>{{"payload", word_of(payload_of(flow))}}
                 : std::map<std::string, std::string>{{"again", "true"}};
    questions.ask(Purpose::way_out, CheckKind::hop, flow.udp ? Transport::udp : Transport::tcp,
                  flow.host, flow.port, with);
  }
}

}  // namespace

// Do packets to the ports in doubt leave the site, and do such to the same ports elsewhere?
void ask_for_ways(const Facts& facts, Questions& questions, UdpAsAWhole udp_way, bool hurried) {
  const auto* control = find_control(facts);
  if (control == nullptr) return ask_once_more(facts, questions);
  const SocketAddress listener{*control->samples.front().result->observation.address,
                               control->port};
  const auto through = [&](std::map<std::string, std::string> with) {
    with["control"] = listener.to_string();
    return with;
  };
  const bool udp_shut = udp_way == UdpAsAWhole::shut;
  const bool unanswered = udp_way == UdpAsAWhole::unanswered;
  if (!udp_shut && !unanswered) ask_for_silent_responders(facts, true, through({}), questions);
  ask_for_silent_responders(facts, false, through({}), questions);
  if (!udp_shut) {
    ask_for_silent_ranges(facts, through({{"payload", word_of(Payload::rtp)}}), questions, hurried);
  }
  std::map<std::pair<bool, std::uint16_t>, std::vector<const Flow*>> doubts;
  const auto shut = shut_hosts(facts);
  for (const auto& flow : facts.flows) {
    if ((flow.udp && (udp_shut || unanswered)) || shut.contains(flow.host)) continue;
    const bool in_doubt =
        doubtful(facts, flow) || refused_by_whom(facts, flow) || died_once(facts, flow);
    if (in_doubt) doubts[{flow.udp, flow.port}].push_back(&flow);
  }
  std::map<bool, std::size_t> asked, asked_of_refusals;
  std::size_t repeats = 0;
  for (const auto& [key, flows] : doubts) {
    const auto [udp, port] = key;
    const bool refused = std::all_of(flows.begin(), flows.end(), [](const Flow* flow) {
      return flow->way == Reachability::refused;
    });
    auto& so_far = refused ? asked_of_refusals[udp] : asked[udp];
    if (so_far++ >= (refused ? most_refused_ports : most_ports)) {
      const auto once = std::find_if(flows.begin(), flows.end(),
                                     [&](const Flow* flow) { return died_once(facts, *flow); });
      if (once != flows.end() && repeats++ < most_repeats) {
        questions.ask(Purpose::way_out, CheckKind::hop, udp ? Transport::udp : Transport::tcp,
                      (*once)->host, port,
                      udp ? through({{"payload", word_of(payload_of(**once))}}) : through({}));
      }
      continue;
    }
    // Two hosts whose refusals come from outside show it.
    const auto such = [&](const Flow& flow) { return flow.udp == udp && flow.port == port; };
    if (refused && hosts_that_left(facts, such) >= hosts_per_port) continue;
    const auto chosen = choose(flows);
    const auto transport = udp ? Transport::udp : Transport::tcp;
    std::set<std::string> networks;
    for (const auto* flow : chosen) {
      networks.insert(flow->network);
      if (!udp) {
        questions.ask(Purpose::way_out, CheckKind::hop, transport, flow->host, port, through({}));
      } else {
        questions.ask(Purpose::way_out, CheckKind::hop, transport, flow->host, port,
                      through({{"payload", word_of(payload_of(*flow))}}));
      }
    }
    if (udp) {
      // The contrast: the same port, another protocol.
      questions.ask(Purpose::way_out, CheckKind::hop, transport, chosen.front()->host, port,
                    through({{"payload", word_of(Payload::rtp)}}));
    }
    if (networks.size() > 1 || works_somewhere(facts, udp, port)) continue;
    questions.ask(Purpose::way_out, CheckKind::hop, transport, control->host, port,
                  udp ? through({{"payload", word_of(Payload::rtp)}}) : through({}));
  }
  if (!udp_shut) {
    ask_for_ranges(facts, *control, through({{"payload", word_of(Payload::rtp)}}), questions);
  }
  if (!udp_shut) {
    const auto rtp = through({{"payload", word_of(Payload::rtp)}});
    ask_what_is_turned_away(facts, rtp, questions);
    if (!hurried) ask_for_silent_ports(facts, rtp, questions);
  }
  ask_elsewhere(facts, *control, through({}), questions);
  ask_elsewhere_of_refused(facts, *control, through({}), questions);
  ask_beyond_the_set(facts, through({}), questions);
}

// Is a host that is silent on its one port alive at all? Of a few hosts in all: those that an
// earlier look has asked count, or each look would ask others, and the run end ever later.
void ask_for_neighbours(const Facts& facts, Questions& questions, UdpAsAWhole udp) {
  std::map<std::string, std::set<std::uint16_t>> tcp_ports;  // by host
  std::set<std::string> asked_before, asked;                 // hosts
  for (const auto& flow : facts.flows) {
    if (flow.udp) continue;
    tcp_ports[flow.host].insert(flow.port);
    const bool question =
        std::all_of(flow.samples.begin(), flow.samples.end(), [&](const FlowSample& sample) {
          const auto& probe = sample.result->probe;
          return probe.check == CheckKind::tcp && probe.control() &&
                 !facts.asked_for(*sample.result);
        });
    if (question) asked_before.insert(flow.host);
  }
  for (const auto& flow : facts.flows) {
    if (doubtful(facts, flow) && asked_before.contains(flow.host)) asked.insert(flow.host);
  }
  for (const auto& flow : facts.flows) {
    if (flow.udp && udp == UdpAsAWhole::shut) continue;
    if (!doubtful(facts, flow) || facts.alive(flow.host)) continue;
    if (asked.size() >= most_neighbours && !asked.contains(flow.host)) continue;
    const auto& known = tcp_ports[flow.host];
    if (known.size() > (flow.udp ? 0 : known.count(flow.port))) continue;
    const std::uint16_t port = flow.udp ? flow.port : flow.port == 443 ? 80 : 443;
    questions.ask(Purpose::neighbour, CheckKind::tcp, Transport::tcp, flow.host, port);
    asked.insert(flow.host);
  }
}

void ask_again(const Facts& facts, Questions& questions) {
  // A device that took offence shuts out TCP as well, whatever the port.
  const bool suspicious =
      std::any_of(facts.flows.begin(), facts.flows.end(), [&](const Flow& flow) {
        return !flow.udp && flow.way == Reachability::lost && doubtful(facts, flow);
      });
  if (!suspicious) return;
  std::vector<const Flow*> reached;
  const auto first_sent = [](const Flow& flow) {
    return flow.samples.front().result->observation.sent_at;
  };
  for (const auto& flow : facts.flows) {
    const auto payload = flow.samples.front().payload;
    const bool repeatable = !flow.udp || payload == Payload::stun || payload == Payload::turn;
    if (repeatable && flow.way == Reachability::open && first_sent(flow)) reached.push_back(&flow);
  }
  std::stable_sort(reached.begin(), reached.end(),
                   [&](const Flow* a, const Flow* b) { return *first_sent(*a) < *first_sent(*b); });
  for (const auto* flow : choose(reached)) {
    const auto transport = flow->udp ? Transport::udp : Transport::tcp;
    questions.ask(Purpose::repeat, flow->udp ? CheckKind::stun : CheckKind::tcp, transport,
                  flow->host, flow->port, {{"again", "true"}});
  }
  // Is it the line, or this computer? The site's own resolver sends its questions by itself.
  questions.ask(Purpose::repeat, CheckKind::dns, Transport::udp, "example.com", 53);
}

}  // namespace callready
