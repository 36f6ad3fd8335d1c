#include "probe/exporter/pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/src.hpp>  // once in the program: the library itself
#include <boost/url/url_view.hpp>

#include "probe/exporter/process.hpp"
#include "probe/net/service_timeouts.hpp"
#include "probe/platform/input_file.hpp"
#include "probe/util/path.hpp"
#include "probe/util/text.hpp"
#include "reports/format.hpp"
#include "reports/monitoring/exporter_index.hpp"
#include "reports/monitoring/metric_text.hpp"
#include "reports/words/rfc3339.hpp"

namespace callready::exporter {
namespace {

constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::size_t most_target = 4'096, most_parameters = 16, largest_page = 64 << 20;
constexpr double least_timeout = 0.6, usual_timeout = 10, longest_timeout = 600;

Reply refusal(unsigned status, std::string why) {
  return {status, "callready: " + std::move(why) + '\n', "text/plain; charset=utf-8"};
}

// The first of these that is asked for and not known.
std::string unknown_parameter(const Asked& asked, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : asked.query) {
    if (!contains(known, name)) return name;
  }
  return {};
}

}  // namespace

Asked read_target(std::string_view target) {
  Asked asked;
  const auto fail = [&](const char* why) {
    asked = {};
    asked.problem = why;
    return asked;
  };
  if (target.size() > most_target) return fail("the request is too long");
  const auto url = boost::urls::parse_origin_form(target);
  if (!url) return fail("this is not a path of this server");
  for (const auto& segment : url->segments()) asked.path += '/' + std::string(segment);
  if (asked.path.empty()) asked.path = "/";
  if (url->params().size() > most_parameters) return fail("there are too many parameters");
  for (const auto& parameter : url->params()) {
    const std::string name(parameter.key);
    const bool fresh = asked.query.emplace(name, std::string(parameter.value)).second;
    if (!fresh) return fail("a parameter is given twice");
  }
  return asked;
}

milliseconds patience_of(std::string_view scrape_timeout) {
  double limit = whole_number<double>(scrape_timeout).value_or(usual_timeout);
  if (!(limit > 0)) limit = usual_timeout;
  limit = std::clamp(limit, least_timeout, longest_timeout);
  return milliseconds(static_cast<long>(limit * 1000)) - timeouts::scrape_way;
}

void Pages::configured(const Config& config, Places places) {
  places_ = std::move(places);
  reload_good_ = true;
  reloaded_ = clock_.wall_now();
  Metric info("callready_site_info",
              "Place that this exporter measures from, as labels. Always 1. Users on other "
              "networks, or outside its container, may be behind other rules.");
  Labels labels{{"site", config.site}, {"place", config.place}};
  for (const auto& [name, value] : config.labels) labels.emplace_back(name, value);
  info.add(labels, 1);
  site_info_ = info.text();
}

void Pages::handle(const Request& request, Answer answer) {
  if (request.method != "GET" && request.method != "HEAD") {
    return answer(refusal(405, "GET and HEAD only"));
  }
  const auto asked = read_target(request.target);
  if (!asked.problem.empty()) {
    ++refused_;
    return answer(refusal(400, asked.problem));
  }
  if (asked.path == "/probe") return probe(asked, request, std::move(answer));
  if (asked.path == "/metrics") return answer(own_metrics());
  if (asked.path == "/-/healthy") return answer({200, "callready is healthy\n"});
  if (asked.path == "/") return answer(index());
  if (asked.path.starts_with("/report/")) return answer(report(asked));
  answer(refusal(404, "no such page: there are /probe, /metrics, /report/NAME and /-/healthy"));
}

const Job* Pages::job_of(const Asked& asked, const std::string& set, Reply& refused) const {
  const auto module = asked.query.find("module");
  const auto* job = schedule_.find(set, module == asked.query.end() ? "" : module->second);
  if (job == nullptr) {
    refused = refusal(404, "the configuration has no such set with such a module");
  }
  return job;
}

void Pages::probe(const Asked& asked, const Request& request, Answer answer) {
  if (const auto name = unknown_parameter(asked, {"set", "module"}); !name.empty()) {
    ++refused_;
    return answer(refusal(400,
                          "expected set=NAME and module=NAME only: what is measured, and how, is "
                          "set in the configuration, not in a request"));
  }
  const auto set = asked.query.find("set");
  if (set == asked.query.end()) return answer(refusal(400, "expected /probe?set=NAME"));
  Reply refused;
  const auto* job = job_of(asked, set->second, refused);
  if (job == nullptr) {
    ++refused_;
    return answer(std::move(refused));
  }
  ++scrapes_;
  schedule_.ask(job->key(), patience_of(request.scrape_timeout),
                [this, answer = std::move(answer)](const View& view) {
                  answer({200, metrics_of(view), std::string(metrics_type)});
                });
}

std::string Pages::metrics_of(const View& view) const {
  const Labels site{{"site", places_.site}};
  Metric there("callready_result_available",
               "1 if there is a result, 0 until a first run has ended with one.");
  there.add(site, view.result ? 1 : 0);
  Metric running("callready_run_in_progress",
                 "1 if a run is in progress, 0 if not. The result is that of an earlier run.");
  running.add(site, view.running ? 1 : 0);
  Metric failed("callready_last_run_failed",
                "1 if the last run ended without a result, so that this one is older, 0 if not.");
  failed.add(site, view.last_failed ? 1 : 0);
  Metric age("callready_run_age_seconds", "Age of the result in seconds.");
  if (view.result)
    age.add(site, unix_seconds(clock_.wall_now()) - unix_seconds(view.result->finished));
  auto text = view.result ? view.result->metrics : std::string();
  return text + there.text() + running.text() + failed.text() + age.text() + site_info_;
}

Reply Pages::file(const std::string& path, const char* type) {
  auto& page = read_[path];
  // A report is never changed: another takes its place.
  std::error_code unknown;
  const auto written = std::filesystem::last_write_time(path_of(path), unknown);
  auto text = page.text.lock();
  if (!text || unknown || written != page.written) {
    auto input = platform::read_input(path, largest_page);
    if (!input.error.empty() || input.text.size() > largest_page) {
      return refusal(404, "there is no such report yet");
    }
    text = std::make_shared<const std::string>(std::move(input.text));
    page = {written, text};
  }
  return {200, std::move(text), type};
}

Reply Pages::report(const Asked& asked) {
  Reply refused;
  const auto* job = job_of(asked, asked.path.substr(std::string_view("/report/").size()), refused);
  if (job == nullptr) return refused;
  const auto format = asked.query.find("format");
  const bool json = format != asked.query.end() && format->second == "json";
  return json ? file(places_.history(*job), "application/json")
              : file(places_.page(*job), "text/html; charset=utf-8");
}

Reply Pages::own_metrics() const {
  Metric build("callready_exporter_build_info", "Version of this exporter, as a label. Always 1.");
  build.add({{"version", CALLREADY_VERSION}}, 1);
  Metric good("callready_exporter_config_last_reload_successful",
              "1 if the last reload of the configuration succeeded, 0 if the previous one is still "
              "in use.");
  good.add({}, reload_good_ ? 1 : 0);
  Metric when("callready_exporter_config_last_reload_success_timestamp_seconds",
              "Unix time at which the configuration in use was read.");
  when.add({}, unix_seconds(reloaded_));
  Metric sets("callready_exporter_jobs", "Number of configured pairs of a set and a module.");
  sets.add({}, static_cast<double>(schedule_.jobs().size()));
  Metric running("callready_exporter_runs_in_progress", "Number of runs in progress.");
  running.add({}, static_cast<double>(schedule_.running()));
  Metric scrapes("callready_exporter_scrapes_total", "Total number of requests for a set's series.",
                 "counter");
  scrapes.add({}, static_cast<double>(scrapes_));
  Metric refused("callready_exporter_requests_refused_total",
                 "Total number of requests refused as malformed or not configured.", "counter");
  refused.add({}, static_cast<double>(refused_));
  Metric runs("callready_exporter_runs_total", "Total number of runs that have ended, by result.",
              "counter");
  for (const auto& job : schedule_.jobs()) {
    const auto view = schedule_.view(job.key());
    const auto add = [&](const char* result, std::uint64_t count) {
      runs.add({{"set", job.set}, {"module", job.module}, {"result", result}},
               static_cast<double>(count));
    };
    add("good", view.good);
    add("failed", view.failed);
  }
  std::string text;
  for (const auto* metric : {&build, &good, &when, &sets, &running, &scrapes, &refused, &runs}) {
    text += metric->text();
  }
  return {200, text + process_metrics(), std::string(metrics_type)};
}

Reply Pages::index() const {
  std::vector<IndexRow> rows;
  for (const auto& job : schedule_.jobs()) {
    const auto view = schedule_.view(job.key());
    rows.push_back({job.set, job.module,
                    view.result ? std::optional(view.result->finished) : std::nullopt, view.running,
                    view.error});
  }
  return {200, exporter_index(places_.site, places_.place, rows), "text/html; charset=utf-8"};
}

}  // namespace callready::exporter
