// import: a set from, or refreshed by, the vendor's own list. No network unless --url says so.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>

#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/engine/session.hpp"
#include "probe/engine/watchdog.hpp"
#include "probe/model/day.hpp"
#include "probe/net/download.hpp"
#include "probe/net/service_timeouts.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/platform/system.hpp"
#include "targets/json_file.hpp"
#include "targets/loader.hpp"
#include "targets/refresh.hpp"
#include "targets/yaml_document.hpp"

namespace callready {
namespace {

// Not for printing: a pager may hold that up.
template <typename Work>
auto in_time(Work work) {
  const TimeLimit limit("reading the list", timeouts::reading);
  return work();
}

// The list's bytes, or nothing after the error has been printed.
std::optional<std::string> read_list(const Arguments& arguments) {
  if (!arguments.url.empty()) {
    DownloadRequest request;
    request.url = arguments.url;
    request.most = largest_feed;
    request.limit = timeouts::feed;
    request.user_agent = user_agent();
    auto reply = download(request);
    if (!reply.problem.empty()) {
      complain(fmt::format("{}: {}", arguments.url, reply.problem));
    } else if (reply.status != 200) {
      complain(fmt::format("{}: the server answered {}", arguments.url, reply.status));
    } else {
      return std::move(reply.body);
    }
    return std::nullopt;
  }
  std::vector<Problem> problems;
  auto text = read_list_file(arguments.names[1], largest_feed, "a vendor's list", problems);
  for (const auto& problem : problems) complain(problem.to_string());
  return text;
}

int print_problems(const std::vector<Problem>& problems) {
  say_problems(problems);
  return usage_error;
}

int refresh(const Feed& feed, const std::string& path) {
  std::vector<Problem> problems;
  const auto text = read_list_file(path, YamlLimits{}.bytes, "a target set", problems);
  if (!text) return print_problems(problems);
  const auto result = in_time([&] { return refresh_set(*text, path, feed, load_rules()); });
  for (const auto& warning : result.warnings) complain(warning);
  if (!result.problems.empty()) return print_problems(result.problems);
  if (result.changes.empty()) return printed(path + ": nothing is different\n");
  if (const auto problem = platform::write_whole_file(path, result.text)) {
    return fail(fmt::format("{}: {}", path, *problem));
  }
  std::string lines;
  for (const auto& change : result.changes) lines += change + '\n';
  return printed(lines);
}

}  // namespace

int run_import(const Arguments& arguments) {
  const auto kind = parse_feed_kind(arguments.names.front());
  if (!kind) {
    return fail(fmt::format("unknown feed '{}'; known are: m365, zoom, aws, google, azure",
                            arguments.names.front()));
  }
  if ((arguments.names.size() == 2) == !arguments.url.empty()) {
    return fail("expected either a file or --url URL to fetch the list from");
  }
  if (*kind == FeedKind::azure && arguments.into_file.empty()) {
    return fail(
        "azure: the list is of all of Azure; refresh a set whose rows have service_tags, with "
        "--into SET.yaml");
  }
  const auto text = read_list(arguments);
  if (!text) return usage_error;
  const auto& source = arguments.url.empty() ? arguments.names[1] : arguments.url;
  const auto read = in_time([&] { return read_feed(*kind, *text, source); });
  if (!read.feed) return print_problems(read.problems);
  if (!arguments.into_file.empty()) return refresh(*read.feed, arguments.into_file);
  const auto today = day_of(std::chrono::system_clock::now());
  const auto set = set_from_feed(*read.feed, today);
  const auto loaded = in_time([&] { return load_text(set, source, load_rules()); });
  if (loaded.set) return printed(set);
  return fail(fmt::format("{}: does not make a valid set: {}", source,
                          loaded.problems.empty() ? "it holds nothing that a set is made of"
                                                  : loaded.problems.front().message));
}

}  // namespace callready
