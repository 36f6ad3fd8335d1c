#include "probe/cli/push.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <thread>

#include "probe/cli/say.hpp"
#include "probe/engine/session.hpp"
#include "probe/model/url.hpp"
#include "probe/net/http.hpp"
#include "probe/net/service_timeouts.hpp"
#include "probe/platform/input_file.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/path.hpp"
#include "reports/monitoring/otlp.hpp"

namespace callready {
namespace {

namespace fs = std::filesystem;

constexpr int attempts = 3;
constexpr std::size_t folder_digits = 16;

bool is_good(const Upload& done) { return done.status >= 200 && done.status < 300; }

// The server says that it is the request's fault (RFC 9110): the same again would fail again.
bool is_refused(const Upload& done) {
  constexpr long timeout = 408, too_many = 429;
  return done.status != 0 && !is_good(done) && done.status < 500 && done.status != timeout &&
         done.status != too_many;
}

std::string words_of(const Upload& done) {
  if (!done.problem.empty()) return done.problem;
  return fmt::format("HTTP {}{}{}", done.status, done.answer.empty() ? "" : ": ", done.answer);
}

Upload send_patiently(const PushDocument& document, const PushMeans& means) {
  auto wait = timeouts::upload_again;
  for (int attempt = 1;; ++attempt) {
    auto done = means.send(document);
    if (is_good(done) || is_refused(done) || attempt == attempts) return done;
    means.wait(std::min(done.retry_after.value_or(wait), timeouts::upload_again_most));
    wait *= 2;
  }
}

// What waits: "00000001795258190082-logs.json", in the order of its names: milliseconds since 1970,
// or one more than the last if it was kept in the same millisecond.
class Spool {
 public:
  explicit Spool(std::string folder) : folder_(std::move(folder)) {
    std::error_code error;
    for (fs::directory_iterator at(path_of(folder_), error), end; !error && at != end;
         at.increment(error)) {
      const auto name = utf8_of(at->path().filename());
      if (name.ends_with(".json")) names_.push_back(name);
    }
    std::sort(names_.begin(), names_.end());
  }

  const std::vector<std::string>& names() const { return names_; }
  std::optional<PushDocument> read(const std::string& name) const {
    auto input = platform::read_input(folder_ + '/' + name, largest_spool);
    if (!input.error.empty() || input.text.size() > largest_spool) return std::nullopt;
    const auto kind = name.substr(0, name.size() - std::string_view(".json").size());
    return PushDocument{"/v1/" + kind.substr(kind.rfind('-') + 1), std::move(input.text)};
  }
  void remove(const std::string& name) {
    std::error_code error;
    fs::remove(path_of(folder_ + '/' + name), error);
    std::erase(names_, name);
  }
  // False where there is no place for it.
  bool keep(const PushDocument& document) {
    if (folder_.empty() || document.body.size() > largest_spool) return false;
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    const auto kind = document.path.substr(document.path.rfind('/') + 1);
    const auto name =
        fmt::format("{:020}-{}.json", std::max(static_cast<std::uint64_t>(now), last() + 1), kind);
    if (platform::write_private_file(folder_ + '/' + name, document.body)) return false;
    names_.push_back(name);
    return true;
  }
  // Deletes the oldest until the rest is small enough; how many.
  std::size_t shrink() {
    std::uintmax_t total = 0;
    std::vector<std::string> gone;
    for (auto name = names_.rbegin(); name != names_.rend(); ++name) {
      std::error_code error;
      total += fs::file_size(path_of(folder_ + '/' + *name), error);
      if (error || total > largest_spool) gone.push_back(*name);
    }
    for (const auto& name : gone) remove(name);
    return gone.size();
  }

 private:
  std::uint64_t last() const {
    std::uint64_t number = 0;
    const auto name = names_.empty() ? std::string() : names_.back();
    std::from_chars(name.data(), name.data() + name.size(), number);
    return number;
  }

  std::string folder_;
  std::vector<std::string> names_;
};

}  // namespace

PushResult push(const std::vector<PushDocument>& documents, const std::string& folder,
                const PushMeans& means) {
  PushResult result;
  Spool spool(folder);
  // True where it need not be sent again.
  const auto is_done = [&](const PushDocument& document, std::string& refused) {
    if (!result.not_reached.empty()) return false;
    const auto done = send_patiently(document, means);
    if (is_good(done)) {
      ++result.sent;
    } else if (is_refused(done)) {
      if (refused.empty()) refused = words_of(done);
    } else {
      result.not_reached = words_of(done);
      return false;
    }
    return true;
  };
  const auto waiting = spool.names();
  for (const auto& name : waiting) {
    const auto document = spool.read(name);
    if (!document || is_done(*document, result.refused_earlier)) spool.remove(name);
    if (!result.not_reached.empty()) break;
  }
  for (const auto& document : documents) {
    if (!is_done(document, result.refused) && !spool.keep(document)) ++result.dropped;
  }
  result.dropped += spool.shrink();
  result.waiting = spool.names().size();
  return result;
}

bool names_a_server(std::string_view url) {
  return parse_proxy_url(url.substr(0, url.find_first_of("/?#", url.find("://") + 3))).has_value();
}

std::optional<std::string> push_problem(const std::string& url) {
  if (!is_web_url(url)) {
    return "--push-to: expected an http(s) URL such as https://collector.example.com:4318";
  }
  if (has_login(url) || url.find('?') != url.npos) {
    return "--push-to: a user, password or token does not belong in an argument, where other users "
           "can see it; use CALLREADY_PUSH_TOKEN";
  }
  if (!names_a_server(url)) {
    return "--push-to: expected a host and a port from 1 to 65535, such as "
           "https://collector.example.com:4318";
  }
  return std::nullopt;
}

bool push_report(const Report& report, const std::string& url, const std::string& token) {
  const auto base = url.substr(0, url.find_last_not_of('/') + 1);
  PushMeans means;
  means.send = [&](const PushDocument& document) {
    return upload({base + document.path, document.body, "application/json", token, user_agent(),
                   timeouts::upload});
  };
  means.wait = [](milliseconds time) { std::this_thread::sleep_for(time); };
  auto folder = platform::state_folder();
  // What is for one server goes to no other.
  if (!folder.empty()) folder += "/push/" + sha256_hex(base).substr(0, folder_digits);
  const auto result =
      push({{"/v1/logs", otlp_logs(report)}, {"/v1/metrics", otlp_metrics(report)}}, folder, means);
  if (!result.not_reached.empty()) {
    complain(fmt::format(
        "--push-to: {}; {} waiting for the next run", result.not_reached,
        result.waiting == 1 ? "1 document is" : fmt::format("{} documents are", result.waiting)));
  }
  if (result.dropped > 0) {
    complain(fmt::format(
        "--push-to: the spool is full or cannot be written: {} lost",
        result.dropped == 1 ? "1 document is" : fmt::format("{} documents are", result.dropped)));
  }
  if (!result.refused_earlier.empty()) {
    complain(fmt::format(
        "--push-to: the server refused a report of an earlier run, and it will not be sent again: "
        "{}",
        result.refused_earlier));
  }
  if (result.refused.empty()) return true;
  complain(
      fmt::format("--push-to: the server refused the report, and it will not be sent again: {}",
                  result.refused));
  return false;
}

}  // namespace callready
