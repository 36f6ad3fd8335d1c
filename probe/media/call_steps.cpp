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

bool loses(int lost, int sent) { return share_of(lost, sent).low > most_lost_percent; }

}  // namespace

std::vector<int> steps_to(int calls) {
  std::vector<int> steps;
  for (int quarter = 1; quarter <= 4; ++quarter) {
    const int some = std::max(1, (calls * quarter + 2) / 4);
    if (steps.empty() || some > steps.back()) steps.push_back(some);
  }
  return steps;
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
      const bool mine = reply.sequence >= asked.first &&
                        reply.sequence - asked.first < static_cast<std::uint32_t>(asked.count);
      if (!mine) continue;
      heard.insert(reply.sequence);
      seconds[static_cast<int>(reply.sent / 1'000)].add(reply);
    }
    answered += heard.size();
  }
  // Neither answered nor known to be lost on one of the ways: nobody may have got them.
  const int unknown = step.sent - static_cast<int>(answered) - step.lost_up - step.lost_down;
  for (const auto& [second, delays] : seconds) {
    step.queued_up_ms = std::max(step.queued_up_ms, queued(delays.up, idle.up));
    step.queued_down_ms = std::max(step.queued_down_ms, queued(delays.down, idle.down));
  }
  step.passed = !stopped && !seconds.empty() && !loses(step.lost_up, step.sent) &&
                !loses(step.lost_down, step.sent) && !loses(std::max(unknown, 0), step.sent) &&
                step.queued_up_ms <= most_queued_ms && step.queued_down_ms <= most_queued_ms;
  return step;
}

bool hurts(int lost, int sent, std::span<const Reply> replies, const IdleDelays& idle) {
  if (loses(lost, sent)) return true;
  Delays delays;
  for (const auto& reply : replies) delays.add(reply);
  return queued(delays.up, idle.up) > most_queued_ms ||
         queued(delays.down, idle.down) > most_queued_ms;
}

void conclude(CallCapacity& capacity) {
  capacity.passed = 0;
  capacity.limit.reset();
  const CallStep* before = nullptr;
  for (const auto& step : capacity.steps) {
    if (step.passed) {
      capacity.passed = step.calls;
      before = &step;
      continue;
    }
    if (!capacity.fit) return;
    const bool up = step.queued_up_ms > most_queued_ms, down = step.queued_down_ms > most_queued_ms;
    if (up || down) {
      capacity.limit = CallLimit::queueing;
      capacity.way = way_of(up, down);
      return;
    }
    const bool lost_up = loses(step.lost_up, step.sent),
               lost_down = loses(step.lost_down, step.sent);
    // Nobody says where they were lost, or whether: nothing is claimed of the line.
    if (!lost_up && !lost_down) return;
    // A line that loses packets by itself does so with few calls, too.
    capacity.limit = before == nullptr ? CallLimit::loss : CallLimit::policing;
    capacity.way = way_of(lost_up, lost_down);
    return;
  }
}

}  // namespace callready::media
