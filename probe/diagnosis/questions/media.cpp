// The second round's questions about media: ranges of ports of which a part died, or could not be
// measured, and hosts that nothing is known of.
#include <algorithm>

#include "probe/diagnosis/questions/questions.hpp"
#include "probe/diagnosis/ways/flow_groups.hpp"

namespace callready {

namespace {

using findings::Facts;
using findings::Flow;
using findings::FlowSample;
using findings::Reachability;

constexpr std::size_t most_hosts_of_ranges = 3;

// At the early look, in the middle of the first round.
bool is_unfinished_range(const ProbeResult& result) {
  const auto& [probe, seen] = result;
  return probe.check == CheckKind::udp_range && seen.outcome == Outcome::skipped &&
         seen.detail == Detail();
}

}  // namespace

// Hosts of which nothing was heard, and two ports, one of them over TCP, are seen to be blocked:
// why the others are silent need not be asked.
std::set<std::string> shut_hosts(const Facts& facts) {
  std::map<std::string, std::set<std::pair<bool, std::uint16_t>>> blocked;
  std::set<std::string> heard, over_tcp;
  for (const auto& flow : facts.flows) {
    if (findings::out(flow) || flow.way == Reachability::refused) heard.insert(flow.host);
    if (flow.way != Reachability::blocked) continue;
    blocked[flow.host].insert({flow.udp, flow.port});
    if (!flow.udp) over_tcp.insert(flow.host);
  }
  std::set<std::string> shut;
  for (const auto& [host, ports] : blocked) {
    if (ports.size() > 1 && over_tcp.contains(host) && !heard.contains(host)) shut.insert(host);
  }
  return shut;
}

// Hosts of such flows whose packets the second round has seen to leave the site.
std::size_t hosts_that_left(const Facts& facts, const std::function<bool(const Flow&)>& such) {
  std::set<std::string> hosts;
  for (const auto& flow : facts.flows) {
    const bool left = such(flow) && any_sample(flow, [](const FlowSample& sample) {
                        return sample.result->probe.purpose == Purpose::way_out &&
                               sample.result->observation.detail == DetailCode::left_site;
                      });
    if (left) hosts.insert(flow.host);
  }
  return hosts.size();
}

// Of media ports that died on the way to one network: do they die on the way to others, too?
void ask_for_ranges(const Facts& facts, const Flow& control, const With& with,
                    Questions& questions) {
  const auto shut = shut_hosts(facts);
  std::vector<std::uint16_t> ports;
  std::map<std::uint16_t, std::set<std::string>> networks;  // of what is not just lost
  for (const auto& flow : facts.flows) {
    if (flow.udp && flow.way != Reachability::lost) networks[flow.port].insert(flow.network);
  }
  const Flow* host = nullptr;
  for (const auto& flow : facts.flows) {
    const bool range = flow.samples.front().result->probe.check == CheckKind::udp_range;
    const bool dropped =
        flow.udp && flow.way == Reachability::blocked && range && !shut.contains(flow.host);
    if (dropped && host == nullptr) host = &flow;
    if (dropped && networks[flow.port].size() == 1) ports.push_back(flow.port);
  }
  if (host != nullptr) {
    auto as_stun = with;
    as_stun["payload"] = std::string(
        to_string(Payload::stun));  // the contrast: a device that lets only what it knows pass
    questions.ask(Purpose::way_out, CheckKind::hop, Transport::udp, host->host, host->port,
                  as_stun);
  }
  if (ports.empty()) return;
  std::sort(ports.begin(), ports.end());
  for (const auto port : {ports.front(), ports.back()}) {
    questions.ask(Purpose::way_out, CheckKind::hop, Transport::udp, control.host, port, with);
  }
}

// Something is wrong over UDP: a packet died or was turned away, or a server that answers everybody
// was silent. Else each more port that is asked for costs a router one of its few answers.
bool udp_suffers(const Facts& facts) {
  return std::any_of(facts.flows.begin(), facts.flows.end(), [](const Flow& flow) {
    const bool range = flow.samples.front().result->probe.check == CheckKind::udp_range;
    const bool lost = flow.way == Reachability::lost && !range;
    return flow.udp &&
           (lost || flow.way == Reachability::blocked || flow.way == Reachability::refused);
  });
}

// Ports of a range that could not be measured, a third of them or more: the first, the last, and
// one in the middle, of each host once. Media has no use for well known ones, and between two ports
// that get out, to whichever host, the others do most often: a rule is about ports, and a router
// has few answers. So once all ranges have theirs.
void ask_for_silent_ports(const Facts& facts, const With& with, Questions& questions) {
  const auto& probes = facts.report.probes;
  if (std::any_of(probes.begin(), probes.end(), is_unfinished_range)) return;
  if (!udp_suffers(facts)) return;
  std::map<std::string, std::vector<std::uint16_t>> silent;  // by host
  std::map<std::string, std::size_t> left;                   // ports
  std::set<std::uint16_t> open;                              // of all hosts
  std::set<std::string> known;
  for (const auto& flow : facts.flows) {
    for (const auto& sample : flow.samples) {
      const auto check = sample.result->probe.check;
      if (flow.udp && check == CheckKind::hop) known.insert(flow.host);
      if (check != CheckKind::udp_range || !facts.asked_for(*sample.result)) continue;
      if (sample.way == Reachability::left) {
        ++left[flow.host];
        open.insert(flow.port);
      }
      if (sample.way == Reachability::blocked) known.insert(flow.host);
      const bool lost = flow.way == Reachability::lost && flow.port >= first_user_port;
      if (lost) silent[flow.host].push_back(flow.port);
    }
  }
  std::size_t asked = 0;
  for (const auto& [host, ports] : silent) {
    const bool many = left[host] > 0 && 2 * ports.size() >= left[host];
    if (!many || known.contains(host)) continue;
    const bool surrounded = *open.begin() <= ports.front() && ports.back() <= *open.rbegin();
    if (surrounded || asked++ >= hosts_per_port) continue;
    for (const auto port : {ports.front(), ports[ports.size() / 2], ports.back()}) {
      questions.ask(Purpose::way_out, CheckKind::hop, Transport::udp, host, port, with);
    }
  }
}

// Of media hosts that nothing is known of, where others are known to be sent to: one port each.
void ask_for_silent_ranges(const Facts& facts, const With& with, Questions& questions,
                           bool hurried) {
  std::set<std::string> left;                   // hosts
  std::set<std::uint16_t> open;                 // ports, of all of them
  std::map<std::string, std::uint16_t> silent;  // the first port of each host
  for (const auto& flow : facts.flows) {
    if (!flow.udp || flow.samples.front().result->probe.check != CheckKind::udp_range) continue;
    if (findings::out(flow)) left.insert(flow.host);
    if (findings::out(flow)) open.insert(flow.port);
  }
  const bool suffers = udp_suffers(facts);
  for (const auto& flow : facts.flows) {
    const auto& probe = flow.samples.front().result->probe;
    const bool lost = flow.udp && flow.way == Reachability::lost;
    if (!lost || probe.check != CheckKind::udp_range) continue;
    const auto port = open.lower_bound(probe.target.ports.first);
    const bool covered = port != open.end() && *port <= probe.target.ports.last;
    if (suffers || !covered) silent.try_emplace(flow.host, flow.port);
  }
  // Whom the routers were not asked about, since the same ports passed to others.
  std::set<std::string> troubled;
  for (const auto& flow : facts.flows) {
    const bool range = flow.samples.front().result->probe.check == CheckKind::udp_range;
    const bool lost = flow.way == Reachability::lost && !range;
    if (lost || flow.way == Reachability::blocked || flow.way == Reachability::refused) {
      troubled.insert(flow.host);
    }
  }
  for (const auto& [probe, seen] : facts.report.probes) {
    if (seen.detail != DetailCode::spared || probe.target.sample.empty()) continue;
    const auto& host = probe.target.host;
    if (suffers || troubled.contains(host)) silent.try_emplace(host, probe.target.sample.front());
  }
  for (const auto& flow : facts.flows) {
    if (flow.udp && flow.way != Reachability::lost) silent.erase(flow.host);
  }
  // Those that an earlier look has asked about count: each look would ask about others, and the run
  // end ever later.
  auto asked = hosts_that_left(facts, [](const Flow& flow) {
    return flow.udp && flow.samples.front().result->probe.check == CheckKind::udp_range;
  });
  if (hurried) asked = left.size();
  for (const auto& [host, port] : silent) {
    if (left.empty() || asked++ >= most_hosts_of_ranges) return;
    questions.ask(Purpose::way_out, CheckKind::hop, Transport::udp, host, port, with);
  }
}

}  // namespace callready
