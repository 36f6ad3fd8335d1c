// ui: a page on this computer, for people who would rather not use a terminal.
#include <fmt/format.h>

#include <csignal>
#include <filesystem>

#include "probe/cli/commands.hpp"
#include "probe/plan/choices.hpp"
#include "probe/platform/browser.hpp"
#include "probe/platform/child.hpp"
#include "probe/platform/file_lock.hpp"
#include "probe/platform/system.hpp"
#include "probe/ui/pages.hpp"
#include "probe/util/path.hpp"
#include "probe/web/child_process.hpp"

namespace callready::ui {
namespace {

namespace files = std::filesystem;

constexpr std::size_t most_connections = 64, most_body = 65'536;
constexpr std::size_t name_digits = 16;  // of this program's folder

// The options whose values only some sets know.
struct Choosing {
  std::string_view option;
  Choice choice;
};
constexpr Choosing choosing[] = {
    {"--scenario", Choice::scenario}, {"--region", Choice::region}, {"--only", Choice::requirement},
    {"--skip", Choice::requirement},  {"--client", Choice::client}, {"--var", Choice::variable},
};

class OwnChildren final : public Children {
 public:
  OwnChildren(asio::any_io_executor executor, Clock& clock)
      : executor_(std::move(executor)), clock_(clock) {}

  std::unique_ptr<Child> start(std::vector<std::string> arguments, std::string input,
                               std::function<void(std::string_view)> on_output,
                               std::function<void(int, const std::string&)> on_end) override {
    struct Own final : Child {
      void interrupt() override { process->interrupt(); }
      void end() override { process->end(); }
      std::unique_ptr<ChildProcess> process;
    };
    auto own = std::make_unique<Own>();
    ChildProcess::Options options{program_, std::move(arguments), std::move(input),
                                  std::move(on_output), std::move(on_end)};
    own->process = ChildProcess::start(executor_, clock_, std::move(options));
    if (!own->process) return nullptr;
    return own;
  }

 private:
  asio::any_io_executor executor_;
  Clock& clock_;
  std::string program_ = platform::own_program();
};

// A folder that only this user can look into, and that is removed when the program ends, or by its
// next start if it was killed, which a lock beside it shows. (On Windows it is in the user's
// profile, which others cannot read.)
class OwnFolder {
 public:
  // Why not, or nothing.
  std::optional<std::string> make(const std::string& path) {
    const auto place = path_of(path);
    std::error_code error;
    files::create_directories(place.parent_path(), error);
    if (!error) remove_orphans(place.parent_path());
    if (!error) lock_ = std::make_unique<platform::FileLock>(path + lock_ending);
    if (!error && !files::create_directory(place, error) && !error)
      return path + ": already exists";
    if (!error) files::permissions(place, files::perms::owner_all, error);
    if (error) return path + ": " + error.message();
    path_ = path;
    return std::nullopt;
  }
  ~OwnFolder() {
    std::error_code ignored;
    if (!path_.empty()) files::remove_all(path_of(path_), ignored);
  }
  const std::string& path() const { return path_; }

 private:
  static constexpr std::string_view digits = "0123456789abcdef";

  static void remove_orphans(const files::path& folder) {
    std::error_code ignored;
    for (const auto& entry : files::directory_iterator(folder, ignored)) {
      const auto name = utf8_of(entry.path().filename());
      const bool own = name.size() == name_digits && name.find_first_not_of(digits) == name.npos;
      if (!own || !entry.is_directory(ignored)) continue;
      const platform::FileLock lock(utf8_of(entry.path()) + lock_ending);
      if (lock.held()) files::remove_all(entry.path(), ignored);
    }
  }

  static constexpr auto lock_ending = ".lock";
  std::string path_;
  std::unique_ptr<platform::FileLock> lock_;  // ends after the folder
};

class Ui {
 public:
  explicit Ui(const Arguments& arguments) : arguments_(arguments) {}

  int run() {
    WebServer::Options wanted;
    wanted.most_connections = most_connections;
    wanted.most_of_address = most_connections / 2 - 1;
    wanted.most_body = most_body;
    wanted.by_user = true;
    auto server =
        WebServer::start(loop_.get_executor(), {IpAddress::v4({127, 0, 0, 1}), 0},
                         std::move(wanted), [this](WebRequest request, WebServer::Answer answer) {
                           pages_->handle(std::move(request), std::move(answer));
                         });
    if (server.has_error()) return fail("127.0.0.1: " + server.error().text);
    server_ = std::move(*server);
    if (const auto problem = prepare()) return fail(*problem);
    open();
    signals_.async_wait([this](error_code error, int) {
      if (!error) end();
    });
    loop_.run();
    return 0;
  }

 private:
  std::optional<std::string> prepare() {
    const auto state = platform::state_folder();
    if (state.empty())
      return "there is no folder for reports: expected XDG_STATE_HOME, HOME or LOCALAPPDATA";
    platform::forbid_inspection();  // from here on it holds secrets
    auto keys = make_keys();
    const auto name = keys.folder.substr(0, name_digits);
    Gate gate(server_->local().port, std::move(keys));
    if (auto problem = folder_.make(fmt::format("{}/ui/{}", state, name))) return problem;
    Runs::Places places{folder_.path(),
                        state + "/ui/history",
                        [this](const std::string& service) { return options_for(service); },
                        {}};
    for (const auto& file : arguments_.set_files) places.sets.push_back("--set=" + file);
    std::error_code error;
    files::create_directories(path_of(places.history), error);
    if (!error) files::permissions(path_of(places.history), files::perms::owner_all, error);
    if (error) return places.history + ": " + error.message();
    file_ = utf8_of(path_of(folder_.path() + "/open.html").make_preferred());
    const auto page = fmt::format(
        "<!doctype html><title>callready</title>"
        "<meta http-equiv=\"refresh\" content=\"0; url={}\">\n",
        gate.entry());
    if (const auto problem = platform::write_private_file(file_, page)) {
      return file_ + ": " + *problem;
    }
    pages_.emplace(loop_.get_executor(), clock_, children_, std::move(gate), std::move(places),
                   [this] { end(); });
    return std::nullopt;
  }

  // Without what only other services know: their sets, variables, rows.
  std::vector<std::string> options_for(const std::string& service) const {
    auto wanted = arguments_;
    wanted.names = {service};
    const auto sets = find_sets(wanted);
    if (!sets) return arguments_.names;  // the run says why not
    const Choices choices({sets->front()});
    std::vector<std::string> options;
    for (std::size_t i = 0; i < arguments_.names.size(); ++i) {
      const auto& option = arguments_.names[i];
      const auto equals = option.find('=');
      const auto name = option.substr(0, equals);
      const auto* kind = std::ranges::find(choosing, name, &Choosing::option);
      const bool chooses = kind != std::end(choosing);
      const bool apart =
          equals == option.npos && i + 1 < arguments_.names.size() && (chooses || name == "--set");
      const auto value = apart ? arguments_.names[i + 1] : option.substr(equals + 1);
      const bool kept = chooses ? !choices.problem(kind->choice, value.substr(0, value.find('=')))
                                : name != "--set" || std::none_of(sets->begin() + 1, sets->end(),
                                                                  [&](const auto& set) {
                                                                    return set.origin == value;
                                                                  });
      if (kept) options.push_back(option);
      if (kept && apart) options.push_back(value);
      if (apart) ++i;
    }
    return options;
  }

  void open() {
    const bool opened = arguments_.browser && platform::open_in_browser(file_);
    say(opened ? "callready: the page opens in your browser. If it does not, open this file there, "
                 "once:\n  " +
                     file_
               : "callready: open this file in your browser, once:\n  " + file_);
    // On a terminal it is this user's own; a log may be others' too.
    if (platform::standard_error().interactive) {
      say("  or this address, once:\n  " + pages_->gate().entry());
    }
    say("It stops by itself a minute after you close the page, or when you press Ctrl-C.");
  }

  // Ends whatever runs, and lets go of everybody who waits.
  void end() {
    pages_->stop();
    server_->stop([this] { loop_.stop(); });
    signals_.cancel();
  }

  const Arguments& arguments_;
  OwnFolder folder_;
  std::string file_;
  asio::io_context loop_{1};
  SystemClock clock_{loop_.get_executor()};
  asio::signal_set signals_{loop_, SIGINT, SIGTERM};
  OwnChildren children_{loop_.get_executor(), clock_};
  std::optional<Pages> pages_;
  std::unique_ptr<WebServer> server_;
};

}  // namespace
}  // namespace callready::ui

namespace callready {

int run_ui(const Arguments& arguments) {
  // What no set knows is a mistake; what only some know reaches these.
  const auto catalog = make_catalog(arguments);
  say_problems(catalog.problems());
  if (!catalog.problems().empty()) return usage_error;
  std::vector<TargetSet> sets;
  const bool names_any = !unknown_choices({}, arguments).empty();
  for (const auto& id : names_any ? catalog.ids() : std::vector<std::string>{}) {
    if (auto found = find_set(catalog, id, arguments); found.set) {
      sets.push_back(std::move(*found.set));
    }
  }
  const auto problems = unknown_choices(sets, arguments);
  for (const auto& problem : problems) complain(problem);
  if (!problems.empty()) return usage_error;
  return ui::Ui(arguments).run();
}

}  // namespace callready
