#include "probe/exporter/schedule.hpp"

#include <algorithm>

namespace callready::exporter {
namespace {

// Sites that all start after the same power cut must not reach the vendor at once: the first runs
// begin within this part of the interval, and each later one is moved by up to that much.
constexpr double jitter = 0.1;
constexpr milliseconds longest_first_wait = std::chrono::minutes(1);

// Scrapes that wait for the first result of a job. More are told at once that there is none.
constexpr std::size_t most_waiting = 64;

milliseconds part_of(milliseconds whole, double part) {
  return milliseconds(static_cast<long>(static_cast<double>(whole.count()) * part));
}

}  // namespace

Schedule::Schedule(Clock& clock, Runs& runs, std::function<double()> random)
    : clock_(clock), runs_(runs), random_(std::move(random)) {}

Instant Schedule::later(Instant from, milliseconds interval) {
  return from + part_of(interval, 1 - jitter + 2 * jitter * random_());
}

void Schedule::configure(std::vector<Job> jobs, const Budget& budget) {
  jobs_ = std::move(jobs);
  budget_ = budget;
  const auto now = clock_.now();
  std::map<std::string, State> states;
  for (const auto& job : jobs_) {
    const auto key = job.key();
    auto known = states_.extract(key);
    const bool fresh = known.empty();
    auto& state = fresh ? states[key] : states[key] = std::move(known.mapped());
    if (fresh) state.view.running = running_ == key;  // removed, and added again
    if (!fresh && state.job == job) continue;
    state.job = job;
    state.due.reset();
    if (!job.every) continue;
    const auto wait = std::min(part_of(*job.every, jitter), longest_first_wait);
    state.due = now + part_of(wait, random_());
  }
  // Whoever waits for a job that is gone gets what there is.
  for (auto& [key, state] : states_) answer_all(state);
  states_ = std::move(states);
  look();
}

void Schedule::restore(const std::string& key, LastResult result) {
  const auto found = states_.find(key);
  if (found == states_.end() || found->second.view.result) return;
  auto& state = found->second;
  const auto now = clock_.now();
  const auto age =
      std::max(milliseconds::zero(),
               std::chrono::duration_cast<milliseconds>(clock_.wall_now() - result.finished));
  state.view.result = std::make_shared<const LastResult>(std::move(result));
  // The budget counts from there, too: a program that is restarted again and again is polite.
  const auto then = now - age;
  for (const auto& vendor : state.job.vendors) {
    const auto [place, added] = vendor_started_.try_emplace(vendor, then);
    place->second = std::max(place->second, then);
  }
  started_ = std::max(started_.value_or(then), then);
  if (state.job.every) state.due = std::max(now, later(then, *state.job.every));
  look();
}

void Schedule::stop() {
  stopped_ = true;
  timer_.reset();
  for (auto& [key, state] : states_) answer_all(state);
}

const Job* Schedule::find(const std::string& set, const std::string& module) const {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& job) {
    return job.set == set && (module.empty() || job.module == module);
  });
  return found == jobs_.end() ? nullptr : &*found;
}

View Schedule::view(const std::string& key) const {
  const auto found = states_.find(key);
  return found == states_.end() ? View{} : found->second.view;
}

void Schedule::ask(const std::string& key, milliseconds patience, Answer answer) {
  const auto found = states_.find(key);
  if (found == states_.end() || stopped_) return answer({});
  auto& state = found->second;
  const auto now = clock_.now();
  const auto& result = state.view.result;
  if (!state.job.every && !state.view.running && !state.due) {
    const auto wall = clock_.wall_now();
    // One from the future is old, too: the clock was set back.
    const bool old =
        !result || wall < result->finished || wall - result->finished >= budget_.vendor;
    if (old) {
      state.due = now;
      state.timeout = std::max(patience, shortest_timeout);
    }
  }
  if (result || state.waiting.size() >= most_waiting) {
    answer(state.view);
  } else {
    const auto id = next_waiting_++;
    auto& waiting = state.waiting[id];
    waiting.answer = std::move(answer);
    waiting.timer = clock_.call_at(now + patience, [this, key, id] {
      const auto still = states_.find(key);
      if (still == states_.end()) return;
      auto mine = still->second.waiting.extract(id);
      if (!mine.empty()) mine.mapped().answer(still->second.view);
    });
    // Somebody waits: no jitter. A run that is under way will do.
    if (state.due && !state.view.running) state.due = std::min(*state.due, now);
  }
  look();
}

Instant Schedule::allowed_at(const Job& job) const {
  auto when = started_ ? *started_ + budget_.site : Instant::min();
  for (const auto& vendor : job.vendors) {
    const auto last = vendor_started_.find(vendor);
    if (last != vendor_started_.end()) when = std::max(when, last->second + budget_.vendor);
  }
  return when;
}

// Starts what is due, and sets the timer to what is next.
void Schedule::look() {
  if (stopped_) return;
  for (;;) {
    const auto now = clock_.now();
    std::optional<Instant> next, longest_due;
    std::map<std::string, State>::iterator chosen = states_.end();
    for (auto at = states_.begin(); at != states_.end(); ++at) {
      const auto& state = at->second;
      if (!state.due || state.view.running) continue;
      const auto when = std::max(*state.due, allowed_at(state.job));
      if (when > now) {
        next = std::min(next.value_or(when), when);
      } else if (!longest_due || *state.due < *longest_due) {
        longest_due = state.due;
        chosen = at;
      }
    }
    if (chosen == states_.end() || running_) {
      timer_ = next && !running_ ? clock_.call_at(*next, [this] { look(); })
                                 : nullptr;  // the end of the run looks again
      return;
    }
    begin(chosen->first, chosen->second);
  }
}

void Schedule::begin(const std::string& key, State& state) {
  const auto now = clock_.now();
  state.view.running = true;
  running_ = key;
  started_ = now;
  for (const auto& vendor : state.job.vendors) vendor_started_[vendor] = now;
  state.due = state.job.every ? std::optional(later(now, *state.job.every)) : std::nullopt;
  auto timeout = state.job.timeout;
  if (state.timeout) timeout = std::min(timeout.value_or(*state.timeout), *state.timeout);
  state.timeout.reset();
  runs_.start(state.job, timeout, [this, key](RunEnd end) { ended(key, std::move(end)); });
}

void Schedule::ended(const std::string& key, RunEnd end) {
  running_.reset();
  const auto found = states_.find(key);
  if (found != states_.end()) {
    auto& [job, due, timeout, view, waiting] = found->second;
    view.running = false;
    view.last_failed = !end.error.empty();
    view.error = std::move(end.error);
    ++(view.last_failed ? view.failed : view.good);
    if (!view.last_failed) {
      view.result =
          std::make_shared<const LastResult>(LastResult{std::move(end.metrics), clock_.wall_now()});
    }
    answer_all(found->second);
  }
  look();
}

void Schedule::answer_all(State& state) {
  auto waiting = std::exchange(state.waiting, {});
  for (auto& [id, one] : waiting) {
    one.timer.reset();
    one.answer(state.view);
  }
}

}  // namespace callready::exporter
