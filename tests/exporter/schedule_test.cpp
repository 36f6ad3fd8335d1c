// When what runs, on a clock that the test moves, with runs that are not made.
#include "probe/exporter/schedule.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <deque>
#include <random>

#include "probe/exporter/pages.hpp"
#include "tests/support/manual_clock.hpp"

namespace callready::exporter::schedule_test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Starts nothing, and ends a run when the test says so.
class FakeRuns final : public Runs {
 public:
  explicit FakeRuns(Clock& clock) : clock_(clock) {}
  void start(const Job& job, std::optional<milliseconds> timeout,
             std::function<void(RunEnd)> done) override {
    started.push_back({job.key(), clock_.now(), timeout});
    open.push_back(std::move(done));
    most_open = std::max(most_open, open.size());
  }
  void end(RunEnd end) {
    auto done = std::move(open.front());
    open.pop_front();
    done(std::move(end));
  }
  void end_well(const std::string& text = "up 1\n") { end({text, ""}); }

  struct Started {
    std::string key;
    Instant at;
    std::optional<milliseconds> timeout;
  };
  std::vector<Started> started;
  std::deque<std::function<void(RunEnd)>> open;
  std::size_t most_open = 0;

 private:
  Clock& clock_;
};

Job job(const std::string& set, std::optional<milliseconds> every = minutes(15),
        const std::string& vendor = "") {
  Job one;
  one.set = set;
  one.module = "default";
  one.targets = {set};
  one.vendors = {vendor.empty() ? set : vendor};
  one.every = every;
  return one;
}

struct Fixture {
  test::ManualClock clock;
  FakeRuns runs{clock};
  Schedule schedule{clock, runs, [] { return 0.5; }};
  std::vector<View> answers;

  void ask(const std::string& set, milliseconds patience = seconds(9)) {
    schedule.ask(set + "@default", patience, [this](const View& view) { answers.push_back(view); });
  }
};

TEST(Schedule, RunsByItself) {
  Fixture f;
  f.schedule.configure({job("a")}, {});
  EXPECT_TRUE(f.runs.started.empty()) << "sites that start together do not meet at the vendor's";
  f.clock.advance(minutes(1));
  ASSERT_EQ(f.runs.started.size(), 1u);
  f.runs.end_well();
  f.clock.advance(minutes(14));
  EXPECT_EQ(f.runs.started.size(), 1u);
  f.clock.advance(minutes(2));
  EXPECT_EQ(f.runs.started.size(), 2u);
}

TEST(Schedule, TenScrapesAreOneRun) {
  Fixture f;
  f.schedule.configure({job("a")}, {});
  for (int i = 0; i < 10; ++i) f.ask("a");
  ASSERT_EQ(f.runs.started.size(), 1u) << "somebody waits: at once";
  EXPECT_TRUE(f.answers.empty());
  f.runs.end_well("result 1\n");
  ASSERT_EQ(f.answers.size(), 10u);
  for (const auto& answer : f.answers) EXPECT_EQ(answer.result->metrics, "result 1\n");
  f.clock.advance(minutes(13));
  EXPECT_EQ(f.runs.started.size(), 1u) << "those who asked during the run need no second one";
}

TEST(Schedule, AScrapeDuringARunGetsTheLastResult) {
  Fixture f;
  f.schedule.configure({job("a")}, {});
  f.ask("a");
  f.runs.end_well("first\n");
  const auto when = f.clock.wall_now();
  f.clock.advance(minutes(16));
  ASSERT_EQ(f.runs.open.size(), 1u);
  f.ask("a");
  ASSERT_EQ(f.answers.size(), 2u);
  EXPECT_EQ(f.answers[1].result->metrics, "first\n");
  EXPECT_EQ(f.answers[1].result->finished, when);
  EXPECT_TRUE(f.answers[1].running);
}

TEST(Schedule, AScrapeWithoutAResultWaitsNoLongerThanItMay) {
  Fixture f;
  f.schedule.configure({job("a")}, {});
  f.ask("a", seconds(9));
  f.clock.advance(seconds(8));
  EXPECT_TRUE(f.answers.empty());
  f.clock.advance(seconds(1));
  ASSERT_EQ(f.answers.size(), 1u);
  EXPECT_FALSE(f.answers[0].result);
  EXPECT_TRUE(f.answers[0].running);
  f.runs.end_well();
  EXPECT_EQ(f.answers.size(), 1u) << "answered once";
  EXPECT_EQ(f.clock.waiting(), 1u) << "the next run's timer and nothing else";
}

TEST(Schedule, OneRunAtATimeAndTheBudgetBetweenThem) {
  Fixture f;
  f.schedule.configure(
      {job("a", minutes(15), "one"), job("b", minutes(15), "one"), job("c", minutes(15), "two")},
      {minutes(10), minutes(2)});
  f.clock.advance(minutes(1));
  ASSERT_EQ(f.runs.started.size(), 1u);
  f.clock.advance(minutes(5));
  EXPECT_EQ(f.runs.started.size(), 1u) << "it still runs";
  f.runs.end_well();
  ASSERT_EQ(f.runs.started.size(), 2u);
  EXPECT_EQ(f.runs.started[1].key, "c@default") << "the vendor of b has had its run";
  f.runs.end_well();
  f.clock.advance(minutes(4));
  EXPECT_EQ(f.runs.started.size(), 2u);
  f.clock.advance(minutes(2));
  ASSERT_EQ(f.runs.started.size(), 3u);
  EXPECT_EQ(f.runs.started[2].key, "b@default");
  EXPECT_GE(f.runs.started[2].at - f.runs.started[0].at, minutes(10));
}

TEST(Schedule, ByScrapeOnlyRunsWhenItIsAskedAndTheLastIsOld) {
  Fixture f;
  f.schedule.configure({job("a", std::nullopt)}, {});
  f.clock.advance(hours(1));
  EXPECT_TRUE(f.runs.started.empty());
  f.ask("a", seconds(9));
  ASSERT_EQ(f.runs.started.size(), 1u);
  EXPECT_EQ(f.runs.started[0].timeout, seconds(9)) << "the scrape's deadline is the run's";
  f.runs.end_well();
  f.clock.advance(minutes(1));
  f.ask("a");  // the other Prometheus of the pair
  EXPECT_EQ(f.runs.started.size(), 1u);
  EXPECT_EQ(f.answers.size(), 2u);
  f.clock.advance(minutes(5));
  f.ask("a");
  EXPECT_EQ(f.runs.started.size(), 2u);
  EXPECT_EQ(f.answers.size(), 3u) << "and nobody waits for it";
}

// A run of less than that is refused by `check`, and a stranger's request says the time.
TEST(Schedule, NoScrapeMakesARunTooShort) {
  Fixture f;
  f.schedule.configure({job("a", std::nullopt)}, {});
  f.ask("a", milliseconds(100));
  ASSERT_EQ(f.runs.started.size(), 1u);
  EXPECT_EQ(f.runs.started[0].timeout, seconds(1));
}

TEST(Schedule, NotAnyNumberOfScrapesWaits) {
  Fixture f;
  f.schedule.configure({job("a")}, {});
  for (int i = 0; i < 1'000; ++i) f.ask("a", minutes(10));
  EXPECT_GT(f.answers.size(), 900u) << "there is no result yet";
  for (const auto& answer : f.answers) EXPECT_FALSE(answer.result);
  EXPECT_LT(f.clock.waiting(), 100u);
  f.runs.end_well();
  EXPECT_EQ(f.answers.size(), 1'000u);
  EXPECT_TRUE(f.answers.back().result);
}

// The clock was a day ahead, and was set right.
TEST(Schedule, AResultFromTheFutureIsOld) {
  Fixture f;
  f.schedule.configure({job("a", std::nullopt)}, {});
  f.schedule.restore("a@default", {"before\n", f.clock.wall_now() + hours(24)});
  f.ask("a");
  EXPECT_EQ(f.answers.size(), 1u);
  f.clock.advance(minutes(6));
  EXPECT_EQ(f.runs.started.size(), 1u);
}

TEST(Schedule, AFailedRunKeepsTheResultBefore) {
  Fixture f;
  f.schedule.configure({job("a")}, {});
  f.ask("a");
  f.runs.end_well("good\n");
  f.clock.advance(minutes(17));
  f.runs.end({"", "no such CA file"});
  f.ask("a");
  const auto& view = f.answers.back();
  EXPECT_EQ(view.result->metrics, "good\n");
  EXPECT_TRUE(view.last_failed);
  EXPECT_EQ(view.error, "no such CA file");
  EXPECT_EQ(view.failed, 1u);
  EXPECT_EQ(view.good, 1u);
}

TEST(Schedule, ANewConfigurationLosesNoRun) {
  Fixture f;
  f.schedule.configure({job("a"), job("b")}, {seconds(0), seconds(0)});
  f.ask("a");
  ASSERT_EQ(f.runs.open.size(), 1u);
  f.schedule.configure({job("a"), job("c")}, {seconds(0), seconds(0)});
  EXPECT_TRUE(f.answers.empty()) << "it still waits";
  f.runs.end_well("of before\n");
  ASSERT_EQ(f.answers.size(), 1u);
  EXPECT_EQ(f.answers[0].result->metrics, "of before\n");
  EXPECT_EQ(f.schedule.find("b", ""), nullptr);
  ASSERT_NE(f.schedule.find("c", ""), nullptr);
  EXPECT_EQ(f.schedule.find("c", "phones"), nullptr);
  // Of a set that is gone, whoever waits is answered, and the end of its run harms nobody.
  f.ask("c");
  ASSERT_EQ(f.runs.open.size(), 1u);
  f.schedule.configure({job("a")}, {seconds(0), seconds(0)});
  EXPECT_EQ(f.answers.size(), 2u);
  f.runs.end_well();
  EXPECT_EQ(f.schedule.running(), 0u);
}

TEST(Schedule, AJobThatIsAddedAgainWhileItRunsIsRunning) {
  Fixture f;
  f.schedule.configure({job("a", std::nullopt)}, {});
  f.ask("a");
  ASSERT_EQ(f.runs.open.size(), 1u);
  f.schedule.configure({}, {});
  f.schedule.configure({job("a", std::nullopt)}, {});
  EXPECT_TRUE(f.schedule.view("a@default").running);
  f.ask("a");
  f.runs.end_well();
  EXPECT_FALSE(f.schedule.view("a@default").running);
  EXPECT_EQ(f.schedule.running(), 0u);
  EXPECT_EQ(f.runs.started.size(), 1u) << "those who asked meanwhile got that result";
}

TEST(Schedule, ARestartIsPoliteToo) {
  Fixture f;
  f.schedule.configure({job("a", minutes(15), "one"), job("b", minutes(15), "one")},
                       {minutes(10), seconds(0)});
  f.schedule.restore("a@default", {"before\n", f.clock.wall_now() - minutes(1)});
  f.ask("a");
  ASSERT_EQ(f.answers.size(), 1u);
  EXPECT_EQ(f.answers[0].result->metrics, "before\n");
  f.clock.advance(minutes(8));
  EXPECT_TRUE(f.runs.started.empty()) << "the vendor had a run a minute before the restart";
  f.clock.advance(minutes(2));
  ASSERT_EQ(f.runs.started.size(), 1u);
  EXPECT_EQ(f.runs.started[0].key, "b@default");
}

TEST(Schedule, StoppedItAnswersAndStartsNothing) {
  Fixture f;
  f.schedule.configure({job("a")}, {});
  f.ask("a");
  f.schedule.stop();
  EXPECT_EQ(f.answers.size(), 1u);
  f.ask("a");
  EXPECT_EQ(f.answers.size(), 2u);
  f.runs.end_well();
  f.clock.advance(hours(1));
  EXPECT_EQ(f.runs.started.size(), 1u);
}

// Ends each run a second later, and keeps nothing.
class BriefRuns final : public Runs {
 public:
  explicit BriefRuns(Clock& clock) : clock_(clock) {}
  void start(const Job&, std::optional<milliseconds>, std::function<void(RunEnd)> done) override {
    const auto now = clock_.now();
    EXPECT_FALSE(timer_) << "one at a time";
    if (started > 0) shortest = std::min(shortest, now - last_);
    last_ = now;
    ++started;
    timer_ = clock_.call_at(now + seconds(1), [this, done = std::move(done)] {
      timer_.reset();
      done(started % 10 == 0 ? RunEnd{"", "no such CA file"} : RunEnd{std::string(3'000, 'x'), ""});
    });
  }
  std::size_t started = 0;
  Instant::duration shortest = hours(24);

 private:
  Clock& clock_;
  Instant last_;
  std::unique_ptr<Clock::Timer> timer_;
};

// A week of 200 sets, one of which is scraped every five minutes, by a pair of Prometheus.
TEST(Schedule, AWeekLeavesNothingBehind) {
  test::ManualClock clock;
  BriefRuns runs(clock);
  std::minstd_rand engine(1);
  Schedule schedule(clock, runs, [&] { return std::uniform_real_distribution<>(0, 1)(engine); });
  Pages pages(clock, schedule);
  Config config;
  config.site = "Lyon";
  for (int i = 0; i < 200; ++i) config.jobs.push_back(job(fmt::format("s{}", i), hours(6)));
  config.budget = {minutes(5), seconds(30)};
  schedule.configure(config.jobs, config.budget);
  pages.configured(config, {"callready", "/nowhere", "Lyon", ""});
  std::size_t answers = 0, most_timers = 0, after_two_days = 0;
  constexpr int day = 24 * 60;
  for (int minute = 0; minute < 7 * day; minute += 5) {
    clock.advance(minutes(5));
    const Request request{"GET", fmt::format("/probe?set=s{}", minute / 5 % 200), "10"};
    for (int pair = 0; pair < 2; ++pair) {
      pages.handle(request, [&](Reply reply) { answers += reply.status == 200 ? 1 : 0; });
    }
    most_timers = std::max(most_timers, clock.waiting());
    if (minute % day == 0) schedule.configure(config.jobs, config.budget);  // SIGHUP each day
    if (minute == 2 * day) after_two_days = mallinfo2().uordblks;
  }
  const auto after_seven = mallinfo2().uordblks;
  clock.advance(minutes(1));
  EXPECT_EQ(answers, 2u * 7 * day / 5);
  EXPECT_LE(most_timers, 4u) << "the next run's, this run's, and the pair's";
  EXPECT_GT(runs.started, 200u * 7 * 4 * 9 / 10) << "four times a day, but for the jitter";
  EXPECT_LT(runs.started, 200u * 7 * 4 * 12 / 10);
  EXPECT_GE(runs.shortest, config.budget.site);
  // 0 under a sanitizer, which has its own malloc.
  EXPECT_LE(after_seven, after_two_days + 64 * 1024) << "memory is flat";
}

}  // namespace
}  // namespace callready::exporter::schedule_test
