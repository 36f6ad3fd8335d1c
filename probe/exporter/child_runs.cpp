#include "probe/exporter/child_runs.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "probe/platform/child.hpp"
#include "probe/platform/descriptor.hpp"
#include "reports/terminal.hpp"

namespace callready::exporter {
namespace {

constexpr std::size_t most_metrics = 1 << 20, most_errors = 8'192;
// A run ends by itself; one that does not is a fault of this program, and must not hold up the
// others for ever. The largest set at the usual pace takes some minutes.
constexpr milliseconds longest_run = std::chrono::minutes(30);
constexpr milliseconds beyond_timeout = std::chrono::seconds(30);
// Between the end of its output and that of the child, which has nothing left to do.
constexpr milliseconds look_again = milliseconds(20), longest_end = std::chrono::seconds(5);
constexpr int usage_error = 2;

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return harmless(text.substr(text.rfind('\n') + 1));
}

}  // namespace

std::vector<std::string> check_arguments(const Job& job, const Places& places,
                                         std::optional<milliseconds> timeout) {
  std::vector<std::string> arguments{"check", "--quiet", "--no-keep", "--color=never"};
  arguments.push_back("--site=" + places.site);
  if (!places.place.empty()) arguments.push_back("--place=" + places.place);
  arguments.push_back("--history=" + places.history(job));
  arguments.push_back("--report=html=" + places.page(job));
  arguments.push_back("--report=exporter=" + places.metrics(job));
  arguments.emplace_back("--report=exporter");
  if (timeout) {
    arguments.push_back(
        fmt::format("--timeout={:.3f}", static_cast<double>(timeout->count()) / 1000));
  }
  arguments.insert(arguments.end(), job.options.begin(), job.options.end());
  arguments.insert(arguments.end(), job.targets.begin(), job.targets.end());
  return arguments;
}

class ChildRuns::Run : public std::enable_shared_from_this<Run> {
 public:
  Run(ChildRuns& owner, platform::Child child, std::function<void(RunEnd)> done)
      : owner_(owner),
        child_(child),
        output_(owner.executor_, child.output),
        errors_(owner.executor_, child.errors),
        done_(std::move(done)) {}
  ~Run() {
    if (running_) platform::end_child(child_);
  }

  void begin(milliseconds limit) {
    timer_ = owner_.clock_.call_at(owner_.clock_.now() + limit, [this] {
      problem_ = "the run did not end, and was ended";
      platform::end_child(child_);
      running_ = false;
    });
    read(output_, metrics_, most_metrics);
    read(errors_, said_, most_errors);
  }

 private:
  void read(asio::posix::stream_descriptor& from, std::string& into, std::size_t most) {
    auto buffer = std::make_shared<std::array<char, 16'384>>();
    from.async_read_some(asio::buffer(*buffer), [self = weak_from_this(), buffer, &from, &into,
                                                 most](error_code error, std::size_t size) {
      const auto run = self.lock();
      if (!run) return;
      if (into.size() <= most) into.append(buffer->data(), size);
      if (!error) return run->read(from, into, most);
      if (++run->closed_ == 2) run->wait_for_end(run->owner_.clock_.now() + longest_end);
    });
  }

  void wait_for_end(Instant until) {
    const auto status = running_ ? platform::exit_status(child_) : std::optional(-1);
    if (status) {
      running_ = false;
      return finish(*status);
    }
    if (owner_.clock_.now() >= until) {
      platform::end_child(child_);
      running_ = false;
      return finish(-1);
    }
    timer_ = owner_.clock_.call_at(owner_.clock_.now() + look_again,
                                   [this, until] { wait_for_end(until); });
  }

  void finish(int status) {
    const auto self = shared_from_this();
    timer_.reset();
    owner_.runs_.erase(self);
    const auto line = last_line(said_);
    if (problem_.empty() && metrics_.size() > most_metrics) problem_ = "the run said too much";
    if (problem_.empty() && (status < 0 || status == usage_error || metrics_.empty())) {
      problem_ = line.empty() ? fmt::format("the run ended with status {}", status) : line;
    } else if (!line.empty()) {
      spdlog::warn("{}", line);
    }
    RunEnd end;
    (problem_.empty() ? end.metrics : end.error) =
        problem_.empty() ? std::move(metrics_) : std::move(problem_);
    done_(std::move(end));
  }

  ChildRuns& owner_;
  platform::Child child_;
  asio::posix::stream_descriptor output_, errors_;
  std::function<void(RunEnd)> done_;
  std::string metrics_, said_, problem_;
  int closed_ = 0;
  bool running_ = true;
  std::unique_ptr<Clock::Timer> timer_;
};

ChildRuns::ChildRuns(const asio::any_io_executor& executor, Clock& clock, Places places)
    : executor_(executor), clock_(clock), places_(std::move(places)) {}

ChildRuns::~ChildRuns() = default;

void ChildRuns::start(const Job& job, std::optional<milliseconds> timeout,
                      std::function<void(RunEnd)> done) {
  const auto child =
      platform::start_own_child(places_.program, check_arguments(job, places_, timeout));
  if (!child.started()) {
    const auto why = fmt::format("{}: {}", places_.program, std::strerror(errno));
    asio::post(executor_, [done = std::move(done), why] { done({{}, why}); });
    return;
  }
  platform::close_descriptor(child.input);
  const auto run = std::make_shared<Run>(*this, child, std::move(done));
  runs_.insert(run);
  run->begin(timeout ? *timeout + beyond_timeout : longest_run);
}

}  // namespace callready::exporter
