// The second round's questions about hosts: is one that is silent alive at all, and does what
// answered at first answer still?
#include <algorithm>

#include "probe/diagnosis/questions/questions.hpp"

namespace callready {
namespace {

// This many for each kind of doubt: more show no more.
constexpr std::size_t most_neighbours = 3, most_repeats = 2, most_connects = 8;

// Answered at first, and silent when it was asked once more.
bool fell_silent(const Flow& flow) {
  return flow.way == Reachability::open && any_sample(flow, [](const FlowSample& sample) {
           return sample.result->probe.purpose == Purpose::repeat &&
                  sample.way == Reachability::lost;
         });
}

// A connection to a host that had answered was tried beside it, and failed: the line, or a device,
// may have failed in between.
bool fell_silent_beside(const Facts& facts) {
  return facts.any_probe([&](const ProbeResult& result) {
    const auto& [probe, seen] = result;
    if (probe.check != CheckKind::ipv6 || seen.outcome != Outcome::silent) return false;
    const bool by_ipv4 = findings::attempt_over(result, "IPv4").result == DetailCode::timed_out;
    return by_ipv4 && std::ranges::any_of(facts.flows, [&](const Flow& flow) {
             const auto& target = probe.target;
             return !flow.udp && flow.host == target.host && flow.port == target.port() &&
                    flow.way == Reachability::open;
           });
  });
}

}  // namespace

bool doubtful(const Facts& facts, const Flow& flow) {
  const bool tcp_in_doubt =
      flow.way == Reachability::lost || (flow.way == Reachability::refused && !flow.left);
  return any_sample(flow, [&](const FlowSample& sample) {
    if (!failing(*sample.result) || !facts.asked_for(*sample.result)) return false;
    // One protocol may be lost where another one passes.
    return flow.udp ? sample.way == Reachability::lost && sample.cargo != Cargo::rtp : tcp_in_doubt;
  });
}

// Is a host that is silent on its one port alive at all? For a few hosts in all: those that an
// earlier look has asked count, or each look would ask others, and the run would end ever later.
void ask_for_neighbours(const Facts& facts, Questions& questions, bool no_udp) {
  const auto in_doubt = facts.select([&](const Flow& flow) { return doubtful(facts, flow); });
  const auto hosts = set_of(in_doubt, &Flow::host);
  std::map<std::string, std::size_t> tcp_ports;  // by host
  std::set<std::string> asked, alive;            // hosts
  for (const auto& flow : facts.flows) {
    if (flow.way == Reachability::open) alive.insert(flow.host);
    if (flow.udp) continue;
    ++tcp_ports[flow.host];
    const bool question = std::ranges::all_of(flow.samples, [](const FlowSample& sample) {
      const auto& probe = sample.result->probe;
      return probe.check == CheckKind::tcp && probe.control();
    });
    if (question && hosts.contains(flow.host)) asked.insert(flow.host);
  }
  for (const auto* flow : in_doubt) {
    const auto& host = flow->host;
    if ((flow->udp && no_udp) || alive.contains(host)) continue;
    if (asked.size() >= most_neighbours && !asked.contains(host)) continue;
    if (tcp_ports[host] > (flow->udp ? 0U : 1U)) continue;
    const std::uint16_t port = flow->udp ? flow->port : flow->port == 443 ? 80 : 443;
    questions.ask(Purpose::neighbour, CheckKind::tcp, Transport::tcp, host, port);
    asked.insert(host);
  }
}

void ask_again(const Facts& facts, Questions& questions) {
  // Nobody knows whether a neighbour of a port listens.
  const auto lost = facts.select([](const Flow& flow) {
    return !flow.udp && flow.way == Reachability::lost &&
           any_sample(flow, [](const FlowSample& sample) {
             return sample.result->probe.purpose != Purpose::neighbour;
           });
  });
  // A device that bans this computer shuts out TCP as well, whatever the port and the host.
  const bool suspicious =
      std::ranges::any_of(facts.flows, fell_silent) || fell_silent_beside(facts) ||
      set_of(lost, &Flow::host).size() > 1 ||
      std::ranges::any_of(lost, [&](const Flow* flow) { return doubtful(facts, *flow); });
  if (!suspicious) return;
  auto reached = facts.select([](const Flow& flow) {
    const auto& first = flow.samples.front();
    const bool repeatable = !flow.udp || first.cargo == Cargo::stun || first.cargo == Cargo::turn;
    return repeatable && flow.way == Reachability::open && first.result->observation.sent_at;
  });
  std::ranges::stable_sort(reached, {}, [](const Flow* flow) {
    return flow->samples.front().result->observation.sent_at;
  });
  const auto ask = [&](const std::vector<const Flow*>& flows, const std::string& time) {
    for (const auto* flow : flows) {
      questions.ask(Purpose::repeat, flow->udp ? CheckKind::stun : CheckKind::tcp,
                    flow->udp ? Transport::udp : Transport::tcp, flow->host, flow->port,
                    {{"again", time}});
    }
  };
  const auto chosen = of_different_owners(reached, 2 * most_repeats, &Flow::network);
  const auto first = first_of(chosen, most_repeats);
  ask(first, "true");
  const bool all_fell_silent =
      std::ranges::all_of(first, [](const Flow* flow) { return fell_silent(*flow); });
  if (!first.empty() && all_fell_silent) {
    // Of several paths one may be dead, and all have met it by chance: so many more do not.
    const auto by_udp = std::ranges::find_if(reached, &Flow::udp);
    const bool counts = by_udp != reached.end();
    if (counts) {
      questions.ask(Purpose::repeat, CheckKind::stun, Transport::udp, (*by_udp)->host,
                    (*by_udp)->port, {{"flows", "new"}, {"again", "true"}});
    }
    const auto times = counts ? 1 : most_connects / chosen.size();
    for (std::size_t time = 2; time < 2 + times; ++time) ask(chosen, std::to_string(time));
    // A sign-in that has ended shows its page in place of others.
    for (const auto& [probe, seen] : facts.report.probes) {
      if (probe.with.contains("body") && callready::reached(seen.outcome))
        questions.ask_again(probe);
    }
  }
  // Is it the line, or this computer? The site's own resolver sends its questions by itself.
  questions.ask(Purpose::repeat, CheckKind::dns, Transport::udp, "example.com", 53);
}

}  // namespace callready
