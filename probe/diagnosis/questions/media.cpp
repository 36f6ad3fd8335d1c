// The second round's questions about media hosts that nothing is known of.
#include <algorithm>

#include "probe/diagnosis/questions/questions.hpp"

namespace callready {
namespace {

constexpr std::size_t most_hosts_of_ranges = 3;

bool is_range(const Flow& flow) {
  return flow.samples.front().result->probe.check == CheckKind::udp_range;
}

// The second round has seen packets to that media range leave the site.
bool was_seen_to_leave(const Flow& flow) {
  return flow.udp && is_range(flow) && any_sample(flow, [](const FlowSample& sample) {
           return sample.result->probe.purpose == Purpose::way_out &&
                  sample.result->observation.detail == DetailCode::left_site;
         });
}

// A packet died or was turned away, or a server that answers everybody was silent.
bool is_in_trouble(const Flow& flow) {
  const bool lost = flow.way == Reachability::lost && !is_range(flow);
  return lost || flow.way == Reachability::blocked || flow.way == Reachability::refused;
}

}  // namespace

// Of media hosts that nothing is known of, where others are known to be sent to: one port each.
void ask_for_silent_ranges(const Facts& facts, const With& through, Questions& questions,
                           bool hurried) {
  const auto left = facts.select(
      [](const Flow& flow) { return flow.udp && is_range(flow) && findings::out(flow); });
  if (left.empty()) return;
  const auto open = findings::set_of(left, &Flow::port);
  const auto in_trouble = facts.select(is_in_trouble);
  // Something is wrong over UDP. Else each more port that is asked for costs a router one of its
  // few answers.
  const bool suffers = std::ranges::any_of(in_trouble, &Flow::udp);
  std::map<std::string, std::uint16_t> silent;  // the first port of each host
  for (const auto& flow : facts.flows) {
    if (!flow.udp || flow.way != Reachability::lost || !is_range(flow)) continue;
    const auto& range = flow.samples.front().result->probe.target.ports;
    const auto port = open.lower_bound(range.first);
    const bool covered = port != open.end() && *port <= range.last;
    if (suffers || !covered) silent.try_emplace(flow.host, flow.port);
  }
  // Whom the routers were not asked about, since the same ports passed to others.
  const auto troubled = findings::set_of(in_trouble, &Flow::host);
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
  const auto known = hurried ? left : facts.select(was_seen_to_leave);
  auto asked = findings::set_of(known, &Flow::host).size();
  for (const auto& [host, port] : silent) {
    if (asked++ >= most_hosts_of_ranges) return;
    questions.ask_the_way(true, host, port, through);
  }
}

}  // namespace callready
