#include "probe/media/call_steps.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace callready::media {
namespace {

double queued(std::vector<double> delays, double idle) {
  return delays.empty() ? 0 : std::max(0.0, percentile(std::move(delays), 0.5) - idle);
}

struct Delays {
  std::vector<double> up, down;
  void add(const Reply& reply) {
    up.push_back(reply.received - reply.sent);
    down.push_back(reply.arrived - reply.reflected);
  }
};

MediaWay way_of(bool up, bool down) {
  return up == down ? MediaWay::both : up ? MediaWay::up : MediaWay::down;
}

// Loses more than a call tolerates, and more than one call alone loses there.
bool loses(int lost, int sent, double alone) {
  return share_of(lost, sent).low > std::max(most_lost_percent, alone);
}

double lost_both_ways(const IdleDelays& idle) { return idle.lost_up + idle.lost_down; }

// The most calls that passed below the fewest that did not.
struct Bracket {
  const CallStep* passed = nullptr;
  const CallStep* failed = nullptr;
  bool whole = false;  // it passed for a whole step
};

Bracket bracket_of(const CallCapacity& capacity, int whole_packets) {
  Bracket bracket;
  for (const auto& step : capacity.steps) {
    const bool fewer = bracket.failed == nullptr || step.calls < bracket.failed->calls;
    if (!step.passed && fewer) bracket.failed = &step;
  }
  for (const auto& step : capacity.steps) {
    const bool below = bracket.failed == nullptr || step.calls < bracket.failed->calls;
    const bool more = bracket.passed == nullptr || step.calls >= bracket.passed->calls;
    if (!step.passed || !below || !more) continue;
    if (bracket.passed == nullptr || step.calls > bracket.passed->calls) bracket.whole = false;
    bracket.passed = &step;
    bracket.whole = bracket.whole || step.sent * 10 >= step.calls * whole_packets * 9;
  }
  return bracket;
}

// The steps that failed lost more than those that passed, and not by chance: a step is broken off as
// soon as it hurts, and what arrives until then may dilute the loss.
bool failed_steps_lose(const CallCapacity& capacity, int CallStep::*lost) {
  struct Sum {
    int lost = 0, sent = 0;
  } passed, failed;
  for (const auto& step : capacity.steps) {
    auto& sum = step.passed ? passed : failed;
    sum.lost += step.*lost;
    sum.sent += step.sent;
  }
  return passed.sent > 0 && failed.sent > 0 &&
         share_of(failed.lost, failed.sent).low > share_of(passed.lost, passed.sent).high;
}

}  // namespace

std::optional<CallTrial> next_trial(const CallCapacity& capacity, int whole_packets) {
  const auto bracket = bracket_of(capacity, whole_packets);
  const int passed = bracket.passed == nullptr ? 0 : bracket.passed->calls;
  if (bracket.failed == nullptr) {
    const int next = std::min(capacity.wanted, std::max(1, 2 * passed));
    if (next > passed) return CallTrial{next, next == capacity.wanted};
  } else if (bracket.failed->calls - passed > 1 && passed > 0) {
    return CallTrial{(passed + bracket.failed->calls) / 2, true};
  }
  if (passed > 0 && !bracket.whole) return CallTrial{passed, true};
  return std::nullopt;
}

IdleDelays idle_delays(std::span<const Reply> replies, IdleDelays before) {
  for (const auto& reply : replies) {
    before.up = std::min(before.up, reply.received - reply.sent);
    before.down = std::min(before.down, reply.arrived - reply.reflected);
  }
  return before;
}

CallStep step_of(int calls, std::span<const StepSession> sessions, const IdleDelays& idle,
                 bool stopped) {
  CallStep step;
  step.calls = calls;
  std::map<int, Delays> seconds;
  std::size_t answered = 0;
  for (const auto& session : sessions) {
    std::set<std::uint32_t> heard;  // a packet may come twice
    const auto& asked = session.asked;
    const auto apart = tell_apart(asked, session.replies);
    const auto lost = [](const Trace& trace) {
      return static_cast<int>(std::count(trace.fates.begin(), trace.fates.end(), Fate::lost));
    };
    step.sent += asked.count;
    step.lost_up += lost(apart.up);
    step.lost_down += lost(apart.down);
    for (const auto& reply : session.replies) {
      if (!asked.holds(reply.sequence)) continue;
      heard.insert(reply.sequence);
      seconds[static_cast<int>(reply.sent / 1'000)].add(reply);
    }
    answered += heard.size();
  }
  // Neither answered nor known to be lost in one direction: perhaps nobody got them.
  const int unknown = step.sent - static_cast<int>(answered) - step.lost_up - step.lost_down;
  for (const auto& [second, delays] : seconds) {
    step.queued_up_ms = std::max(step.queued_up_ms, queued(delays.up, idle.up));
    step.queued_down_ms = std::max(step.queued_down_ms, queued(delays.down, idle.down));
  }
  step.passed = !stopped && !seconds.empty() && !loses(step.lost_up, step.sent, idle.lost_up) &&
                !loses(step.lost_down, step.sent, idle.lost_down) &&
                !loses(std::max(unknown, 0), step.sent, lost_both_ways(idle)) &&
                step.queued_up_ms <= most_queued_ms && step.queued_down_ms <= most_queued_ms;
  return step;
}

bool hurts(int lost, int sent, std::span<const Reply> replies, const IdleDelays& idle,
           double queued_ms) {
  if (loses(lost, sent, lost_both_ways(idle))) return true;
  Delays delays;
  for (const auto& reply : replies) delays.add(reply);
  return queued(delays.up, idle.up) > queued_ms || queued(delays.down, idle.down) > queued_ms;
}

void conclude(CallCapacity& capacity) {
  const auto bracket = bracket_of(capacity, 0);
  capacity.passed = bracket.passed == nullptr ? 0 : bracket.passed->calls;
  capacity.limit.reset();
  const auto* step = bracket.failed;
  if (step == nullptr || !capacity.fit) return;
  const bool up = step->queued_up_ms > most_queued_ms, down = step->queued_down_ms > most_queued_ms;
  if (up || down) {
    capacity.limit = CallLimit::queueing;
    capacity.way = way_of(up, down);
    return;
  }
  const bool lost_up = loses(step->lost_up, step->sent, 0) ||
                       failed_steps_lose(capacity, &CallStep::lost_up),
             lost_down = loses(step->lost_down, step->sent, 0) ||
                         failed_steps_lose(capacity, &CallStep::lost_down);
  // Nothing shows where they were lost, or whether: no claim is made about the line.
  if (!lost_up && !lost_down) return;
  // A line that loses packets by itself does so with one call, too.
  capacity.limit = bracket.passed == nullptr ? CallLimit::loss : CallLimit::policing;
  capacity.way = way_of(lost_up, lost_down);
}

}  // namespace callready::media
