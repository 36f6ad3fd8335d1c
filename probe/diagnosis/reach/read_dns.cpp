#include "probe/diagnosis/reach/reading.hpp"

#include <map>

namespace callready::reach {

void read_unresolved(const Reading& reading, FlowEvents& events) {
  const bool elsewhere = asks_a_dns_server(reading.probe);
  if (reading.seen.detail == DetailCode::dns_failed) {
    sign(reading, events, Sign::name_fails, findings::name_asked_for(reading.probe));
  }
  if (reading.seen.detail == DetailCode::no_such_name && !findings::asks_nobody(reading.probe)) {
    sign(reading, events, elsewhere ? Sign::public_denies : Sign::name_gone,
         findings::name_asked_for(reading.probe));
  }
}

void read_dns(const Reading& reading, FlowEvents& events) {
  const auto& outcome = reading.seen.outcome;
  // That there is no such name is an answer, too.
  const auto word = outcome == Outcome::unresolved ? Seen::reply : seen_by_outcome(reading, true);
  if (!word || reading.seen.detail == DetailCode::kept_here) return;
  auto event = event_of(reading, *word);
  const bool elsewhere = asks_a_dns_server(reading.probe);
  if (!elsewhere) event.flow.host = event.flow.address;
  event.flow.port = 53;
  event.flow.cargo = Cargo::dns;
  event.flow.name.clear();
  event.control = true;
  const bool heard = event.seen == Seen::reply && outcome != Outcome::failed;
  // Nobody listens there: silence is what is expected, and says nothing.
  if (findings::asks_nobody(reading.probe)) {
    if (heard) {
      sign(reading, events, Sign::dns_redirected, event.flow.address);
    } else {
      sign(reading, events, Sign::dns_direct);
    }
    return;
  }
  if (!elsewhere && reading.seen.detail == DetailCode::truncated) {
    sign(reading, events, Sign::name_too_long, findings::name_asked_for(reading.probe));
  }
  // How often what was answered had been sent is not known: `attempts` counts servers, too.
  if (event.seen == Seen::nothing) event.sent = lookup_tries;
  // Whether a resolver also listens on TCP is its own affair.
  if (findings::is_udp(reading.result)) events.flows.push_back(event);
  const auto name = parameter_of(reading.probe, "name");
  if (elsewhere && !name.empty() && outcome == Outcome::answered) {
    sign(reading, events, Sign::public_knows, std::string(name));
  }
  for ([[maybe_unused]] const auto& special :
       all_evidence(reading.seen, EvidenceKind::dns_special_address)) {
    sign(reading, events, Sign::dns_special, findings::name_asked_for(reading.probe));
  }
}

// Names that the site's resolver was asked for, once each: packets like others.
void read_lookups(const Report& report, FlowEvents& events) {
  std::map<std::string, FlowEvent> by_name;
  for (const auto& [probe, seen] : report.probes) {
    const auto& host = probe.target.host;
    if (!findings::is_name(host) || !probe.target.route.direct() || probe.check == CheckKind::dns)
      continue;
    FlowEvent event;
    event.probe = probe.id;
    event.flow = lookup_of(report.site, host);
    event.control = true;
    const bool died = seen.detail == DetailCode::dns_unreachable;
    if (seen.outcome == Outcome::unresolved && died) {
      event.seen = Seen::nothing;
      event.sent = lookup_tries;
      by_name[host] = event;
    } else if (seen.address && seen.timing_ms.contains(Timing::dns)) {
      event.seen = Seen::reply;
      by_name.try_emplace(host, event);
    }
  }
  for (auto& [name, event] : by_name) events.flows.push_back(std::move(event));
}

}  // namespace callready::reach
