#include "probe/ui/runs.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "probe/net/service_timeouts.hpp"
#include "probe/util/path.hpp"
#include "probe/util/text.hpp"
#include "probe/web/child_process.hpp"

namespace callready::ui {
namespace {

using Json = nlohmann::json;
namespace files = std::filesystem;

// For one event: a probe with all its evidence has some thousand bytes.
constexpr std::size_t longest_line = 8 << 20;

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::size_t count_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::size_t>() : 0;
}

void remove(const std::string& file) {
  std::error_code ignored;
  if (!file.empty()) files::remove(path_of(file), ignored);
}

// "": there is none.
std::string copy_of(const std::string& from, const std::string& to) {
  std::error_code error;
  return files::copy_file(path_of(from), path_of(to), error) ? to : std::string();
}

}  // namespace

Runs::Runs(Clock& clock, Children& children, Places places, std::function<void()> changed)
    : clock_(clock),
      children_(children),
      places_(std::move(places)),
      changed_(std::move(changed)) {}

std::vector<std::string> Runs::arguments(const Order& order) const {
  const bool demo = order.service == demo_service;
  std::vector<std::string> words{demo ? "demo" : "check", "--json", "--follow", "--quiet",
                                 "--report=json=" + file_};
  if (demo) return words;
  words.emplace_back("--no-keep");
  words.push_back(fmt::format("--history={}/{}.json", places_.history, order.service));
  if (places_.options) append(words, places_.options(order.service));
  words.insert(words.end(), order.arguments.begin(), order.arguments.end());
  if (!order.secrets.empty()) words.emplace_back("--credentials=-");
  words.push_back(order.service);
  return words;
}

std::string Runs::start(Order order) {
  if (state_ == State::running) return "A test is running already. Stop it first.";
  ++number_;
  file_ = fmt::format("{}/report-{}.json", places_.own, number_);
  service_ = order.service;
  // The run puts its own report in the place of the last one.
  earlier_ = reported_ == service_
                 ? report_
                 : copy_of(fmt::format("{}/{}.json", places_.history, service_),
                           fmt::format("{}/before-{}.json", places_.own, number_));
  now_.clear();
  problem_.clear();
  line_.clear();
  done_ = total_ = 0;
  stopping_ = false;
  auto words = arguments(order);
  child_ = children_.start(
      std::move(words), std::move(order.secrets), [this](std::string_view text) { take(text); },
      [this](int status, const std::string& said) { ended(status, said); });
  if (!child_) {
    state_ = State::ended;
    problem_ = "The test could not be started.";
    return problem_;
  }
  state_ = State::running;
  timer_ = clock_.call_at(clock_.now() + timeouts::child_run, [this] { stop(); });
  changed_();
  return {};
}

void Runs::stop() {
  if (state_ != State::running || stopping_) return;
  stopping_ = true;
  child_->interrupt();
  timer_ = clock_.call_at(clock_.now() + timeouts::child_stop, [this] { child_->end(); });
  changed_();
}

void Runs::take(std::string_view output) {
  for (;;) {
    const auto end = output.find('\n');
    if (line_.size() <= longest_line) line_ += output.substr(0, end);
    if (end == output.npos) return;
    take_line(line_);
    line_.clear();
    output.remove_prefix(end + 1);
  }
}

void Runs::take_line(std::string_view line) {
  const auto json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return;
  const auto event = text_of(json, "event");
  if (event == "started") {
    total_ = count_of(json, "probes");
  } else if (event == "probe") {
    done_ = count_of(json, "done");
    total_ = count_of(json, "total");
    const auto probe = json.value("probe", Json::object());
    now_ = text_of(probe.is_object() ? probe.value("target", Json::object()) : probe, "host");
  } else {
    return;
  }
  changed_();
}

void Runs::ended(int status, const std::string& said) {
  timer_.reset();
  state_ = State::ended;
  std::error_code ignored;
  if (files::file_size(path_of(file_), ignored) > 0 && !ignored) {
    // Two reports are kept: this, and the one before it of the same service.
    if (before_ != earlier_) remove(before_);
    if (report_ != earlier_) remove(report_);
    before_ = earlier_;
    report_ = file_;
    reported_ = service_;
  } else {
    if (earlier_ != report_) remove(earlier_);
    problem_ = last_complaint_in(said);
    if (stopping_) problem_ = "The test was stopped before there was anything to tell.";
    if (problem_.empty()) problem_ = fmt::format("The test ended with status {}.", status);
  }
  changed_();
}

std::string Runs::state() const {
  Json json = {{"run", number_}, {"service", service_}, {"done", done_}, {"total", total_}};
  json["state"] = state_ == State::idle ? "idle" : state_ == State::running ? "running" : "ended";
  json["now"] = now_;
  json["stopping"] = stopping_;
  json["problem"] = problem_;
  const bool whole = state_ == State::ended && problem_.empty();
  json["report"] = whole;
  json["before"] = whole && !before_.empty();
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace callready::ui
