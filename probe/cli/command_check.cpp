// check: the run itself.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "probe/cli/commands.hpp"
#include "probe/cli/follow.hpp"
#include "probe/cli/known_ways.hpp"
#include "probe/cli/output.hpp"
#include "probe/cli/place.hpp"
#include "probe/cli/push.hpp"
#include "probe/cli/secrets.hpp"
#include "probe/diagnosis/compare/merge.hpp"
#include "probe/engine/session.hpp"
#include "probe/engine/watchdog.hpp"
#include "probe/model/url.hpp"
#include "probe/net/http.hpp"
#include "probe/plan/choices.hpp"
#include "probe/platform/child.hpp"
#include "probe/platform/icmp.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/path.hpp"
#include "probe/util/text.hpp"
#include "reports/firewall/firewall.hpp"
#include "reports/words/waits.hpp"
#include "targets/builtin.hpp"
#include "targets/expand_variables.hpp"

namespace callready {
namespace {

// The controls, or nothing after the errors have been printed.
std::optional<TargetSet> find_anchors(const Arguments& arguments) {
  const auto& file = arguments.anchors_file;
  const auto rules = load_rules();
  LoadResult loaded;
  if (!file.empty()) {
    loaded = load_file(file, rules);
  } else {
    const auto folder = platform::configuration_folder();
    const auto own = folder + "/anchors.yaml";
    loaded = !folder.empty() && platform::is_file(own)
                 ? load_file(own, rules)
                 : load_text(builtin_anchors(), "anchors", rules);
  }
  say_problems(loaded.problems);
  if (loaded.set) loaded.set->control = true;
  return loaded.set;
}

std::optional<std::string> proxy_problem(const std::string& proxy) {
  if (proxy.empty() || proxy == "none" || proxy == "auto") return std::nullopt;
  if (proxy.find("://") == std::string::npos)
    return "--proxy: expected a URL such as http://proxy.example.com:3128";
  if (!is_web_url(proxy)) return "--proxy: only http:// and https:// proxies are known";
  if (proxy.find('@') != std::string::npos) {
    return "--proxy: a user and password do not belong in an argument, where other users can see "
           "them; use CALLREADY_PROXY_USER and CALLREADY_PROXY_PASSWORD";
  }
  if (!parse_proxy_url(proxy)) {
    return "--proxy: expected a host and a port from 1 to 65535, such as "
           "http://proxy.example.com:3128";
  }
  return std::nullopt;
}

std::optional<std::string> pac_problem(const std::string& pac) {
  if (pac.find("://") == pac.npos) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path_of(pac), ignored)) {
      return "--pac: " + pac + ": it is a folder";
    }
    if (pac.empty() || std::filesystem::exists(path_of(pac), ignored)) return std::nullopt;
    return "--pac: " + pac + ": there is no such file";
  }
  if (has_login(pac)) {
    return "--pac: a user and password do not belong in an argument, where other users can see "
           "them";
  }
  if (names_a_server(pac)) return std::nullopt;
  return "--pac: expected a file, or a URL such as http://proxy.example.com/proxy.pac";
}

ProxyWish proxy_wish(const Arguments& arguments) {
  using Kind = ProxyWish::Kind;
  if (!arguments.pac.empty()) return {Kind::pac, arguments.pac};
  if (arguments.proxy.empty()) return {Kind::environment, ""};
  if (arguments.proxy == "none") return {Kind::none, ""};
  if (arguments.proxy == "auto") return {Kind::automatic, ""};
  const auto mark = arguments.proxy.find("://");
  return {Kind::fixed, lower_case(arguments.proxy.substr(0, mark)) + arguments.proxy.substr(mark)};
}

// Linux before 5.7 lets only root do it. In a run, that would look like this computer's firewall.
bool may_choose_interface(const std::string& name) {
  asio::io_context context;
  error_code error;
  asio::ip::udp::socket socket(context);
  socket.open(asio::ip::udp::v4(), error);
  return error || platform::bind_to_interface(socket.native_handle(), name.c_str()) ||
         (errno != EPERM && errno != EACCES);
}

std::optional<std::string> interface_problem(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (platform::is_interface(name)) {
    if (may_choose_interface(name)) return std::nullopt;
    return "--interface: this system lets only an administrator choose an interface";
  }
  std::vector<std::string> names;
  for (const auto& interface : platform::interfaces()) names.push_back(interface.name);
  return fmt::format("--interface: there is no network interface '{}'; there are: {}", name,
                     fmt::join(names, ", "));
}

// Users of many services sign in at a page of their own, though the documents do not say so.
bool is_given_a_sign_in(const TargetSet& set, const VariableValues& given) {
  const std::string name(own_sign_in);
  return given.contains(set.id + '/' + name) || (is_signed_in_to(set) && given.contains(name));
}

const SetResult* result_called(const Report& report, const std::string& name) {
  for (const auto& set : report.sets) {
    if (is_same_name(set.id, name) || is_same_name(set.title, name)) return &set;
  }
  return nullptr;
}

}  // namespace

LoadResult find_set(const Catalog& catalog, const std::string& name, const Arguments& arguments) {
  auto found = catalog.find(name);
  return found.set && is_given_a_sign_in(*found.set, arguments.variables)
             ? catalog.with_own_sign_in(std::move(*found.set))
             : found;
}

std::optional<std::vector<TargetSet>> find_sets(const Arguments& arguments, const Report* report) {
  const TimeLimit in_time("reading the sets", timeouts::reading);
  const auto catalog = make_catalog(arguments);
  bool good = true;
  const auto problems_found = [&](const std::vector<Problem>& problems) {
    say_problems(problems);
    good = good && problems.empty();
  };
  problems_found(catalog.problems());
  if (!good) return std::nullopt;
  auto names = arguments.names;
  std::vector<std::string> in_files;
  for (const auto& entry : catalog.entries()) {
    if (entry.place == Catalog::Place::file) in_files.push_back(entry.head.id);
  }
  if (names.empty() && in_files.empty()) {
    auto question = std::string("which service? Name one or more of these:");
    for (const auto* entry : catalog.usable()) {
      question += fmt::format("\n  {:<28} {}", entry->head.id, entry->head.title);
    }
    complain(question);
    return std::nullopt;
  }
  // `check microsoft teams` is one name in two words, unless both are names.
  const auto whole = fmt::format("{}", fmt::join(names, " "));
  const auto is_unknown = [&](const std::string& name) { return !catalog.find(name).set; };
  if (names.size() > 1 && !is_unknown(whole) && std::ranges::any_of(names, is_unknown)) {
    names = {whole};
  }
  std::vector<TargetSet> sets;
  std::set<std::string> seen;
  const auto add = [&](const std::string& name) {
    auto found = find_set(catalog, name, arguments);
    if (!found.set && report != nullptr) {
      if (const auto* result = result_called(*report, name)) found.set = set_of_report(*result);
    }
    if (!found.set) {
      problems_found(found.problems);
    } else if (seen.insert(found.set->id).second) {
      sets.push_back(std::move(*found.set));
    }
  };
  for (const auto& name : names) add(name);
  // A file given with --set is meant to be checked, too; `show` takes it for the place of a name.
  const auto is_used = [&, named = sets.size()](const std::string& id) {
    return std::any_of(sets.begin(), sets.begin() + static_cast<std::ptrdiff_t>(named),
                       [&](const TargetSet& set) { return set.holds(id); });
  };
  if (arguments.command == Command::show && !names.empty()) in_files.clear();
  std::erase_if(in_files, is_used);
  for (const auto& id : in_files) add(id);
  if (!good) return std::nullopt;
  return sets;
}

std::optional<ServiceTags> read_tags(const Arguments& arguments) {
  if (arguments.service_tags_file.empty()) return ServiceTags{};
  auto loaded = load_service_tags(arguments.service_tags_file);
  say_problems(loaded.problems);
  return std::move(loaded.tags);
}

std::vector<std::string> unknown_choices(const std::vector<TargetSet>& sets,
                                         const Arguments& arguments) {
  const Choices choices(sets);
  std::vector<std::string> found;
  const auto require = [&](Choice choice, const std::string& name) {
    if (auto problem = choices.problem(choice, name)) found.push_back(std::move(*problem));
  };
  for (const auto& name : arguments.scenarios) require(Choice::scenario, name);
  for (const auto& name : arguments.regions) require(Choice::region, name);
  for (const auto& name : arguments.only) require(Choice::requirement, name);
  for (const auto& name : arguments.skip) require(Choice::requirement, name);
  if (!arguments.client.empty()) require(Choice::client, arguments.client);
  for (const auto& [name, value] : arguments.variables) require(Choice::variable, name);
  return found;
}

std::vector<std::string> wrong_choices(const std::vector<TargetSet>& sets,
                                       const Arguments& arguments) {
  auto found = unknown_choices(sets, arguments);
  for (const auto& set : sets) {
    const auto values = variable_values(set, arguments.variables);
    for (const auto& row : set.requirements) {
      for (const auto& problem : expand_variables(row, values).problems) add_once(found, problem);
    }
  }
  return found;
}

namespace {

// What the runs over several interfaces saw; of one, its own report. An error is said in words.
boost::system::result<Report, std::string> as_one(std::vector<MergeInput> runs,
                                                  const std::string& site) {
  if (runs.size() == 1 && runs.front().name.empty()) return std::move(runs.front().report);
  const TimeLimit in_time("merging the reports", timeouts::rendering);
  auto merged = merge(runs, site);
  if (!merged.errors.empty()) return merged.errors.front();
  return std::move(merged.report);
}

}  // namespace

int run_and_deliver(const Arguments& arguments, SessionOptions options,
                    const std::string& push_token) {
  const auto& logins = options.settings.credentials;
  auto privacy = privacy_of(arguments, {logins.turn_user, logins.proxy_user});
  if (!privacy.error.empty()) return fail(privacy.error);
  Follower follower(privacy);
  const auto terminal = platform::standard_error();
  options.show_progress = terminal.obeys && !arguments.quiet;
  options.terminal_width = terminal.width;
  options.waited_for = waited_for;
  const auto finish = [&](Report report) {
    add_place(arguments, report);
    if (!arguments.follow) return conclude(std::move(report), arguments, privacy, push_token);
    follower.finish(report);
    const int status = conclude(std::move(report), arguments, privacy, push_token);
    return follower.failure().empty() ? status : fail(follower.failure());
  };
  // Over several interfaces, one run after the other: none disturbs another, and each has its own
  // causes.
  std::vector<std::string> interfaces;
  add_new(interfaces, arguments.interfaces);
  if (interfaces.empty()) interfaces = {""};  // the system's choice
  const auto vantage = [&](const std::string& interface) {
    return interfaces.size() > 1 ? interface : std::string();
  };
  std::vector<MergeInput> runs;
  options.on_stuck = [&](Report report) {
    runs.push_back({vantage(options.settings.interface), std::move(report)});
    auto seen = as_one(std::move(runs), arguments.site);
    std::_Exit(seen.has_error() ? fail(seen.error()) : finish(std::move(*seen)));
  };
  const bool keeps = keeps_run(arguments) && !arguments.redact;
  std::vector<KnownWay> known_ways;
  if (keeps) {
    known_ways = load_known_ways();
    options.known_ways = &known_ways;
  }
  for (const auto& interface : interfaces) {
    options.settings.interface = interface;
    if (arguments.follow) follower.listen_to(options, vantage(interface));
    auto report = run_session(options);
    if (report.has_error()) return fail(report.error());
    runs.push_back({vantage(interface), std::move(*report)});
    options.announce = false;  // said once
    if (platform::interrupted()) break;
  }
  if (keeps) keep_known_ways(known_ways);
  auto seen = as_one(std::move(runs), arguments.site);
  return seen.has_error() ? fail(seen.error()) : finish(std::move(*seen));
}

int run_check(const Arguments& arguments) {
  auto sets = find_sets(arguments);
  if (!sets) return usage_error;
  auto problems = wrong_choices(*sets, arguments);
  if (const auto problem = proxy_problem(arguments.proxy)) problems.push_back(*problem);
  if (const auto problem = pac_problem(arguments.pac)) problems.push_back(*problem);
  for (const auto& name : arguments.interfaces) {
    if (const auto problem = interface_problem(name)) problems.push_back(*problem);
  }
  if (!arguments.push_url.empty()) {
    if (const auto problem = push_problem(arguments.push_url)) problems.push_back(*problem);
  }
  if (const auto problem = why_not_deliverable(arguments)) problems.push_back(*problem);
  for (const auto& problem : problems) complain(problem);
  if (!problems.empty()) return usage_error;
  platform::forbid_inspection();  // from here on it holds secrets
  const auto secrets = read_credentials(arguments.credentials_file);
  if (!secrets.error.empty()) return fail(secrets.error);
  if (!secrets.warning.empty()) complain(secrets.warning);

  auto tags = read_tags(arguments);
  if (!tags) return usage_error;

  SessionOptions options;
  options.sets = std::move(*sets);
  if (!arguments.service_tags_file.empty()) options.service_tags = std::move(*tags);
  if (arguments.anchors) {
    auto anchors = find_anchors(arguments);
    if (!anchors) return usage_error;
    options.sets.push_back(std::move(*anchors));
  }
  options.plan.scenarios = arguments.scenarios;
  options.plan.from = arguments.from;
  options.plan.client = arguments.client;
  options.plan.regions = arguments.regions;
  options.plan.variables = arguments.variables;
  options.plan.only = arguments.only;
  options.plan.skip = arguments.skip;
  options.plan.all = arguments.all;
  options.plan.quality = arguments.quality || arguments.thorough || arguments.calls > 0;
  options.settings.quality = options.plan.quality;
  options.settings.calls = arguments.calls;
  options.plan.v4 = arguments.v4;
  options.plan.sip_sdp = arguments.sip_sdp;
  options.proxy = proxy_wish(arguments);
  options.runner.pace.unlimited = arguments.fast;
  options.runner.stand_ins_wait = arguments.all || arguments.thorough;
  options.runner.v4 = arguments.v4;
  options.runner.v6 = arguments.v6;
  options.settings.user_agent = user_agent();
  options.settings.thorough = arguments.thorough;
  options.settings.every_port = arguments.all || arguments.thorough;
  options.settings.hurried = arguments.fast && !arguments.thorough;
  options.settings.credentials = secrets.credentials;
  options.plan.turn_login = secrets.credentials.has_turn();
  options.ca_files = arguments.ca_files;
  options.dns_servers = arguments.dns_servers;
  if (arguments.timeout_s) {
    options.timeout = milliseconds(static_cast<long>(*arguments.timeout_s * 1000));
    options.timeout_given = true;
  }
  options.site = arguments.site;
  options.announce = !arguments.quiet;
  return run_and_deliver(arguments, std::move(options), secrets.push_token);
}

}  // namespace callready
