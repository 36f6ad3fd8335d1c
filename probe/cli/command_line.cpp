#include "probe/cli/command_line.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "probe/cli/arguments_output.hpp"
#include "probe/cli/output.hpp"
#include "probe/util/text.hpp"
#include "reports/words/finding_words.hpp"

namespace callready {
namespace {

// "PACE:{normal,fast}" and "URL|auto|none" have the words; "FILE|URL" says that it is a file.
void read_type(const CLI::Option& option, CommandLineOption& into) {
  const auto type = option.get_type_name();
  // After the label comes what CLI11 adds for its checks; ADDR:PORT is a label.
  auto colon = type.npos;
  for (const auto* check : {":{", ":INT in ", ":UINT in ", ":FLOAT in "}) {
    colon = std::min(colon, type.find(check));
  }
  into.label = option.get_positional() ? option.get_name(true) : type.substr(0, colon);
  into.value = into.label == "SET" ? ValueKind::set : ValueKind::text;
  for (const auto* part : {"FILE", "FOLDER", "REPORT", "FEED", ".yaml", ".json"}) {
    // FORMAT=FILE begins with something else.
    if (into.label.find(part) != into.label.npos && into.label.find('=') == into.label.npos) {
      into.value = ValueKind::file;
    }
  }
  if (const auto open = type.find('{'), close = type.find('}');
      open != type.npos && close != type.npos && open < close) {
    for (const auto word : split(std::string_view(type).substr(open + 1, close - open - 1), ",")) {
      if (!word.empty()) into.words.emplace_back(word);
    }
  } else if (into.label.find('|') != into.label.npos) {
    for (const auto part : split(into.label, "|")) {
      if (!part.empty() && part.front() >= 'a' && part.front() <= 'z')
        into.words.emplace_back(part);
    }
  }
  if (!into.words.empty() && into.value == ValueKind::text) into.value = ValueKind::word;
}

CommandLineOption describe(const CLI::Option& option) {
  CommandLineOption one;
  for (const auto& name : option.get_snames()) one.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) one.names.push_back("--" + name);
  one.description = option.get_description();
  one.required = option.get_required();
  one.usual = option.get_default_str();
  if (option.get_type_size() == 0 || option.get_items_expected_max() == 0) return one;
  read_type(option, one);
  one.repeatable = option.get_positional()
                       ? option.get_items_expected_max() > 1
                       : one.description.find("repeatable") != one.description.npos;
  return one;
}

}  // namespace

CommandLine describe(const CLI::App& app) {
  CommandLine line{app.get_name(), app.get_description(), app.get_footer(), {}, {}};
  for (const auto* option : app.get_options()) {
    if (!option->get_group().empty()) line.options.push_back(describe(*option));
  }
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) line.commands.push_back(describe(*command));
  }
  return line;
}

void add_description_commands(CLI::App& app, std::string& page) {
  auto* completion = app.add_subcommand(
      "completion", "Print command-line completion for a shell to load at startup");
  completion->group("Other");
  completion
      ->add_option_function<std::string>(
          "SHELL",
          [&app, &page](const std::string& shell) {
            const auto line = describe(app);
            page = shell == "bash"  ? bash_completion(line)
                   : shell == "zsh" ? zsh_completion(line)
                                    : fish_completion(line);
          },
          "bash, zsh or fish")
      ->required()
      ->check(one_of("shell", {"bash", "zsh", "fish"}));
  completion->footer(
      "bash: source <(callready completion bash)\n"
      "zsh:  callready completion zsh > \"${fpath[1]}/_callready\"\n"
      "fish: callready completion fish | source");
  auto* explain = app.add_subcommand("explain", "Print what the code of a finding means");
  explain->group("Other");
  explain
      ->add_option_function<std::string>(
          "CODE",
          [&page](const std::string& code) {
            page = explanation_of(*parse<FindingCode>(code), render_options({})) + "\n";
          },
          "As a report has it: \"(code: firewall.udp_blocked)\"")
      ->required()
      ->check([](const std::string& code) {
        const auto known = parse<FindingCode>(code);
        return known && *known != FindingCode::other
                   ? std::string()
                   : fmt::format("no finding has the code \"{}\"", code);
      });
  auto* manual = app.add_subcommand("manual", "The manual page, for man(1)")->group("");
  manual->add_flag_callback(
      "--findings", [&page] { page = findings_page(); }, "docs/findings.md instead");
  manual->callback([&app, &page] {
    if (page.empty()) page = manual_page(describe(app), CALLREADY_VERSION);
  });
}

}  // namespace callready
