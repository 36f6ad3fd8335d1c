// What gets no answer as a run begins, and is answered later: a network that was still coming up.
#include <algorithm>
#include <array>
#include <chrono>

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

constexpr std::size_t fewest_requests = 4, fewest_parties = 2;

// It was sent the whole way to somebody outside, once or as often as it takes. Packets that end on
// the way are sent over a long time.
bool is_request(const ProbeResult& result, bool udp) {
  const auto check = result.probe.check;
  return goes_outside(result) && is_udp(result) == udp && result.observation.sent_at &&
         check != CheckKind::hop && check != CheckKind::udp_range &&
         !result.probe.with.contains("flows");
}

// At the first try: a connection that took a second was asked for twice.
bool answered_at_once(const ProbeResult& result) {
  constexpr double again_ms = 900;
  const auto& seen = result.observation;
  const bool answered = seen.outcome == Outcome::answered || seen.outcome == Outcome::connected;
  return answered && (seen.attempts <= 1 || !is_udp(result)) &&
         found_in(seen.timing_ms, Timing::connect) < again_ms;
}

auto flow_of(const ProbeResult& result) {
  return std::pair(result.probe.target.host, result.probe.target.port());
}

bool is_proved(const LateStart& start) { return parties_of(start.again).size() >= fewest_parties; }

}  // namespace

bool started_late(const Facts& facts) {
  return std::ranges::any_of(std::array{true, false}, [&](bool udp) {
    const auto start = late_start(facts, udp);
    return start && is_proved(*start);
  });
}

std::optional<LateStart> late_start(const Facts& facts, bool udp) {
  LateStart start;
  Probes answered;
  for (const auto& result : facts.report.probes) {
    if (!is_request(result, udp)) continue;
    if (result.observation.outcome == Outcome::silent) start.lost.push_back(&result);
    if (answered_at_once(result)) answered.push_back(&result);
  }
  const auto many = [](const Probes& some) {
    return some.size() >= fewest_requests && parties_of(some).size() >= fewest_parties;
  };
  if (!many(start.lost) || !many(answered)) return std::nullopt;
  const auto sent_at = [](const ProbeResult* result) { return *result->observation.sent_at; };
  start.first = std::ranges::min(start.lost, {}, sent_at)->observation.sent_at.value();
  start.last = std::ranges::max(start.lost, {}, sent_at)->observation.sent_at.value();
  start.over = std::ranges::min(answered, {}, sent_at)->observation.sent_at.value();
  if (start.over <= start.last) return std::nullopt;
  const auto lost = set_of(start.lost, flow_of);
  start.again = those_that(
      answered, [&](const ProbeResult& result) { return lost.contains(flow_of(result)); });
  return start;
}

Causes find_late_starts(const Diagnosis& context) {
  Causes causes;
  for (const bool udp : {true, false}) {
    const auto start = late_start(context, udp);
    if (!start || !is_proved(*start)) continue;
    auto& cause = causes.emplace_back(context.probes_that([&](const ProbeResult& result) {
      const auto& sent_at = result.observation.sent_at;
      return goes_outside(result) && is_udp(result) == udp && sent_at && *sent_at <= start->last &&
             failing(result) && !context.explained(result);
    }));
    const std::chrono::duration<double> took = start->over - start->first;
    cause.name(FindingCode::network_interrupted, likely);
    // Many devices that let nothing else out allow questions to any DNS server.
    const bool names = udp && context.any_probe([&](const ProbeResult& result) {
      return result.probe.check == CheckKind::dns && answered_at_once(result) &&
             !is_inside(result) && result.observation.sent_at < start->over;
    });
    cause.title =
        names ? phrase("Over UDP, only DNS was answered at first; {} s later, everything was",
                       whole(took.count()))
              : phrase("At first nothing came back over {}; {} s later everything did",
                       udp ? "UDP" : "TCP", whole(took.count()));
    cause.fix = look_for_what_came_up();
    cause.tell(
        phrase("{} requests to {} operators got no answer; of those sent later, {} to the "
               "same servers were answered at once.",
               start->lost.size(), parties_of(start->lost).size(), start->again.size()));
    cause.show(start->again, 2);
    cause.affects = sets_of(context, start->lost);
  }
  return causes;
}

}  // namespace callready::findings
