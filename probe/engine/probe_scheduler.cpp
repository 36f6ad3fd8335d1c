#include "probe/engine/probe_scheduler.hpp"

#include <algorithm>
#include <functional>
#include <tuple>

#include "probe/net/timeouts.hpp"

namespace callready {
namespace {

// The result of the SIP ALG test's first message, as the `sip` check would report it.
Observation first_answer(const Observation& alg) {
  auto observation = alg;
  std::erase_if(observation.evidence, [](const Evidence& evidence) {
    return evidence.kind != EvidenceKind::sip_reply && evidence.kind != EvidenceKind::sip_via &&
           evidence.kind != EvidenceKind::sip_discarded;
  });
  for (const auto& evidence : observation.evidence) {
    const auto status = number_fact(evidence, Fact::status);
    if (status) observation.detail = Detail::status(static_cast<int>(*status));
  }
  return observation;
}

Observation cut_short() {
  Observation observation;
  record(observation, stopped());
  return observation;
}

// Checks that ask one thing: their silence is in doubt once that should have been answered.
bool is_one_question(CheckKind check) {
  using enum CheckKind;
  static constexpr CheckKind checks[] = {tcp, tls, http, stun, turn, sip, ntp};
  return std::find(std::begin(checks), std::end(checks), check) != std::end(checks);
}

int waits_for_others(const PlannedProbe& planned) {
  if (!planned.given.empty()) return 3;
  if (!planned.unless.empty() || !planned.unless_all.empty()) return 2;
  return planned.nearest_of.empty() && planned.answered_by.empty() ? 0 : 1;
}

}  // namespace

Observation skipped_for(DetailCode detail) {
  Observation observation;
  observation.detail = detail;
  return observation;
}

ProbeScheduler::ProbeScheduler(const checks::Context& context, std::vector<PlannedProbe> probes,
                               std::size_t room_for_more)
    : context_(context) {
  // What is made unconditionally comes first, and what waits for others last: it must not hold
  // their places.
  for (std::size_t i = 0; i < probes.size(); ++i) wanted_order_.push_back(i);
  const auto key = [&](std::size_t i) {
    const auto& planned = probes[i];
    return std::tuple(waits_for_others(planned), planned.severity, planned.round);
  };
  std::stable_sort(wanted_order_.begin(), wanted_order_.end(),
                   [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  // Probes are referred to while they are made: they must not move in memory.
  results_.reserve(probes.size() + room_for_more);
  for (auto& planned : probes) {
    const auto index = results_.size();
    results_.push_back({std::move(planned.probe), {}});
    for (const auto& host : planned.nearest_of) distances_[host];
    for (const auto* ids : {&planned.unless, &planned.unless_all, &planned.given}) {
      for (const auto& id : *ids) index_[id] = index;  // the right one comes below
    }
    if (!planned.answered_by.empty()) index_[planned.answered_by] = index;
    if (waits_for_others(planned) > 0) conditions_.emplace(index, std::move(planned));
  }
  for (std::size_t i = 0; i < results_.size(); ++i) {
    const auto referred = index_.find(results_[i].probe.id);
    if (referred != index_.end()) referred->second = i;
    expect_distance(i);
  }
  for (const auto& [index, conditions] : conditions_) {
    if (!conditions.answered_by.empty()) takers_[sender_of(index)].push_back(index);
  }
  done_.resize(results_.size(), false);
  heard_.resize(results_.size(), false);
  started_.resize(results_.size());
}

// Otherwise waiting probes could hold all of a few places.
std::vector<std::size_t> ProbeScheduler::order() const {
  std::vector<std::size_t> sorted;
  std::vector<bool> placed(results_.size(), false);
  const std::function<void(std::size_t)> place = [&](std::size_t i) {
    if (placed[i]) return;
    placed[i] = true;
    const auto& planned = conditions_of(i);
    for (const auto* ids : {&planned.unless, &planned.unless_all, &planned.given}) {
      for (const auto& id : *ids) place(index_.at(id));
    }
    if (!planned.answered_by.empty()) place(index_.at(planned.answered_by));
    sorted.push_back(i);
  };
  for (const auto i : wanted_order_) place(i);
  return sorted;
}

std::optional<std::size_t> ProbeScheduler::add(Probe probe) {
  if (results_.size() == results_.capacity()) return std::nullopt;
  results_.push_back({std::move(probe), {}});
  done_.push_back(false);
  heard_.push_back(false);
  started_.emplace_back();
  expect_distance(results_.size() - 1);
  return results_.size() - 1;
}

std::optional<std::size_t> ProbeScheduler::want(const std::string& id) {
  for (auto& [index, conditions] : conditions_) {
    auto& [probe, seen] = results_[index];
    if (probe.id != id || seen.detail != DetailCode::not_needed) continue;
    conditions.unless.clear();
    conditions.unless_all.clear();
    seen = Observation();
    done_[index] = false;
    return index;
  }
  return std::nullopt;
}

const ProbeScheduler::Conditions& ProbeScheduler::conditions_of(std::size_t index) const {
  static const Conditions none;
  const auto found = conditions_.find(index);
  return found == conditions_.end() ? none : found->second;
}

std::size_t ProbeScheduler::rank(std::size_t index) const {
  return stands_in(index) ? 1 + conditions_of(index).round : 0;
}

bool ProbeScheduler::silent_so_far(const IpAddress& address) const {
  const auto found = hosts_.find(address);
  if (found == hosts_.end() || found->second.heard) return false;
  const auto& host = found->second;
  if (host.silent) return true;
  // Two requests of one kind are unanswered, and answers on this network take less time than the
  // patience with a silent host allows for.
  const auto due = timeouts::second_stream_choice;
  return host.since && *host.since + due <= context_.scope.clock.now() &&
         round_trips_.timeout().value_or(Milliseconds(0)) <= timeouts::silent_host_margin;
}

// The probe that sends for it: another one, if that one's answer is taken.
std::size_t ProbeScheduler::sender_of(std::size_t index) const {
  const auto& other = conditions_of(index).answered_by;
  return other.empty() ? index : index_.at(other);
}

bool ProbeScheduler::tells_distance(std::size_t index) const {
  return !conditional(index) && results_[index].probe.target.route.direct();
}

void ProbeScheduler::note_start(std::size_t index, std::optional<IpAddress> address) {
  started_[index] = context_.scope.clock.now();
  results_[index].observation.address = address;
  if (address && tells_of_host(index)) {
    auto& since = hosts_[*address].since;
    if (!since) since = started_[index];
  }
  const auto distance = distances_.find(results_[index].probe.target.host);
  if (distance != distances_.end() && !distance->second.since) {
    distance->second.since = started_[index];
  }
  wake_with(index);
}

void ProbeScheduler::note_first_reply(const Probe& probe) {
  // By where it stands: all results are one array.
  const auto beyond = std::upper_bound(results_.begin(), results_.end(), &probe,
                                       [](const Probe* one, const ProbeResult& result) {
                                         return std::less<const Probe*>()(one, &result.probe);
                                       });
  if (beyond == results_.begin() || &std::prev(beyond)->probe != &probe) return;
  const auto index = static_cast<std::size_t>(std::prev(beyond) - results_.begin());
  heard_[index] = true;
  const auto& address = results_[index].observation.address;
  if (address && probe.target.route.direct()) hosts_[*address].heard = true;
  wake_with(index);
}

void ProbeScheduler::note_end(std::size_t index, Observation observation) {
  results_[index].observation = as_written(std::move(observation));
  done_[index] = true;
  note_distance(index);
  note_host(index);
  wake(index);
}

bool ProbeScheduler::tells_of_host(std::size_t index) const {
  const auto& probe = results_[index].probe;
  return probe.target.route.direct() &&
         (is_one_question(probe.check) || probe.check == CheckKind::sip_alg);
}

bool ProbeScheduler::asks_one_thing(std::size_t index) const {
  const auto& probe = results_[index].probe;
  return is_one_question(probe.check) && !probe.with.contains("hold");
}

void ProbeScheduler::note_host(std::size_t index) {
  const auto& seen = results_[index].observation;
  if (seen.round_trip) round_trips_.add(*seen.round_trip);
  if (!seen.address || !tells_of_host(index)) return;
  if (seen.outcome == Outcome::skipped || seen.outcome == Outcome::unresolved) return;
  auto& host = hosts_[*seen.address];
  (seen.outcome == Outcome::silent ? host.silent : host.heard) = true;
}

void ProbeScheduler::expect_distance(std::size_t index) {
  const auto found = distances_.find(results_[index].probe.target.host);
  if (found != distances_.end() && tells_distance(index)) ++found->second.open;
}

void ProbeScheduler::note_distance(std::size_t index) {
  const auto& [probe, observation] = results_[index];
  const auto found = distances_.find(probe.target.host);
  if (found == distances_.end() || !tells_distance(index)) return;
  auto& distance = found->second;
  --distance.open;
  if (const auto& trip = observation.round_trip) {
    distance.shortest = distance.shortest ? std::min(*distance.shortest, *trip) : *trip;
  }
  if (!distance.known()) return;
  for (const auto& waiter : distance.waiting) waiter.deliver(true);
  distance.waiting.clear();
}

void ProbeScheduler::wake(std::size_t index) {
  const auto found = waiting_.find(index);
  if (found == waiting_.end()) return;
  const auto waiters = std::move(found->second);
  waiting_.erase(found);
  for (const auto& waiter : waiters) waiter.deliver(true);
}

// Wakes those that wait for it, or for a probe that takes its answer.
void ProbeScheduler::wake_with(std::size_t index) {
  wake(index);
  const auto found = takers_.find(index);
  if (found == takers_.end()) return;
  for (const auto taker : found->second) wake(taker);
}

// Waits for the other probe to end. False where the run is stopped before.
asio::awaitable<bool> ProbeScheduler::has_ended(std::size_t other) {
  while (!done_[other]) {
    const OneShot<bool> told(context_.executor);
    waiting_[other].push_back(told);
    const auto waited = co_await told.wait(context_.scope, context_.deadline);
    if (waited.has_error()) co_return false;
  }
  co_return true;
}

// Whether the other probe reached its endpoint, as far as can be told once it has ended, or has
// been silent for long enough. Nothing where the run is stopped before.
asio::awaitable<std::optional<bool>> ProbeScheduler::has_answered(std::size_t other) {
  const auto sender = sender_of(other);
  const bool stream = results_[other].probe.target.transport != Transport::udp;
  const auto patience = stream ? timeouts::second_stream_choice : timeouts::second_choice;
  for (;;) {
    if (done_[other]) co_return reached(results_[other].observation.outcome);
    if (heard_[sender]) co_return true;
    const auto& started = started_[sender];
    const auto until = started ? *started + patience : context_.deadline;
    if (started && until <= context_.scope.clock.now()) co_return false;
    const OneShot<bool> told(context_.executor);
    waiting_[other].push_back(told);
    const auto waited = co_await told.wait(context_.scope, until);
    const bool over = waited.has_error() && waited.error().kind == FailureKind::stopped;
    if (over || context_.scope.clock.now() >= context_.deadline) co_return std::nullopt;
  }
}

// Whether the first of these hosts is the nearest, once each of them was measured, cannot be, or
// has been silent for so long that it is not. Nothing where the run is stopped before.
asio::awaitable<std::optional<bool>> ProbeScheduler::is_nearest(
    const std::vector<std::string>& hosts) {
  for (const auto& host : hosts) {
    auto& distance = distances_.at(host);
    while (!distance.known()) {
      const auto now = context_.scope.clock.now();
      const auto until = distance.since.value_or(now) + timeouts::second_look;
      if (until <= now) break;
      const OneShot<bool> told(context_.executor);
      distance.waiting.push_back(told);
      const auto waited = co_await told.wait(context_.scope, until);
      if (waited.has_error() && waited.error().kind == FailureKind::stopped) {
        co_return std::nullopt;
      }
    }
  }
  auto& nearest = nearest_[std::set(hosts.begin(), hosts.end())];
  if (nearest.empty()) nearest = nearest_measured(hosts);
  co_return nearest == hosts.front();
}

// Empty where none was measured.
std::string ProbeScheduler::nearest_measured(const std::vector<std::string>& hosts) const {
  std::string nearest;
  std::optional<Milliseconds> shortest;
  for (const auto& host : hosts) {
    const auto& distance = distances_.at(host).shortest;
    if (!distance || (shortest && *distance >= *shortest)) continue;
    shortest = distance;
    nearest = host;
  }
  return nearest;
}

asio::awaitable<std::optional<bool>> ProbeScheduler::needed(const Conditions& planned) {
  for (const auto& id : planned.unless) {
    const auto answered = co_await has_answered(index_.at(id));
    if (!answered) co_return std::nullopt;
    if (*answered) co_return false;
  }
  bool all_reached = !planned.unless_all.empty();
  for (const auto& id : planned.unless_all) {
    const auto answered = co_await has_answered(index_.at(id));
    if (!answered) co_return std::nullopt;
    all_reached = *answered;
    if (!all_reached) break;
  }
  if (all_reached) co_return false;
  if (planned.nearest_of.empty()) co_return true;
  const auto nearest = co_await is_nearest(planned.nearest_of);
  co_return nearest;
}

asio::awaitable<std::optional<bool>> ProbeScheduler::worthwhile(const Conditions& planned) {
  bool any_reached = planned.given.empty();
  for (std::size_t i = 0; i < planned.given.size() && !any_reached; ++i) {
    const auto other = index_.at(planned.given[i]);
    const bool ended = co_await has_ended(other);
    if (!ended) co_return std::nullopt;
    any_reached = reached(results_[other].observation.outcome);
  }
  co_return any_reached;
}

asio::awaitable<std::optional<Observation>> ProbeScheduler::settled_by_others(std::size_t index) {
  const auto& planned = conditions_of(index);
  const auto wanted = co_await needed(planned);
  if (!wanted) co_return cut_short();
  if (!*wanted) co_return skipped_for(DetailCode::not_needed);
  if (!planned.answered_by.empty()) {
    const auto other = index_.at(planned.answered_by);
    const bool ended = co_await has_ended(other);
    if (!ended) co_return cut_short();
    co_return first_answer(results_[other].observation);
  }
  const auto useful = co_await worthwhile(planned);
  if (!useful) co_return cut_short();
  if (!*useful) co_return skipped_for(DetailCode::server_silent);
  co_return std::nullopt;
}

void ProbeScheduler::with_overdue_as_silent(const std::function<void()>& look) {
  // Even if `look` throws, no result keeps what is pretended.
  struct Pretence {
    std::vector<ProbeResult>& results;
    std::vector<std::pair<std::size_t, Observation>> before{};
    ~Pretence() {
      for (auto& [index, observation] : before) results[index].observation = std::move(observation);
    }
  } pretended{results_};
  const auto now = context_.scope.clock.now();
  for (std::size_t i = 0; i < results_.size(); ++i) {
    if (done_[i] || !is_one_question(results_[i].probe.check)) continue;
    const auto sender = sender_of(i);
    // All that was sent when the run began counts, however long that took.
    const bool due =
        started_[sender] && *started_[sender] + timeouts::second_choice <= now && !heard_[sender];
    if (!due) continue;
    pretended.before.emplace_back(i, results_[i].observation);
    results_[i].observation.address = results_[sender].observation.address;
    record(results_[i].observation, timed_out());
  }
  look();
}

}  // namespace callready
