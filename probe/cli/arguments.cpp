#include "probe/cli/arguments.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>

#include "probe/cli/arguments_commands.hpp"
#include "probe/cli/command_line.hpp"
#include "probe/cli/help_page.hpp"
#include "probe/cli/hints.hpp"
#include "probe/cli/output.hpp"
#include "probe/cli/say.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

// Where the value behind "--turn-password=" begins, the end for an option alone; npos for any other
// word.
std::size_t value_of_secret(std::string_view word) {
  const auto lowered = lower_case(word);
  for (const auto* name : {"user", "password", "secret", "token", "credential", "key"}) {
    const auto found = lowered.find(name, lowered.find('-'));
    if (found != word.npos) return std::min(word.find('=', found), word.size() - 1) + 1;
  }
  return word.npos;
}

// CLI11's `before` and, after it, its `after`, in our words, if it has both.
void in_plain_words(std::string& text, std::string_view before, std::string_view ours,
                    std::string_view after, std::string_view our_after) {
  const auto first = text.find(before);
  const auto second = first == text.npos ? first : text.find(after, first + before.size());
  if (second == text.npos) return;
  text.replace(second, after.size(), our_after);
  text.replace(first, before.size(), ours);
}

// One line. A secret that somebody gave as an argument after all is not repeated. No std::regex: it
// recurses once for each character.
std::string failure_line(const CLI::App* app, const CLI::Error& error) {
  std::string text(error.what());
  std::replace(text.begin(), text.end(), '\n', ' ');
  in_plain_words(text, ": 1 required ", " needs a value: ", " missing", "");
  in_plain_words(text, "At least ", "expected at least ", " required but received ", ", got ");
  // "were not expected: hunter2 --token": CLI11 lists the value of an unknown option as well.
  const bool unexpected = text.starts_with("The following argument");
  const auto head = unexpected ? text.substr(0, text.find(": ") + 2) : std::string();
  std::vector<std::string> words;
  bool alone = false;
  for (const auto word : split(std::string_view(text).substr(head.size()), " ")) {
    const auto value = value_of_secret(word);
    alone = alone || value == word.size();
    words.push_back(std::string(word.substr(0, value)) + (value < word.size() ? "..." : ""));
  }
  for (auto& word : words) {
    if (unexpected && alone && !word.starts_with("--")) word = "...";
  }
  text = fmt::format("{}{}", head, fmt::join(words, " "));
  const auto commands = app->get_subcommands();
  const auto command = commands.empty() ? "" : ' ' + commands.front()->get_name();
  return fmt::format("callready: {} (callready help{} says more)\n", text, command);
}

// Nagios reads 2 as "critical", but a command line that is wrong is "unknown" to it; and it shows
// what comes from standard output.
int usage_status(int argc, const char* const* argv) {
  const bool nagios = std::any_of(
      argv, argv + argc, [](const char* word) { return std::string_view(word) == "--nagios"; });
  if (nagios) {
    platform::write_standard_output(
        "CALLREADY UNKNOWN - the command line is wrong, see standard error\n");
  }
  return nagios ? 3 : 2;
}

}  // namespace

ParseResult parse_arguments(int argc, const char* const* argv) {
  ParseResult result;
  auto& arguments = result.arguments;
  CLI::App app("Tells whether calls work from this network, and if not, what to change.",
               "callready");
  app.set_version_flag("--version", std::string("callready ") + CALLREADY_VERSION);
  app.allow_windows_style_options(false);  // "/tmp/set.yaml" is a file everywhere
  app.require_subcommand(1);
  app.formatter(std::make_shared<HelpPage>());
  app.failure_message(failure_line);
  app.add_flag(
      "-d,--debug", arguments.log_level,
      "Log to standard error, with real names and addresses; give it twice for more detail");
  app.fallthrough();

  add_commands(app, arguments);
  std::string page;
  add_description_commands(app, page);
  app.footer(first_examples);

  if (argc == 1) {
    say(first_steps());
    result.exit_status = usage_status(argc, argv);
    return result;
  }
  std::vector<const char*> words(argv, argv + argc);
  if (std::string_view(words[1]) == "help") {
    // `help check` is `check --help`.
    words.erase(words.begin() + 1);
    words.resize(std::min<std::size_t>(words.size(), 2));
    words.push_back("--help");
  }
  if (std::string_view(words[1]) == "ui") {
    const auto mark = std::find(words.begin(), words.end(), std::string_view("--"));
    if (mark != words.end()) {
      std::vector<const char*> check{words.front(), "check"};
      check.insert(check.end(), mark + 1, words.end());
      auto checked = parse_arguments(static_cast<int>(check.size()), check.data());
      if (checked.exit_status) return checked;
      if (!checked.arguments.names.empty()) {
        say(fmt::format(
            "callready: {}: only options of check may follow --; choose services in the page",
            checked.arguments.names.front()));
        result.exit_status = usage_status(argc, argv);
        return result;
      }
      // As values for the page, and as words for its checks.
      const auto& own = checked.arguments;
      arguments.set_files = own.set_files;
      arguments.scenarios = own.scenarios;
      arguments.regions = own.regions;
      arguments.only = own.only;
      arguments.skip = own.skip;
      arguments.client = own.client;
      arguments.variables = own.variables;
      arguments.names.assign(mark + 1, words.end());
    }
    words.erase(mark, words.end());
  }
  argc = static_cast<int>(words.size());
  argv = words.data();
  if (const auto unknown = unknown_command(app, argc, argv); !unknown.empty()) {
    say(unknown);
    result.exit_status = usage_status(argc, argv);
    return result;
  }
  try {
    app.parse(argc, argv);
    if (page.empty()) return result;
    result.exit_status = printed(page);
  } catch (const CLI::ParseError& error) {
    std::ostringstream said, help;
    const int status = app.exit(error, help, said);
    const int printing = printed(help.str());
    auto text = said.str();
    const auto hint = option_hint(app, argc, argv);
    if (const auto end = text.find(" (callready help"); end != text.npos) text.insert(end, hint);
    say(text);
    result.exit_status = status == 0 && printing == 0 ? 0 : usage_status(argc, argv);
  }
  return result;
}

}  // namespace callready
