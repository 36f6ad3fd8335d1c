// When which job runs: in the background at its interval with jitter, one run of a job at a time,
// within the vendors' and the site's budget. A scrape gets the last result at once. Only decides;
// its Runs know what a run is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probe/exporter/config.hpp"
#include "probe/net/clock.hpp"

namespace callready::exporter {

// How a run ended: what it has to say for Prometheus, or why it has nothing.
struct RunEnd {
  std::string metrics, error;
};

class Runs {
 public:
  virtual ~Runs() = default;
  // Calls `done` once, not before it returns. `timeout`: nothing means as long as the run needs.
  virtual void start(const Job& job, std::optional<milliseconds> timeout,
                     std::function<void(RunEnd)> done) = 0;
};

struct LastResult {
  std::string metrics;
  WallTime finished;
};

// A job as it is now.
struct View {
  std::shared_ptr<const LastResult> result;  // null: none yet
  bool running = false;
  bool last_failed = false;
  std::string error;                   // of the last run; empty: none
  std::uint64_t good = 0, failed = 0;  // runs
};

class Schedule {
 public:
  using Answer = std::function<void(const View&)>;

  // `random`: from 0 up to, but not including, 1.
  Schedule(Clock& clock, Runs& runs, std::function<double()> random);

  // Replaces the jobs. What is running goes on, and what has not changed keeps its result and its
  // time.
  void configure(std::vector<Job> jobs, const Budget& budget);

  // The result that an earlier process has left, before anything else is known about the job.
  void restore(const std::string& key, LastResult result);

  // Nothing is started any more.
  void stop();

  // The job of that set, nullptr if there is none; `module` empty: the set's first.
  const Job* find(const std::string& set, const std::string& module) const;
  const std::vector<Job>& jobs() const { return jobs_; }
  View view(const std::string& key) const;
  std::size_t running() const { return running_ ? 1 : 0; }

  // Answers at once if there is a result, or too many wait for one; otherwise when there is one, or
  // after `patience` at the latest. For a job without an interval of its own, this is what starts a
  // run: if the last is older than the vendor's budget.
  void ask(const std::string& key, milliseconds patience, Answer answer);

 private:
  struct Waiting {
    Answer answer;
    std::unique_ptr<Clock::Timer> timer;
  };
  struct State {
    Job job;
    std::optional<Instant> due;
    std::optional<milliseconds> timeout;  // of the scrape that wants it
    View view;
    std::map<std::uint64_t, Waiting> waiting;
  };

  void look();
  Instant allowed_at(const Job& job) const;
  void begin(const std::string& key, State& state);
  void ended(const std::string& key, RunEnd end);
  void answer_all(State& state);
  Instant later(Instant from, milliseconds interval);

  Clock& clock_;
  Runs& runs_;
  std::function<double()> random_;
  std::vector<Job> jobs_;
  Budget budget_;
  std::map<std::string, State> states_;
  std::map<std::string, Instant> vendor_started_;
  std::optional<Instant> started_;
  // One run at a time: two at once would look like one that is twice as large, and each would see
  // the other's load on the line.
  std::optional<std::string> running_;
  std::uint64_t next_waiting_ = 0;
  bool stopped_ = false;
  std::unique_ptr<Clock::Timer> timer_;
};

}  // namespace callready::exporter
