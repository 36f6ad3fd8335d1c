// exporter: runs sets in the background, and tells Prometheus what was found.
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <random>

#include "probe/cli/commands.hpp"
#include "probe/cli/place.hpp"
#include "probe/exporter/child_runs.hpp"
#include "probe/exporter/pages.hpp"
#include "probe/exporter/server.hpp"
#include "probe/platform/child.hpp"
#include "probe/platform/input_file.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

using namespace exporter;

constexpr std::size_t largest_metrics = 1 << 20;

// "127.0.0.1:9977", "[::1]:9977", ":9977" for all addresses.
std::optional<SocketAddress> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto port = whole_number<std::uint16_t>(text.substr(colon + 1));
  if (!port) return std::nullopt;
  if (host.empty()) host = "::";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(std::string(host));
  if (!address) return std::nullopt;
  return SocketAddress{*address, *port};
}

// When the run ended whose series these are.
std::optional<WallTime> time_of(std::string_view metrics) {
  constexpr std::string_view name = "\ncallready_run_timestamp_seconds";
  const auto at = metrics.find(name);
  if (at == metrics.npos) return std::nullopt;
  const auto line = metrics.substr(at + 1, metrics.find('\n', at + 1) - at - 1);
  const auto seconds = whole_number<double>(line.substr(line.rfind(' ') + 1));
  constexpr double latest = 1e10;
  if (!seconds || !(*seconds >= 0) || *seconds > latest) return std::nullopt;
  return WallTime(
      std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(*seconds)));
}

// The folder for reports and results, made if there is none; or why not.
std::optional<std::string> prepare_state(const Config& config, std::string& folder) {
  folder = config.state;
  // systemd's StateDirectory= (systemd.exec(5)).
  if (folder.empty()) folder = platform::environment("STATE_DIRECTORY");
  if (folder.empty()) folder = platform::state_folder();
  if (folder.empty())
    return "there is no folder for reports: expected 'state' in the configuration";
  if (config.state.empty()) folder += "/exporter";
  std::error_code error;
  const bool made = std::filesystem::create_directories(folder, error);
  if (made) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error) return folder + ": " + error.message();
  if (const auto reason = platform::why_not_writable(folder + "/probe"))
    return folder + ": " + *reason;
  return std::nullopt;
}

class Exporter {
 public:
  explicit Exporter(const Arguments& arguments) : arguments_(arguments) {}

  int run() {
    auto config = read_config_file();
    auto web = read_web_file();
    if (!config || !web) return usage_error;
    const auto listen = parse_listen(arguments_.listen);
    if (!listen) return fail("--listen: expected an address and a port such as 127.0.0.1:9977");
    if (arguments_.check_config) return 0;
    Places places;
    places.program = platform::own_program();
    if (const auto why = prepare_state(*config, places.state)) return fail(*why);
    runs_.emplace(loop_.get_executor(), clock_, places);
    schedule_.emplace(clock_, *runs_, [this] { return random_(engine_); });
    pages_.emplace(clock_, *schedule_);
    take(*config);
    auto server =
        Server::start(loop_.get_executor(), Scope{clock_, stop_}, *listen, std::move(*web),
                      [this](const Request& request, Pages::Answer answer) {
                        pages_->handle(request, std::move(answer));
                      });
    if (server.has_error()) {
      return fail(fmt::format("{}: {}", arguments_.listen, server.error().text));
    }
    server_ = std::move(*server);
    say(fmt::format("callready: listening on {}", server_->local().to_string()));
    wait_for_signal();
    loop_.run();
    return 0;
  }

 private:
  std::optional<Config> read_config_file() const {
    const auto catalog = [this](const std::vector<std::string>& files) {
      Arguments with_files = arguments_;
      with_files.set_files = files;
      return make_catalog(with_files);
    };
    auto loaded = load_config(arguments_.config_file, catalog);
    say_problems(loaded.problems);
    for (const auto& warning : loaded.warnings) say(warning.to_string());
    return std::move(loaded.config);
  }

  std::optional<WebConfig> read_web_file() const {
    if (arguments_.web_config_file.empty()) return WebConfig{};
    auto loaded = load_web_config(arguments_.web_config_file);
    say_problems(loaded.problems);
    return std::move(loaded.config);
  }

  void take(const Config& config) {
    auto places = runs_->places();
    places.site = config.site;
    places.place = config.place.empty() ? place_of_this_computer() : config.place;
    runs_->move_to(places);
    auto shown = config;
    shown.place = places.place;
    schedule_->configure(config.jobs, config.budget);
    pages_->configured(shown, places);
    for (const auto& job : config.jobs) {
      if (schedule_->view(job.key()).result) continue;
      auto input = platform::read_input(places.metrics(job), largest_metrics);
      if (!input.error.empty() || input.text.size() > largest_metrics) continue;
      if (const auto when = time_of(input.text)) {
        schedule_->restore(job.key(), {std::move(input.text), *when});
      }
    }
  }

  void reload() {
    const auto config = read_config_file();
    auto web = read_web_file();
    if (!config || !web) {
      say("callready: the new configuration cannot be used; the old one stays in effect");
      return pages_->not_configured();
    }
    server_->use(std::move(*web));
    take(*config);
    say("callready: the configuration was reloaded");
  }

  void wait_for_signal() {
    signals_.async_wait([this](error_code error, int signal) {
      if (error) return;
      if (signal != SIGHUP) return end();
      reload();
      wait_for_signal();
    });
  }

  // Closes all connections, also of those who wait, and ends what runs.
  void end() {
    server_->stop([this] { loop_.stop(); });
    schedule_->stop();
    stop_.stop();
    runs_.reset();
    signals_.cancel();
    clock_.end_watch();
  }

  const Arguments& arguments_;
  StopSignal stop_;
  asio::io_context loop_{1};
  SystemClock clock_{loop_.get_executor()};
  asio::signal_set signals_{loop_, SIGINT, SIGTERM, SIGHUP};
  std::mt19937_64 engine_{std::random_device{}()};
  std::uniform_real_distribution<double> random_{0, 1};
  std::optional<ChildRuns> runs_;
  std::optional<Schedule> schedule_;
  std::optional<Pages> pages_;
  std::unique_ptr<Server> server_;
};

}  // namespace

int run_exporter(const Arguments& arguments) { return Exporter(arguments).run(); }

}  // namespace callready
