// list, show, validate and render: no network.
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "checks/check.hpp"
#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/model/report.hpp"
#include "probe/platform/system.hpp"
#include "probe/verdict/findings.hpp"
#include "reports/json_reader.hpp"
#include "reports/show.hpp"

namespace callready {
namespace {

void print_problems(const std::vector<Problem>& problems) {
  for (const auto& problem : problems) fmt::print(stderr, "{}\n", problem.to_string());
}

int printed(const std::string& text) { return print(text) ? 0 : usage_error; }

}  // namespace

void complain(const std::string& message) { fmt::print(stderr, "callready: {}\n", message); }

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

Catalog make_catalog(const Arguments& arguments) {
  const auto folder = platform::configuration_folder();
  return Catalog(arguments.set_files, folder.empty() ? folder : folder + "/targets", load_rules());
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

std::optional<Report> read_saved_report(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  if (!file) {
    complain(name + ": cannot be read");
    return std::nullopt;
  }
  std::ostringstream text;
  text << file.rdbuf();
  auto read = read_report(text.str(), name);
  if (!read.report) fmt::print(stderr, "{}\n", read.error);
  return std::move(read.report);
}

int run_render(const Arguments& arguments) {
  const auto& name = arguments.names.front();
  if (const auto reason = why_not_deliverable(arguments)) {
    complain(*reason);
    return usage_error;
  }
  auto report = read_saved_report(name);
  if (!report) return usage_error;
  // By what this edition knows: an older report is diagnosed anew.
  report->findings = diagnose(*report);
  if (const auto failure = deliver(*report, arguments)) {
    complain(*failure);
    return usage_error;
  }
  return exit_status(*report);
}

}  // namespace callready
