// list, show and validate: no network.
#include <fmt/format.h>

#include <algorithm>

#include "checks/check.hpp"
#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/cli/saved_report.hpp"
#include "probe/platform/system.hpp"
#include "reports/show.hpp"

namespace callready {
namespace {

void print_problems(const std::vector<Problem>& problems) {
  for (const auto& problem : problems) fmt::print(stderr, "{}\n", problem.to_string());
}

int printed(const std::string& text) {
  const auto reason = print_reason(text);
  if (!reason) return 0;
  complain("standard output: " + *reason);
  return usage_error;
}

std::string& complaint() {
  static std::string last;
  return last;
}

}  // namespace

void complain(const std::string& message) {
  fmt::print(stderr, "callready: {}\n", message);
  complaint() = message;
}

const std::string& last_complaint() { return complaint(); }

LoadRules load_rules() {
  LoadRules rules;
  for (const auto& check : checks::registry()) {
    CheckRule rule;
    rule.kind = check.kind;
    rule.transports = check.transports;
    for (const auto& parameter : check.parameters) {
      rule.parameters.push_back(
          {std::string(parameter.name), std::string(parameter.meaning), parameter.required});
    }
    rule.needs_ports = check.needs_target;
    rule.needs_target = check.needs_target;
    rules.checks.push_back(std::move(rule));
  }
  return rules;
}

Catalog make_catalog(const Arguments& arguments, std::span<const BuiltinSet> builtin) {
  const auto folder = platform::configuration_folder();
  return Catalog(arguments.set_files, folder.empty() ? folder : folder + "/targets", load_rules(),
                 builtin);
}

Catalog catalog_for(const Arguments& arguments) {
  const auto& names = arguments.names;
  std::vector<BuiltinSet> named;
  for (const auto& set : builtin_sets()) {
    if (std::find(names.begin(), names.end(), set.id) != names.end()) named.push_back(set);
  }
  auto catalog = make_catalog(arguments, named);
  const auto known = catalog.ids();
  const bool found = !names.empty() && std::all_of(names.begin(), names.end(), [&](const auto& id) {
    return std::find(known.begin(), known.end(), id) != known.end();
  });
  return found ? std::move(catalog) : make_catalog(arguments);
}

int run_list(const Arguments& arguments) {
  const auto catalog = make_catalog(arguments);
  print_problems(catalog.problems());
  if (!catalog.problems().empty()) return usage_error;
  print_problems(catalog.warnings());
  std::vector<TargetSet> sets;
  for (const auto& entry : catalog.entries()) {
    if (entry.result.set && !entry.shadowed && !entry.result.set->control) {
      sets.push_back(*entry.result.set);
    }
  }
  return printed(arguments.json ? list_json(sets) : list_text(sets, render_options(arguments)));
}

int run_show(const Arguments& arguments) {
  const auto catalog = make_catalog(arguments);
  print_problems(catalog.problems());
  if (!catalog.problems().empty()) return usage_error;
  const auto found = catalog.find(arguments.names.front());
  if (!found.set) {
    print_problems(found.problems);
    return usage_error;
  }
  return printed(arguments.json ? show_json(*found.set)
                                : show_text(*found.set, render_options(arguments)));
}

int run_validate(const Arguments& arguments) {
  const auto rules = load_rules();
  bool good = true;
  for (const auto& file : arguments.names) {
    const auto result = load_file(file, rules);
    print_problems(result.problems);
    const bool said =
        result.set && print(fmt::format("{}: valid: {} ({} requirements)\n", file, result.set->id,
                                        result.set->requirements.size()));
    good = good && said;
  }
  return good ? 0 : usage_error;
}

std::optional<Report> read_saved_report(const std::string& file) {
  auto read = read_report_file(file);
  if (!read.report) complain(read.error);
  return std::move(read.report);
}

}  // namespace callready
