#include "probe/cli/runner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <tuple>

#include "probe/cli/plan.hpp"
#include "probe/model/describe.hpp"
#include "probe/net/nat64.hpp"

namespace callready {
namespace {

// At most `limit` holders per door (an address, a proxy); others wait in line.
class Turnstile {
 public:
  explicit Turnstile(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  asio::awaitable<bool> enter(std::string door, int limit, Scope scope, Instant deadline) {
    auto& place = places_[door];
    if (place.inside < limit) {
      ++place.inside;
      co_return true;
    }
    const OneShot<bool> turn(executor_);
    place.line.push_back(turn);
    const auto result = co_await turn.wait(scope, deadline);
    if (!result.has_error()) co_return true;
    turn.deliver(false);  // gone: whoever leaves must not pass the place on to us
    co_return false;
  }

  void leave(const std::string& door) {
    auto& place = places_[door];
    while (!place.line.empty()) {
      const auto next = place.line.front();
      place.line.erase(place.line.begin());
      if (next.delivered()) continue;
      next.deliver(true);
      return;  // the place passes on
    }
    --place.inside;
  }

 private:
  struct Place {
    int inside = 0;
    std::vector<OneShot<bool>> line;
  };
  asio::any_io_executor executor_;
  std::map<std::string, Place> places_;
};

// The place is given back also where a check throws.
class Inside {
 public:
  Inside(Turnstile& turnstile, std::string door) : turnstile_(turnstile), door_(std::move(door)) {}
  ~Inside() {
    if (!door_.empty()) turnstile_.leave(door_);
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  Turnstile& turnstile_;
  std::string door_;
};

// What the first message of the SIP ALG test came to, as the `sip` check says it.
Observation first_answer(const Observation& alg) {
  auto observation = alg;
  std::erase_if(observation.evidence, [](const Evidence& evidence) {
    return evidence.kind != "sip_reply" && evidence.kind != "sip_via" &&
           evidence.kind != "sip_discarded";
  });
  if (observation.detail == "only_other_port") {
    observation.detail = to_string(FailureKind::timed_out);
  }
  for (const auto& evidence : observation.evidence) {
    const auto status = evidence.facts.find("status");
    if (status == evidence.facts.end()) continue;
    if (const auto* code = std::get_if<std::int64_t>(&status->second)) {
      observation.detail = std::to_string(*code);
    }
  }
  return observation;
}

// How far a host is, as far as the run knows it so far.
struct Distance {
  std::optional<Milliseconds> shortest;
  int open = 0;  // probes that may still tell
  std::vector<OneShot<bool>> waiting;
  bool known() const { return shortest || open == 0; }
};

class Runner {
 public:
  Runner(const Plan& plan, checks::Context& context, const RunnerOptions& options,
         const ProgressCallback& progress, std::span<const checks::Check> table)
      : plan_(plan),
        context_(context),
        options_(options),
        progress_(progress),
        table_(table),
        own_pacer_(options.pace),
        pacer_(options.pacer == nullptr ? own_pacer_ : *options.pacer),
        turnstile_(context.executor),
        finished_(context.executor) {
    results_.reserve(plan.probes.size());
    for (const auto& planned : plan.probes) {
      index_[planned.probe.id] = results_.size();
      results_.push_back({planned.probe, {}});
      for (const auto& host : planned.nearest_of) distances_[host];
    }
    for (const auto& planned : plan.probes) {
      const auto distance = distances_.find(planned.probe.target.host);
      if (distance != distances_.end() && tells_distance(planned)) ++distance->second.open;
    }
    done_.resize(plan.probes.size(), false);
    waiting_.resize(plan.probes.size());
    context_.sip_manners = [this](SocketAddress server, Transport transport) {
      return sip_paced(server, transport);
    };
  }
  ~Runner() { context_.sip_manners = nullptr; }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  asio::awaitable<std::vector<ProbeResult>> run() {
    if (plan_.probes.empty()) co_return std::move(results_);
    // What is made unconditionally comes first, and what waits for others last: it must not hold
    // their places.
    for (std::size_t i = 0; i < plan_.probes.size(); ++i) order_.push_back(i);
    const auto key = [&](std::size_t i) {
      const auto& planned = plan_.probes[i];
      return std::tuple(waits_for_others(planned), planned.severity, planned.turn);
    };
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    const auto workers =
        std::min(plan_.probes.size(), static_cast<std::size_t>(options_.in_flight));
    working_ = workers;
    for (std::size_t i = 0; i < workers; ++i) {
      asio::co_spawn(context_.executor, work(), asio::detached);
    }
    const auto far = context_.deadline + std::chrono::hours(1);
    // The stop signal must not end this wait: the workers end by themselves, with what they have.
    StopSignal never;
    const Scope scope{context_.scope.clock, never};
    co_await finished_.wait(scope, far);
    co_return std::move(results_);
  }

 private:
  asio::awaitable<void> work() {
    while (next_ < order_.size()) {
      const auto index = order_[next_++];
      try {
        auto observation = co_await make(index);
        results_[index].observation = std::move(observation);
      } catch (const std::exception& error) {
        // A bug in a check must not take the other results with it.
        spdlog::error("{}: {}", results_[index].probe.id, error.what());
        results_[index].observation.outcome = Outcome::skipped;
        results_[index].observation.detail = "internal_error";
      }
      finish(index);
    }
    if (--working_ == 0) finished_.deliver(true);
  }

  static int waits_for_others(const PlannedProbe& planned) {
    if (!planned.given.empty()) return 3;
    if (!planned.unless.empty() || !planned.unless_all.empty()) return 2;
    return planned.nearest_of.empty() && planned.answered_by.empty() ? 0 : 1;
  }

  static bool tells_distance(const PlannedProbe& planned) {
    return waits_for_others(planned) == 0 && planned.probe.target.route.direct();
  }

  void finish(std::size_t index) {
    done_[index] = true;
    ++ended_;
    const auto& result = results_[index];
    note_distance(index);
    spdlog::debug("{}: {}", result.probe.id, outcome_in_words(result.observation));
    for (const auto& waiter : waiting_[index]) waiter.deliver(true);
    waiting_[index].clear();
    if (options_.on_result) options_.on_result(result);
    if (progress_) progress_(ended_, results_.size());
  }

  void note_distance(std::size_t index) {
    const auto& [probe, observation] = results_[index];
    const auto found = distances_.find(probe.target.host);
    if (found == distances_.end() || !tells_distance(plan_.probes[index])) return;
    auto& distance = found->second;
    --distance.open;
    if (const auto& trip = observation.round_trip) {
      distance.shortest = distance.shortest ? std::min(*distance.shortest, *trip) : *trip;
    }
    if (!distance.known()) return;
    for (const auto& waiter : distance.waiting) waiter.deliver(true);
    distance.waiting.clear();
  }

  // Waits for the other probe to end. False where the run is stopped before.
  asio::awaitable<bool> wait_for(std::size_t other) {
    if (done_[other]) co_return true;
    const OneShot<bool> ended(context_.executor);
    waiting_[other].push_back(ended);
    const auto waited = co_await ended.wait(context_.scope, context_.deadline);
    co_return !waited.has_error();
  }

  // Whether the first of these hosts is the nearest, once each of them was measured or cannot be.
  // Nothing where the run is stopped before.
  asio::awaitable<std::optional<bool>> is_nearest(const std::vector<std::string>& hosts) {
    for (const auto& host : hosts) {
      auto& distance = distances_.at(host);
      if (distance.known()) continue;
      const OneShot<bool> told(context_.executor);
      distance.waiting.push_back(told);
      const auto waited = co_await told.wait(context_.scope, context_.deadline);
      if (waited.has_error()) co_return std::nullopt;
    }
    const auto own = distances_.at(hosts.front()).shortest;
    if (!own) co_return false;
    for (const auto& host : hosts) {
      const auto other = distances_.at(host).shortest;
      if (other && *other < *own) co_return false;
    }
    co_return true;
  }

  asio::awaitable<Observation> make(std::size_t index) {
    const auto& planned = plan_.probes[index];
    Observation observation;
    for (const auto& id : planned.unless) {
      const auto other = index_.at(id);
      const bool ended = co_await wait_for(other);
      if (!ended) {
        record(observation, stopped());
        co_return observation;
      }
      if (reached(results_[other].observation.outcome)) {
        observation.detail = "not_needed";
        co_return observation;
      }
    }
    bool all_reached = !planned.unless_all.empty();
    for (const auto& id : planned.unless_all) {
      const auto other = index_.at(id);
      const bool ended = co_await wait_for(other);
      if (!ended) {
        record(observation, stopped());
        co_return observation;
      }
      all_reached = all_reached && reached(results_[other].observation.outcome);
      if (!all_reached) break;
    }
    if (all_reached) {
      observation.detail = "not_needed";
      co_return observation;
    }
    if (!planned.nearest_of.empty()) {
      const auto nearest = co_await is_nearest(planned.nearest_of);
      if (!nearest) {
        record(observation, stopped());
        co_return observation;
      }
      if (!*nearest) {
        observation.detail = "not_needed";
        co_return observation;
      }
    }
    if (!planned.answered_by.empty()) {
      const auto other = index_.at(planned.answered_by);
      const bool ended = co_await wait_for(other);
      if (ended) {
        observation = first_answer(results_[other].observation);
      } else {
        record(observation, stopped());
      }
      co_return observation;
    }
    bool worthwhile = planned.given.empty();
    for (std::size_t i = 0; i < planned.given.size() && !worthwhile; ++i) {
      const auto other = index_.at(planned.given[i]);
      const bool ended = co_await wait_for(other);
      if (!ended) {
        record(observation, stopped());
        co_return observation;
      }
      worthwhile = reached(results_[other].observation.outcome);
    }
    if (!worthwhile) {
      observation.detail = "server_silent";
      co_return observation;
    }
    const auto check = std::find_if(table_.begin(), table_.end(), [&](const checks::Check& row) {
      return row.kind == planned.probe.check;
    });
    if (check == table_.end()) {
      observation.detail = "no_such_check";
      co_return observation;
    }
    const auto& target = planned.probe.target;
    if (!checks::needs_address(*check, planned.probe) || !target.route.direct()) {
      checks::Job job{planned.probe, std::nullopt};
      observation = co_await admitted(*check, job);
      co_return observation;
    }
    const auto literal = IpAddress::parse(target.host);
    if (literal && !(literal->is_v4() ? options_.v4 : options_.v6)) {
      observation.address = literal;
      observation.detail = "other_family";
      co_return observation;
    }
    const auto preferred = options_.v4 ? Family::v4 : Family::v6;
    observation = co_await attempt(*check, planned.probe, preferred);
    // A name without IPv4 addresses, or a machine without a way to them.
    if (literal && literal->is_v4() && observation.detail == to_string(FailureKind::no_route)) {
      const auto made = co_await through_nat64(*literal);
      if (!made) co_return observation;
      checks::Job job{planned.probe, *made};
      auto translated = co_await admitted(*check, job);
      co_return translated;
    }
    const bool other = observation.detail == to_string(FailureKind::no_address) ||
                       observation.detail == to_string(FailureKind::no_route);
    if (!other || !options_.v4 || !options_.v6 || literal) co_return observation;
    auto second = co_await attempt(*check, planned.probe, Family::v6);
    const bool better = second.detail != to_string(FailureKind::no_address) &&
                        second.detail != to_string(FailureKind::no_route);
    if (better) co_return second;
    co_return observation;
  }

  // The check with the name's first address of that family.
  asio::awaitable<Observation> attempt(const checks::Check& check, const Probe& probe,
                                       Family family) {
    Observation observation;
    const auto literal = IpAddress::parse(probe.target.host);
    if (literal) family = literal->is_v4() ? Family::v4 : Family::v6;
    auto resolution = co_await context_.resolver.resolve(probe.target.host, family, context_.scope);
    if (resolution.addresses.has_error()) {
      record(observation, resolution.addresses.error());
      observation.timing_ms["dns"] = resolution.took.count();
      co_return observation;
    }
    checks::Job job{probe, resolution.addresses->front()};
    observation = co_await admitted(check, job);
    if (resolution.took.count() > 0) observation.timing_ms["dns"] = resolution.took.count();
    co_return observation;
  }

  // An IPv4 address as clients on an IPv6-only network with NAT64 reach it (RFC 8305 section 7.1).
  asio::awaitable<std::optional<IpAddress>> through_nat64(IpAddress v4) {
    if (!options_.v6) co_return std::nullopt;
    const std::string name = nat64_name;
    const auto resolution = co_await context_.resolver.resolve(name, Family::v6, context_.scope);
    if (resolution.addresses.has_error()) co_return std::nullopt;
    for (const auto& address : *resolution.addresses) {
      const auto prefix = nat64_prefix(address);
      if (prefix) co_return nat64_address(*prefix, v4);
    }
    co_return std::nullopt;
  }

  // Runs the check once the pacer and the turnstile let it through.
  asio::awaitable<Observation> admitted(const checks::Check& check, checks::Job job) {
    Observation observation;
    observation.address = job.address;
    // What goes through a proxy meets the proxy's door; a check without an endpoint meets none.
    std::string door = job.probe.target.route.proxy;
    int limit = options_.per_proxy;
    if (job.address) {
      door = job.address->to_string();
      limit = options_.per_address;
    }
    if (!door.empty()) {
      const bool entered =
          co_await turnstile_.enter(door, limit, context_.scope, context_.deadline);
      if (!entered) {
        record(observation, stopped());
        co_return observation;
      }
    }
    const Inside inside(turnstile_, door);
    const bool go = co_await paced(job);
    if (!go) {
      record(observation, stopped());
      co_return observation;
    }
    const auto by = job.probe.with.find(interface_parameter);
    if (by == job.probe.with.end()) {
      observation = co_await check.run(context_, job);
      co_return observation;
    }
    auto settings = context_.settings;
    settings.interface = by->second;
    checks::Context bound{context_.executor, context_.scope, context_.deadline, context_.resolver,
                          context_.tls,      context_.edge,  settings};
    observation = co_await check.run(bound, job);
    co_return observation;
  }

  asio::awaitable<bool> paced(const checks::Job& job) {
    if (!job.address || job.address->is_loopback()) co_return !context_.scope.stop.stopped();
    Pacer::Contact contact;
    contact.address = *job.address;
    contact.transport = job.probe.target.transport;
    contact.ports = job.probe.target.sample;
    if (contact.ports.empty()) contact.ports.push_back(job.probe.target.port());
    contact.sip = job.probe.check == "sip" || job.probe.check == "sip-alg";
    const bool go = co_await paced(contact);
    co_return go;
  }

  asio::awaitable<bool> sip_paced(SocketAddress server, Transport transport) {
    if (server.address.is_loopback()) co_return !context_.scope.stop.stopped();
    Pacer::Contact contact;
    contact.address = server.address;
    contact.transport = transport;
    contact.ports.push_back(server.port);
    contact.sip = true;
    const bool go = co_await paced(contact);
    co_return go;
  }

  asio::awaitable<bool> paced(Pacer::Contact contact) {
    for (;;) {
      if (context_.scope.stop.stopped()) co_return false;
      const auto again = pacer_.ask(contact, context_.scope.clock.now());
      if (!again) co_return true;
      const bool slept = co_await sleep_until(context_.executor, context_.scope, *again);
      if (!slept) co_return false;
    }
  }

  const Plan& plan_;
  checks::Context& context_;
  const RunnerOptions& options_;
  const ProgressCallback& progress_;
  std::span<const checks::Check> table_;
  Pacer own_pacer_;
  Pacer& pacer_;
  Turnstile turnstile_;
  OneShot<bool> finished_;
  std::vector<ProbeResult> results_;
  std::vector<bool> done_;
  std::vector<std::vector<OneShot<bool>>> waiting_;
  std::map<std::string, std::size_t> index_;
  std::map<std::string, Distance> distances_;  // of hosts that others wait for
  std::vector<std::size_t> order_;
  std::size_t next_ = 0, ended_ = 0, working_ = 0;
};

}  // namespace

asio::awaitable<std::vector<ProbeResult>> run_probes(const Plan& plan, checks::Context& context,
                                                     const RunnerOptions& options,
                                                     const ProgressCallback& progress,
                                                     std::span<const checks::Check> table) {
  Runner runner(plan, context, options, progress, table);
  auto results = co_await runner.run();
  co_return results;
}

}  // namespace callready
