#include "probe/exporter/child_runs.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>

#include "probe/net/service_timeouts.hpp"
#include "probe/web/child_process.hpp"
#include "reports/words/terminal.hpp"

namespace callready::exporter {
namespace {

constexpr std::size_t most_metrics = 1 << 20;
constexpr int usage_error = 2;

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
  Run(ChildRuns& owner, std::function<void(RunEnd)> done) : owner_(owner), done_(std::move(done)) {}

  // False: errno says why.
  bool begin(std::vector<std::string> arguments, milliseconds limit) {
    ChildProcess::Options options;
    options.program = owner_.places_.program;
    options.arguments = std::move(arguments);
    options.on_output = [this](std::string_view text) {
      if (metrics_.size() <= most_metrics) metrics_ += text;
    };
    options.on_end = [this](int status, const std::string& said) { finish(status, said); };
    child_ = ChildProcess::start(owner_.executor_, owner_.clock_, std::move(options));
    if (!child_) return false;
    timer_ = owner_.clock_.call_at(owner_.clock_.now() + limit, [this] {
      problem_ = "the run did not end in time and was stopped";
      child_->end();
    });
    return true;
  }
  void fail(const std::string& why) const { done_({{}, why}); }

 private:
  void finish(int status, const std::string& said) {
    const auto self = shared_from_this();
    timer_.reset();
    owner_.runs_.erase(self);
    const auto line = harmless(last_complaint_in(said));
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
  std::unique_ptr<ChildProcess> child_;
  std::function<void(RunEnd)> done_;
  std::string metrics_, problem_;
  std::unique_ptr<Clock::Timer> timer_;
};

ChildRuns::ChildRuns(const asio::any_io_executor& executor, Clock& clock, Places places)
    : executor_(executor), clock_(clock), places_(std::move(places)) {}

ChildRuns::~ChildRuns() = default;

void ChildRuns::start(const Job& job, std::optional<milliseconds> timeout,
                      std::function<void(RunEnd)> done) {
  const auto run = std::make_shared<Run>(*this, std::move(done));
  if (run->begin(check_arguments(job, places_, timeout),
                 timeout ? *timeout + timeouts::child_beyond : timeouts::child_run)) {
    runs_.insert(run);
    return;
  }
  const auto why = fmt::format("{}: {}", places_.program, std::strerror(errno));
  asio::post(executor_, [run, why] { run->fail(why); });
}

}  // namespace callready::exporter
