// list, show and validate: no network.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <chrono>

#include "checks/check.hpp"
#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/cli/saved_report.hpp"
#include "probe/engine/watchdog.hpp"
#include "probe/model/day.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/plan/set_warnings.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/text.hpp"
#include "reports/text/show.hpp"

namespace callready {
namespace {

bool holds(std::string_view text, std::string_view word) {
  const auto same = [](unsigned char left, unsigned char right) {
    return std::tolower(left) == std::tolower(right);
  };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

// As a word of a command.
std::string in_shell(const std::string& path) {
  return path.find_first_of(" '&;()<>|*?$`") == path.npos ? path : '"' + path + '"';
}

bool is_listed(const SetHead& set, const Arguments& arguments) {
  if (arguments.kind && set.kind != arguments.kind) return false;
  auto names = names_of(set);
  names.push_back(set.vendor);
  const auto wanted = fmt::format("{}", fmt::join(arguments.names, " "));
  return std::ranges::all_of(split(wanted, " "), [&](std::string_view word) {
    return std::ranges::any_of(names, [&](const auto& name) { return holds(name, word); });
  });
}

}  // namespace

void say_problems(const std::vector<Problem>& problems) {
  for (const auto& problem : problems) {
    say(problem.file.empty() ? "callready: " + problem.message : problem.to_string());
  }
  if (!problems.empty()) keep_complaint(problems.front().to_string());
}

LoadRules load_rules() {
  LoadRules rules;
  for (const auto& check : checks::registry()) {
    CheckRule rule;
    rule.kind = check.kind;
    rule.transports = check.transports;
    for (const auto& parameter : check.parameters) rule.parameters.emplace_back(parameter.name);
    rules.checks.push_back(std::move(rule));
  }
  return rules;
}

SetStore set_store() {
  const auto folder = platform::data_folder();
  return SetStore(folder.empty() ? folder : folder + "/sets", builtin_keys(),
                  platform::write_whole_file);
}

Catalog make_catalog(const Arguments& arguments) {
  const auto folder = platform::configuration_folder();
  std::vector<SetCollection> collections;
  std::string problem;
  if (auto downloaded = set_store().collection(problem)) {
    collections.push_back(std::move(*downloaded));
  }
  if (!problem.empty()) {
    complain("the downloaded sets are not used, " + problem + "; callready update fetches them");
  }
  collections.push_back(builtin_collection());
  return Catalog(arguments.set_files, folder.empty() ? folder : folder + "/targets", load_rules(),
                 std::move(collections));
}

int run_list(const Arguments& arguments) {
  const auto catalog = make_catalog(arguments);
  say_problems(catalog.problems());
  if (!catalog.problems().empty()) return usage_error;
  say_problems(catalog.warnings());
  std::vector<ListedSet> sets;
  for (const auto* entry : catalog.usable()) {
    if (is_listed(entry->head, arguments)) sets.push_back({entry->head, entry->requirements});
  }
  if (arguments.json) return printed(list_json(sets));
  if (arguments.bare_names) return printed(list_names(sets));
  if (sets.empty()) {
    std::string problem = "no service matches; `callready list` shows them all";
    if (!arguments.kind && !arguments.names.empty()) {
      const auto meant = catalog.find(fmt::format("{}", fmt::join(arguments.names, " ")));
      if (!meant.set && !meant.problems.empty()) problem = meant.problems.front().to_string();
    }
    return fail(problem);
  }
  const auto today = day_of(std::chrono::system_clock::now());
  return printed(list_text(sets, today, render_options(arguments)));
}

int run_show(const Arguments& arguments) {
  const auto sets = find_sets(arguments);
  if (!sets) return usage_error;
  if (sets->size() > 1) return fail("show takes one set at a time: name just one");
  const auto& set = sets->front();
  if (arguments.json) return printed(show_json(set));
  const auto own = contains(arguments.set_files, set.origin) ? "--set " + in_shell(set.origin) : "";
  return printed(show_text(set, render_options(arguments), own));
}

int run_validate(const Arguments& arguments) {
  const auto rules = load_rules();
  bool good = true;
  for (const auto& file : arguments.names) {
    const TimeLimit in_time("reading the set", timeouts::reading);
    auto result = load_file(file, rules);
    const auto own_rows = result.set ? result.set->requirements.size() : 0;
    if (result.set) say_problems(warnings_of(*result.set));
    if (result.set && !result.set->needs_sets.empty()) {
      // What it leans on may be in another of these files.
      auto with_these = arguments;
      with_these.set_files = arguments.names;
      result = make_catalog(with_these).complete(std::move(result));
    }
    say_problems(result.problems);
    good &= result.set && printed(fmt::format("{}: valid: {} ({} requirements)\n", file,
                                              result.set->id, own_rows)) == 0;
  }
  return good ? 0 : usage_error;
}

std::optional<Report> read_saved_report(const std::string& file) {
  auto read = read_report_file(file);
  if (!read.report) complain(read.error);
  return std::move(read.report);
}

}  // namespace callready
