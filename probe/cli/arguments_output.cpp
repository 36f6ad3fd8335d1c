// The options that say where a report goes and in which form; shared by check, render, merge, demo.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "probe/cli/arguments_output.hpp"
#include "reports/format.hpp"

namespace callready {
namespace {

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const auto& format : formats()) names.emplace_back(format.name);
  return names;
}

std::string parse_report(const std::string& text, std::vector<ReportRequest>& reports) {
  const auto equals = text.find('=');
  ReportRequest request{text.substr(0, equals), {}};
  if (equals != std::string::npos) request.file = text.substr(equals + 1);
  if (find_format(request.format) == nullptr) {
    return fmt::format("unknown report format '{}'; known are: {}", request.format,
                       fmt::join(format_names(), ", "));
  }
  if (equals != std::string::npos && request.file.empty()) return "no file after '" + text + "'";
  if (request.file == "-") request.file.clear();
  reports.push_back(std::move(request));
  return {};
}

}  // namespace

void add_terminal_options(CLI::App& app, Arguments& arguments) {
  app.add_flag("-q,--quiet", arguments.quiet, "One line per target set");
  app.add_option_function<std::string>(
         "--color",
         [&arguments](const std::string& text) {
           arguments.colour = text == "always"  ? ColourChoice::always
                              : text == "never" ? ColourChoice::never
                                                : ColourChoice::automatic;
         },
         "auto, always or never (NO_COLOR is honoured)")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"auto", "always", "never"}));
}

void add_redact_options(CLI::App& app, Arguments& arguments) {
  auto* redact = app.add_flag("--redact", arguments.redact,
                              "Pseudonyms in place of the site's addresses, hosts, networks and "
                              "users; the vendor's names stay");
  app.add_option("--redact-key", arguments.redact_key_file,
                 "The key of the pseudonyms: the same key gives the same pseudonyms in every "
                 "report. Without it CALLREADY_REDACT_KEY counts, then redact.key in the "
                 "configuration folder, which is made if there is none")
      ->type_name("FILE")
      ->needs(redact);
}

void add_output_options(CLI::App& app, Arguments& arguments) {
  auto* json =
      app.add_flag("--json", arguments.json, "The whole report as JSON on standard output");
  auto* nagios =
      app.add_flag("--nagios", arguments.nagios,
                   "One line on standard output and the exit status, as Nagios wants them");
  nagios->excludes(json);
  app.add_flag("--ticket", arguments.ticket,
               "Only what goes into a ticket: cause, who, what exactly, evidence")
      ->excludes(json)
      ->excludes(nagios);
  app.add_option_function<std::vector<std::string>>(
         "--report",
         [&arguments](const std::vector<std::string>& values) {
           for (const auto& value : values) {
             const auto problem = parse_report(value, arguments.reports);
             if (!problem.empty()) throw CLI::ValidationError("--report", problem);
           }
         },
         fmt::format("FORMAT=FILE, repeatable; FORMAT alone or FILE - is standard output; formats: "
                     "{}",
                     fmt::join(format_names(), ", ")))
      ->type_name("FORMAT[=FILE]")
      ->allow_extra_args(false)
      ->trigger_on_parse();
  app.add_flag("-v,--verbose", arguments.verbose, "Every endpoint on its own line");
  add_redact_options(app, arguments);
  add_terminal_options(app, arguments);
}

}  // namespace callready
