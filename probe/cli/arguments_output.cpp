// The options that say where a report goes and in which form; shared by check, render, merge, demo.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probe/cli/arguments_output.hpp"
#include "probe/util/text.hpp"
#include "reports/format.hpp"
#include "reports/words/language.hpp"

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

CLI::Validator one_of(const std::string& what, const std::vector<std::string>& words) {
  const auto judge = [what, words](const std::string& text) {
    return contains(words, text)
               ? std::string()
               : fmt::format("unknown {} '{}'; known are: {}", what, text, fmt::join(words, ", "));
  };
  return {judge, fmt::format("{{{}}}", fmt::join(words, ","))};
}

CLI::Validator number_from(long least, long most) {
  const auto judge = [least, most](const std::string& text) {
    const auto number = whole_number<long>(text);
    return number && *number >= least && *number <= most
               ? std::string()
               : fmt::format("expected a number from {} to {}, got '{}'", least, most, text);
  };
  return {judge, fmt::format("INT in [{} - {}]", least, most)};
}

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
      ->check(one_of("choice", {"auto", "always", "never"}));
}

void add_redact_options(CLI::App& app, Arguments& arguments) {
  auto* redact = app.add_flag("--redact", arguments.redact,
                              "Replace this site's addresses, hosts, networks and users with "
                              "pseudonyms; the vendor's names stay");
  app.add_option(
         "--redact-key", arguments.redact_key_file,
         "Key for the pseudonyms: the same key gives the same pseudonyms in every report. Default: "
         "CALLREADY_REDACT_KEY, then redact.key in the configuration folder, created if missing")
      ->type_name("FILE")
      ->needs(redact);
}

void add_output_options(CLI::App& app, Arguments& arguments) {
  auto* json = app.add_flag("--json", arguments.json, "Print the whole report as JSON");
  auto* nagios =
      app.add_flag("--nagios", arguments.nagios, "Print one line and exit as a Nagios plugin does");
  nagios->excludes(json);
  app.add_flag("--ticket", arguments.ticket,
               "Print a ticket of at most 25 lines: verdict, cause, who, what to change")
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
         fmt::format(
             "Write a report to a file, repeatable; without FILE, to standard output. Formats: {}",
             fmt::join(format_names(), ", ")))
      ->type_name("FORMAT[=FILE]")
      ->allow_extra_args(false)
      ->trigger_on_parse();
  app.add_flag("-v,--verbose", arguments.verbose, "Every endpoint on its own line");
  std::vector<std::string> codes(language_codes().begin(), language_codes().end());
  app.add_option("--lang", arguments.language,
                 "Language of text, ticket and html; everything else is in English. Default: from "
                 "LC_ALL, LC_MESSAGES or LANG")
      ->type_name("LANGUAGE")
      ->check(one_of("language", codes));
  add_redact_options(app, arguments);
  add_terminal_options(app, arguments);
}

}  // namespace callready
