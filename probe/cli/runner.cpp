#include "probe/cli/runner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "probe/model/describe.hpp"

namespace callready {
namespace {

// At most `limit` holders per address; others wait in line.
class Turnstile {
 public:
  Turnstile(asio::any_io_executor executor, int limit)
      : executor_(std::move(executor)), limit_(limit) {}

  asio::awaitable<bool> enter(IpAddress address, Scope scope, Instant deadline) {
    auto& place = places_[address];
    if (place.inside < limit_) {
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

  void leave(IpAddress address) {
    auto& place = places_[address];
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
  int limit_;
  std::map<IpAddress, Place> places_;
};

class Runner {
 public:
  Runner(const Plan& plan, checks::Context& context, const RunnerOptions& options,
         const ProgressCallback& progress)
      : plan_(plan),
        context_(context),
        options_(options),
        progress_(progress),
        pacer_(options.pace),
        turnstile_(context.executor, options.per_address),
        finished_(context.executor) {
    results_.reserve(plan.probes.size());
    for (const auto& planned : plan.probes) {
      index_[planned.probe.id] = results_.size();
      results_.push_back({planned.probe, {}});
    }
    done_.resize(plan.probes.size(), false);
    waiting_.resize(plan.probes.size());
  }

  asio::awaitable<std::vector<ProbeResult>> run() {
    if (plan_.probes.empty()) co_return std::move(results_);
    // What is made unconditionally comes first: the others wait for it and must not hold its
    // places.
    for (std::size_t i = 0; i < plan_.probes.size(); ++i) order_.push_back(i);
    std::stable_partition(order_.begin(), order_.end(),
                          [&](std::size_t i) { return plan_.probes[i].unless.empty(); });
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

  void finish(std::size_t index) {
    done_[index] = true;
    ++ended_;
    const auto& result = results_[index];
    spdlog::debug("{}: {}", result.probe.id, outcome_in_words(result.observation));
    for (const auto& waiter : waiting_[index]) waiter.deliver(true);
    waiting_[index].clear();
    if (progress_) progress_(ended_, results_.size());
  }

  asio::awaitable<Observation> make(std::size_t index) {
    const auto& planned = plan_.probes[index];
    Observation observation;
    for (const auto& id : planned.unless) {
      const auto other = index_.at(id);
      if (!done_[other]) {
        const OneShot<bool> ended(context_.executor);
        waiting_[other].push_back(ended);
        const auto waited = co_await ended.wait(context_.scope, context_.deadline);
        if (waited.has_error()) {
          record(observation, stopped());
          co_return observation;
        }
      }
      if (reached(results_[other].observation.outcome)) {
        observation.detail = "not_needed";
        co_return observation;
      }
    }
    const auto* check = checks::find(planned.probe.check);
    if (check == nullptr) {
      observation.detail = "no_such_check";
      co_return observation;
    }
    checks::Job job{planned.probe, std::nullopt};
    std::optional<double> dns_ms;
    if (check->needs_address && planned.probe.target.route.direct()) {
      auto resolution = co_await resolve(planned.probe.target.host);
      if (resolution.addresses.has_error()) {
        record(observation, resolution.addresses.error());
        observation.timing_ms["dns"] = resolution.took.count();
        co_return observation;
      }
      job.address = resolution.addresses->front();
      if (resolution.took.count() > 0) dns_ms = resolution.took.count();
    }
    auto result = co_await admitted(*check, job);
    if (dns_ms) result.timing_ms["dns"] = *dns_ms;
    co_return result;
  }

  asio::awaitable<Resolution> resolve(const std::string& host) {
    Resolution resolution;
    const auto first = options_.v4 ? Family::v4 : Family::v6;
    resolution = co_await context_.resolver.resolve(host, first, context_.scope);
    const bool other = options_.v4 && options_.v6 && resolution.addresses.has_error() &&
                       resolution.addresses.error().kind == FailureKind::no_address;
    if (other) resolution = co_await context_.resolver.resolve(host, Family::v6, context_.scope);
    co_return resolution;
  }

  // Runs the check once the pacer and the turnstile let it through.
  asio::awaitable<Observation> admitted(const checks::Check& check, checks::Job job) {
    Observation observation;
    observation.address = job.address;
    if (job.address) {
      const bool inside =
          co_await turnstile_.enter(*job.address, context_.scope, context_.deadline);
      if (!inside) {
        record(observation, stopped());
        co_return observation;
      }
    }
    const bool go = co_await paced(job);
    if (go) {
      observation = co_await check.run(context_, job);
    } else {
      record(observation, stopped());
    }
    if (job.address) turnstile_.leave(*job.address);
    co_return observation;
  }

  asio::awaitable<bool> paced(const checks::Job& job) {
    if (!job.address || job.address->is_loopback()) co_return !context_.scope.stop.stopped();
    Pacer::Contact contact;
    contact.address = *job.address;
    contact.transport = job.probe.target.transport;
    contact.port = job.probe.target.port();
    contact.sip = job.probe.check == "sip" || job.probe.check == "sip-alg";
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
  Pacer pacer_;
  Turnstile turnstile_;
  OneShot<bool> finished_;
  std::vector<ProbeResult> results_;
  std::vector<bool> done_;
  std::vector<std::vector<OneShot<bool>>> waiting_;
  std::map<std::string, std::size_t> index_;
  std::vector<std::size_t> order_;
  std::size_t next_ = 0, ended_ = 0, working_ = 0;
};

}  // namespace

asio::awaitable<std::vector<ProbeResult>> run_probes(const Plan& plan, checks::Context& context,
                                                     const RunnerOptions& options,
                                                     const ProgressCallback& progress) {
  Runner runner(plan, context, options, progress);
  auto results = co_await runner.run();
  co_return results;
}

}  // namespace callready
