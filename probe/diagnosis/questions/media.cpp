// The second round's questions about media hosts that nothing is known of.
#include <algorithm>

#include "probe/diagnosis/questions/questions.hpp"

namespace callready {
namespace {

constexpr std::size_t most_hosts_of_ranges = 3;

bool is_range(const Flow& flow) {
  return flow.samples.front().result->probe.check == CheckKind::udp_range;
}

// Hosts of media ranges whose packets the second round has seen to leave the site.
std::size_t ranges_that_left(const Facts& facts) {
  std::set<std::string> hosts;
  for (const auto& flow : facts.flows) {
    const bool left = flow.udp && is_range(flow) && any_sample(flow, [](const FlowSample& sample) {
                        return sample.result->probe.purpose == Purpose::way_out &&
                               sample.result->observation.detail == DetailCode::left_site;
                      });
    if (left) hosts.insert(flow.host);
  }
  return hosts.size();
}

// A packet died or was turned away, or a server that answers everybody was silent.
bool in_trouble(const Flow& flow) {
  const bool lost = flow.way == Reachability::lost && !is_range(flow);
  return lost || flow.way == Reachability::blocked || flow.way == Reachability::refused;
}

// Something is wrong over UDP. Else each more port that is asked for costs a router one of its few
// answers.
bool udp_suffers(const Facts& facts) {
  return std::ranges::any_of(facts.flows,
                             [](const Flow& flow) { return flow.udp && in_trouble(flow); });
}

}  // namespace

// Of media hosts that nothing is known of, where others are known to be sent to: one port each.
void ask_for_silent_ranges(const Facts& facts, const With& through, Questions& questions,
                           bool hurried) {
  auto with = through;
  with["payload"] = std::string(to_string(Payload::rtp));
  std::set<std::string> left;                   // hosts
  std::set<std::uint16_t> open;                 // ports, of all of them
  std::map<std::string, std::uint16_t> silent;  // the first port of each host
  for (const auto& flow : facts.flows) {
    if (!flow.udp || !is_range(flow) || !findings::out(flow)) continue;
    left.insert(flow.host);
    open.insert(flow.port);
  }
  const bool suffers = udp_suffers(facts);
  for (const auto& flow : facts.flows) {
    if (!flow.udp || flow.way != Reachability::lost || !is_range(flow)) continue;
    const auto& range = flow.samples.front().result->probe.target.ports;
    const auto port = open.lower_bound(range.first);
    const bool covered = port != open.end() && *port <= range.last;
    if (suffers || !covered) silent.try_emplace(flow.host, flow.port);
  }
  // Whom the routers were not asked about, since the same ports passed to others.
  std::set<std::string> troubled;
  for (const auto& flow : facts.flows) {
    if (in_trouble(flow)) troubled.insert(flow.host);
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
  auto asked = ranges_that_left(facts);
  if (hurried) asked = left.size();
  for (const auto& [host, port] : silent) {
    if (left.empty() || asked++ >= most_hosts_of_ranges) return;
    questions.ask(Purpose::way_out, CheckKind::hop, Transport::udp, host, port, with);
  }
}

}  // namespace callready
