#include "probe/diagnosis/weak_evidence.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callready::findings {
namespace {

constexpr std::uint16_t dns_port = 53;

// Over UDP or over TCP: who was heard, and who was not although they answer everybody.
struct Answers {
  std::set<std::uint16_t> heard;                          // ports
  std::map<std::uint16_t, std::set<std::string>> silent;  // parties by port
  std::map<std::string, bool> hosts;                      // that answer everybody: was one heard?

  bool any_heard_from(std::uint16_t port) const { return heard.lower_bound(port) != heard.end(); }
  std::size_t silent_from(std::uint16_t port) const {
    std::set<std::string> parties;
    for (auto at = silent.lower_bound(port); at != silent.end(); ++at) {
      parties.insert(at->second.begin(), at->second.end());
    }
    return parties.size();
  }
};

bool answered(const FlowSample& sample) {
  const auto outcome = sample.result->observation.outcome;
  // Over UDP a port-unreachable comes back where no reply does.
  return sample.way == Reachability::open && outcome != Outcome::refused;
}

// Of a server that speaks SIP over another transport.
bool speaks_sip(const Facts& facts, const std::string& host) {
  return std::any_of(facts.flows.begin(), facts.flows.end(), [&](const Flow& flow) {
    return flow.host == host &&
           std::any_of(flow.samples.begin(), flow.samples.end(), [](const FlowSample& sample) {
             return sample.result->probe.check == CheckKind::sip &&
                    sample.result->observation.outcome == Outcome::answered;
           });
  });
}

Answers answers_of(const Facts& facts, bool udp, const std::set<std::string>& explained) {
  Answers answers;
  for (const auto& flow : facts.flows) {
    if (flow.udp != udp || flow.port == dns_port) continue;
    const bool heard = std::any_of(flow.samples.begin(), flow.samples.end(), answered);
    const bool silent =
        !heard && std::any_of(flow.samples.begin(), flow.samples.end(), [&](const auto& sample) {
          const bool responder =
              sample.responder || (sample.payload == "sip" && speaks_sip(facts, flow.host));
          return responder && sample.way == Reachability::lost &&
                 !explained.contains(sample.result->probe.id);
        });
    if (heard) answers.heard.insert(flow.port);
    if (silent) answers.silent[flow.port].insert(flow.party);
  }
  return answers;
}

// Hosts that answer everybody on some port, and on none of them.
std::set<std::string> dead_hosts(const Facts& facts, const std::set<std::string>& explained) {
  std::set<std::string> dead, alive;
  for (const auto& flow : facts.flows) {
    for (const auto& sample : flow.samples) {
      if (sample.way == Reachability::open) alive.insert(flow.host);
      if (sample.responder && sample.way == Reachability::lost &&
          !explained.contains(sample.result->probe.id)) {
        dead.insert(flow.host);
      }
    }
  }
  for (const auto& host : alive) dead.erase(host);
  return dead;
}

// Why packets to these ports may come to nothing; empty: no reason is known.
std::string doubt(const Answers& answers, const PortRange& ports, std::string_view over) {
  if (answers.silent.empty()) return {};
  if (answers.heard.empty()) {
    return fmt::format("no server was heard over {}, not even those that answer everybody", over);
  }
  for (const auto& [port, parties] : answers.silent) {
    if (port > ports.last) break;
    if (port >= ports.first && parties.size() > 1 && !answers.heard.contains(port)) {
      return fmt::format("servers that answer everybody are silent on {} port {}", over, port);
    }
    // One operator may be down.
    if (answers.any_heard_from(port) || answers.silent_from(port) < 2) continue;
    return fmt::format(
        "no server was heard on {} ports from {} up, though {} that answer "
        "everybody were asked",
        over, port, answers.silent_from(port));
  }
  return {};
}

}  // namespace

std::map<std::string, std::string> doubted(const Facts& facts,
                                           const std::set<std::string>& explained) {
  std::map<std::string, std::string> reasons;
  const auto udp = answers_of(facts, true, explained), tcp = answers_of(facts, false, explained);
  const auto dead = dead_hosts(facts, explained);
  for (const auto& result : facts.report.probes) {
    const auto& target = result.probe.target;
    if (result.observation.outcome != Outcome::passed || !is_direct(result)) continue;
    auto reason =
        is_udp(result) ? doubt(udp, target.ports, "UDP") : doubt(tcp, target.ports, "TCP");
    if (reason.empty() && dead.contains(target.host)) {
      reason = fmt::format("nothing that {} should answer was answered", target.host);
    }
    if (!reason.empty()) reasons.emplace(result.probe.id, std::move(reason));
  }
  return reasons;
}

}  // namespace callready::findings
