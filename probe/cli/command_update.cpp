// update: the one command besides `import --url` that asks a server other than those of a check.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/engine/session.hpp"
#include "probe/model/day.hpp"
#include "probe/model/url.hpp"
#include "probe/net/download.hpp"
#include "probe/net/service_timeouts.hpp"
#include "probe/platform/input_file.hpp"
#include "probe/util/path.hpp"
#include "targets/update.hpp"

namespace callready {
namespace {

namespace fs = std::filesystem;

Fetched fetch_file(const fs::path& folder, const std::string& name, std::size_t most) {
  using Kind = Fetched::Kind;
  const auto path = folder / path_of(name);
  std::error_code error;
  if (!fs::exists(path, error)) return {Kind::missing, {}, {}, {}};
  auto input = platform::read_input(utf8_of(path), most);
  if (!input.error.empty()) return {Kind::failed, {}, {}, "cannot be read: " + input.error};
  if (input.text.size() > most) {
    return {Kind::failed, {}, {}, fmt::format("exceeds the limit of {} bytes", most)};
  }
  return {Kind::got, std::move(input.text), {}, {}};
}

Fetched fetch_url(const std::string& base, const std::string& name, std::size_t most,
                  const std::string& etag) {
  using Kind = Fetched::Kind;
  DownloadRequest request;
  request.url = base + (base.ends_with('/') ? "" : "/") + name;
  request.most = most;
  request.limit = timeouts::update_file;
  request.user_agent = user_agent();
  request.etag = etag;
  auto reply = download(request);
  if (!reply.problem.empty()) return {Kind::failed, {}, {}, std::move(reply.problem)};
  if (reply.status == 200) {
    return {Kind::got, std::move(reply.body), std::move(reply.etag), {}};
  }
  if (reply.status == 304) return {Kind::unchanged, {}, {}, {}};
  if (reply.status == 404 || reply.status == 410) return {Kind::missing, {}, {}, {}};
  return {Kind::failed, {}, {}, fmt::format("the server answered {}", reply.status)};
}

Fetch fetch_from(const std::string& source) {
  if (is_web_url(source)) {
    return [source](const std::string& name, std::size_t most, const std::string& etag) {
      return fetch_url(source, name, most, etag);
    };
  }
  std::error_code error;
  const auto path = path_of(source);
  const auto folder = fs::is_directory(path, error) ? path : path.parent_path();
  return [folder](const std::string& name, std::size_t most, const std::string&) {
    return fetch_file(folder, name, most);
  };
}

}  // namespace

int run_update(const Arguments& arguments) {
  const auto source =
      arguments.from_source.empty() ? std::string(builtin_update_url()) : arguments.from_source;
  if (builtin_keys().keys.empty()) {
    return fail(
        "this build has no update key (CALLREADY_UPDATE_KEYS), so it cannot verify updates");
  }
  if (source.empty()) {
    return fail("this build has no address for updates: add --from FOLDER|FILE|URL");
  }
  UpdateOptions options;
  options.source = source;
  options.today = day_of(std::chrono::system_clock::now());
  options.version = CALLREADY_VERSION;
  options.known = builtin_collection();
  options.rules = load_rules();
  const auto result = update_sets(set_store(), fetch_from(source), options);
  for (const auto& warning : result.warnings) complain(warning);
  if (!result.refusal.empty()) {
    return fail(fmt::format("{}: {}; the sets stay as they were", source, result.refusal));
  }
  std::string text;
  for (const auto& change : result.changes) text += change + '\n';
  text += fmt::format("{}: {} sets, edition {} of {}\n",
                      result.changed ? "updated" : "already up to date", result.index.sets.size(),
                      result.index.version, result.index.issued);
  return printed(text);
}

}  // namespace callready
