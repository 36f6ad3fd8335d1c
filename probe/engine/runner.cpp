#include "probe/engine/runner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "probe/engine/dispatcher.hpp"
#include "probe/engine/probe_scheduler.hpp"
#include "probe/model/describe.hpp"
#include "probe/net/timeouts.hpp"

namespace callready {
namespace {

// Enough that two networks are among them, and few enough for any device.
constexpr std::size_t most_ahead = 8;

// A probe that failed while this computer ran out of sockets may have lacked one, here or in a
// library: that says nothing about the network. What somebody answered stands.
void excuse(Observation& observation, std::uint64_t shortages_before) {
  if (shortages() == shortages_before) return;
  const auto outcome = observation.outcome;
  if (outcome != Outcome::silent && outcome != Outcome::failed && outcome != Outcome::unresolved) {
    return;
  }
  checks::add_evidence(
      observation, EvidenceKind::shortage,
      phrase("this computer ran out of sockets during this test, so the result says nothing about "
             "the network"),
      {{Fact::outcome, std::string(to_string(outcome))},
       {Fact::detail, observation.detail.text()}});
  observation.outcome = Outcome::skipped;
  observation.detail = DetailCode::out_of_resources;
}

// Which probe begins when, how many are at work, and when the second round is asked for. What a
// probe waits for is up to the scheduler, and how it is made is up to the dispatcher.
class Runner {
 public:
  Runner(Plan plan, checks::Context& context, const RunnerOptions& options,
         const ProgressCallback& progress, std::span<const checks::Check> table)
      : context_(context),
        options_(options),
        progress_(progress),
        pacer_(options.pace),
        scheduler_(context, std::move(plan.probes), most_further),
        dispatcher_(context, options, table, pacer_, scheduler_),
        order_(scheduler_.order()) {
    const auto alone = [&](std::size_t index) {
      const auto& probe = scheduler_.probe(index);
      const auto row = std::ranges::find(table, probe.check, &checks::Check::kind);
      return row != table.end() && checks::is_alone(*row, probe, context_.settings);
    };
    std::copy_if(order_.begin(), order_.end(), std::back_inserter(alone_), alone);
    std::erase_if(order_, alone);
    context_.sip_manners = [this](SocketAddress server, Transport transport) {
      return dispatcher_.sip_paced(server, transport);
    };
    context_.first_reply = [this](const Probe& probe) { scheduler_.note_first_reply(probe); };
  }
  ~Runner() {
    context_.sip_manners = nullptr;
    context_.first_reply = nullptr;
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  asio::awaitable<std::vector<ProbeResult>> run() {
    try {
      co_await make_rounds();
    } catch (...) {
      give_up(std::current_exception());
    }
    run_ended_.stop();
    // They refer to this object: nothing may throw before the last has ended.
    for (const auto* group : {&look_, &workers_, &context_.background}) {
      auto thrown = co_await group->ended();
      if (thrown) give_up(std::move(thrown));
    }
    co_return std::move(scheduler_.results());
  }

 private:
  asio::awaitable<void> make_rounds() {
    planned_ = planned_left_ = order_.size() + alone_.size();
    questions_left_ = static_cast<std::size_t>(
        std::count_if(order_.begin(), order_.end(),
                      [&](std::size_t index) { return scheduler_.asks_one_thing(index); }));
    if (!order_.empty()) co_await make_others();
    for (std::size_t i = 0; i < alone_.size(); ++i) co_await complete(alone_[i]);
  }

  asio::awaitable<void> make_others() {
    if (options_.pace.unlimited) co_await begin_alone();
    begin();
    if (options_.further) look_.start([this] { return look_early(); });
    co_await all_ended();
    asked_for_all_ = true;
    if (!options_.further) co_return;
    for (bool more = true; more && !context_.scope.stop.stopped();) {
      more = add(options_.further(scheduler_.results())) && rounds_ < most_rounds;
      co_await all_ended();
    }
    if (context_.scope.stop.stopped()) co_return;
    make_after_all(needed_after_all());
    co_await all_ended();
  }

  // The run cannot go on: it ends with what it has.
  void give_up(std::exception_ptr why) noexcept {
    if (options_.trouble != nullptr && !*options_.trouble) *options_.trouble = std::move(why);
    try {
      context_.scope.stop.stop();
    } catch (...) {
      // A waiter that was not woken has its own deadline.
    }
  }

  // Without a pace, all hosts are met in one burst, and a device that takes offence at it does so
  // before the first answer: then its ban looks just like a dead line. So the controls (if there
  // are none, the first probes) go ahead, until two have answered.
  asio::awaitable<void> begin_alone() {
    std::stable_partition(order_.begin(), order_.end(), [&](std::size_t i) {
      return scheduler_.probe(i).control() && !scheduler_.conditional(i);
    });
    const auto places = static_cast<std::size_t>(options_.in_flight);
    const auto first = std::min({order_.size(), most_ahead, places});
    ahead_ = first;
    while (next_ < first) {
      const auto index = order_[next_++];
      workers_.start([&] { return work_on(index); });
    }
    look_up_others(std::min(order_.size(), places));
    const auto until = context_.scope.clock.now() + timeouts::ahead;
    co_await two_heard_.wait(context_.scope, until);
  }

  // Meanwhile their names are looked up: the site's own resolver does not take offence.
  void look_up_others(std::size_t until) {
    std::set<std::string> names;
    for (auto at = next_; at < until; ++at) {
      const auto& target = scheduler_.probe(order_[at]).target;
      const bool name = !target.host.empty() && !IpAddress::parse(target.host);
      if (!name || !target.route.direct() || scheduler_.conditional(order_[at])) continue;
      if (!names.insert(target.host).second) continue;
      context_.background.start([&] { return look_up_early(order_[at]); });
    }
  }

  asio::awaitable<void> look_up_early(std::size_t index) {
    co_await dispatcher_.look_up(index);  // the resolver remembers it
  }

  asio::awaitable<void> work_on(std::size_t index) {
    co_await complete(index);
    if (reached(scheduler_.seen(index).outcome)) ++heard_of_;
    if (--ahead_ == 0 || heard_of_ == 2) two_heard_.deliver(true);
  }

  // As many workers as there is work for.
  void begin() {
    const auto places = static_cast<std::size_t>(options_.in_flight);
    const auto busy = workers_.running() + starting_;
    const auto workers = std::min(order_.size() - next_, places - std::min(places, busy));
    if (std::exchange(starting_, starting_ + workers) == 0) start_one();
  }

  // One after the other, each by way of the event loop: where hundreds start at once, the answers
  // to the first would lie unread until the last is on its way, and seem late.
  void start_one() {
    if (starting_ > 0) workers_.start([this] { return work(); });
  }

  // The stop signal must not end this wait: the workers end by themselves, with what they have.
  asio::awaitable<void> all_ended() {
    auto thrown = co_await workers_.ended();
    if (thrown) std::rethrow_exception(thrown);
  }

  asio::awaitable<void> work() {
    --starting_;
    start_one();
    while (next_ < order_.size()) {
      const auto index = order_[next_++];
      co_await complete(index);
    }
  }

  asio::awaitable<void> complete(std::size_t index) {
    const auto before = shortages();
    Observation observation;
    try {
      observation = co_await make(index);
      excuse(observation, before);
    } catch (const std::bad_alloc&) {
      observation = Observation();
      record(observation, out_of_memory());
    } catch (const std::exception& error) {
      // A bug in a check must not take the other results with it.
      spdlog::error("{}: {}", scheduler_.probe(index).id, error.what());
      observation = Observation();
      observation.detail = DetailCode::internal_error;
    }
    try {
      finish(index, std::move(observation));
    } catch (...) {
      give_up(std::current_exception());
    }
  }

  asio::awaitable<Observation> make(std::size_t index) {
    auto settled = co_await scheduler_.settled_by_others(index);
    if (settled) co_return std::move(*settled);
    auto measured = co_await dispatcher_.make(index);
    co_return measured;
  }

  void finish(std::size_t index, Observation observation) {
    scheduler_.note_end(index, std::move(observation));
    ++ended_;
    const auto& result = scheduler_.results()[index];
    spdlog::debug("{}: {}", result.probe.id, outcome_in_words(result.observation));
    if (options_.on_result) options_.on_result(result);
    // What was not sent is not an endpoint that was tried: the end of the report does not count it.
    if (result.observation.outcome == Outcome::skipped) ++skipped_;
    tell_progress();
    // A further probe: nothing that is left of the plan changes.
    if (index >= planned_) return;
    const bool question = scheduler_.asks_one_thing(index) && questions_left_ > 0;
    if (question && --questions_left_ == 0) questions_ended_.deliver(true);
    if (planned_left_ > 0 && --planned_left_ == 0 && options_.on_plan_done) options_.on_plan_done();
  }

  void tell_progress() {
    if (progress_) progress_(ended_ - skipped_, scheduler_.results().size() - skipped_);
  }

  // Asks once all have begun and nothing is held back except what takes its time anyway; and again
  // when all that ask one thing have ended: what takes longer need not be waited for.
  asio::awaitable<void> look_early() {
    const Scope until_the_end{context_.scope.clock, run_ended_};
    // What the pacer holds back, or nobody has got to yet, will say more than silence does.
    do {
      const auto when = context_.scope.clock.now() + timeouts::second_look;
      const bool going_on = co_await sleep_until(context_.executor, until_the_end, when);
      if (!going_on || asked_for_all_ || context_.scope.stop.stopped()) co_return;
    } while (next_ < order_.size() || dispatcher_.held() > 0);
    std::vector<Probe> more;
    std::vector<std::string> needed;
    const auto look = [&] {
      more = options_.further(scheduler_.results());
      needed = needed_after_all();
    };
    scheduler_.with_overdue_as_silent(look);
    add(std::move(more));
    make_after_all(needed);
    const auto in_any_case = context_.scope.clock.now() + timeouts::thorough;
    const auto ended = co_await questions_ended_.wait(until_the_end, in_any_case);
    const bool all = ended_ + alone_.size() == scheduler_.results().size();
    if (ended.has_error() || all || asked_for_all_ || context_.scope.stop.stopped()) co_return;
    look();
    // The router there gives few answers, and others wait for these: what those show comes first.
    std::erase_if(more, ends_at_the_edge);
    add(std::move(more));
    make_after_all(needed);
  }

  // Whether any could be added.
  bool add(std::vector<Probe> more) {
    bool any = false;
    for (auto& probe : more) {
      const auto index = scheduler_.add(std::move(probe));
      if (!index) break;
      order_.push_back(*index);
      any = true;
    }
    // Otherwise it would say that all is done while these are waited for.
    if (!more.empty()) tell_progress();
    begin();
    rounds_ += any;
    return any;
  }

  std::vector<std::string> needed_after_all() {
    if (!options_.needed_after_all) return {};
    return options_.needed_after_all(scheduler_.results());
  }

  void make_after_all(const std::vector<std::string>& ids) {
    for (const auto& id : ids) {
      const auto index = scheduler_.want(id);
      if (!index) continue;
      order_.push_back(*index);
      --ended_;
      --skipped_;
      if (planned_left_ > 0) ++planned_left_;
      if (questions_left_ > 0 && scheduler_.asks_one_thing(*index)) ++questions_left_;
    }
    begin();
  }

  checks::Context& context_;
  const RunnerOptions& options_;
  const ProgressCallback& progress_;
  Pacer pacer_;
  ProbeScheduler scheduler_;
  Dispatcher dispatcher_;
  StopSignal run_ended_;
  OneShot<bool> two_heard_{context_.executor}, questions_ended_{context_.executor};
  TaskGroup workers_{context_.executor}, look_{context_.executor};
  std::vector<std::size_t> order_, alone_;  // at once; one after the other, when those have ended
  std::size_t next_ = 0, ended_ = 0, skipped_ = 0, starting_ = 0;
  std::size_t planned_ = 0, planned_left_ = 0;  // the first results are the plan's; not yet ended
  std::size_t questions_left_ = 0;              // of these, those that ask one thing
  std::size_t ahead_ = 0, heard_of_ = 0;        // of those that begin alone: not yet done; reached
  bool asked_for_all_ = false;
  int rounds_ = 0;  // of further probes
};

}  // namespace

asio::awaitable<std::vector<ProbeResult>> run_probes(Plan plan, checks::Context& context,
                                                     const RunnerOptions& options,
                                                     const ProgressCallback& progress,
                                                     std::span<const checks::Check> table) {
  Runner runner(std::move(plan), context, options, progress, table);
  auto results = co_await runner.run();
  co_return results;
}

}  // namespace callready
