// What the shells complete: commands, options, words that an option takes, files, and the names of
// target sets, which the program is asked for (`callready list --names`).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "probe/cli/command_line.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

// Made anew for each completion: another file can come with `callready update`.
constexpr auto ask_for_sets = "callready list --names 2>/dev/null";

std::vector<std::string> all_names(const CommandLine& command) {
  std::vector<std::string> names;
  for (const auto& option : command.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

std::vector<std::string> command_names(const CommandLine& line) {
  std::vector<std::string> names = {"help"};
  for (const auto& command : line.commands) names.push_back(command.name);
  return names;
}

const CommandLineOption* positional_of(const CommandLine& command) {
  const auto found = std::find_if(command.options.begin(), command.options.end(),
                                  [](const auto& option) { return option.names.empty(); });
  return found == command.options.end() ? nullptr : &*found;
}

// In single quotes, as sh, zsh and fish take them.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string bash_words(const CommandLineOption& option) {
  switch (option.value) {
    case ValueKind::word:
      return fmt::format("compgen -W {} -- \"$word\"",
                         quoted(fmt::format("{}", fmt::join(option.words, " "))));
    case ValueKind::set:
      return fmt::format("compgen -W \"$({} | cut -f1)\" -- \"$word\"", ask_for_sets);
    case ValueKind::file:
      return "compopt -o filenames; compgen -f -- \"$word\"";
    case ValueKind::none:
    case ValueKind::text:
      break;
  }
  return {};
}

// The answer to one place of the command line; `compopt` acts on this shell, so not inside of $().
std::string bash_reply(const CommandLineOption& option) {
  auto words = bash_words(option);
  constexpr std::string_view for_files = "compopt -o filenames; ";
  if (words.empty()) return "return";
  if (!words.starts_with(for_files)) return fmt::format("COMPREPLY=($({})); return", words);
  return fmt::format("{}COMPREPLY=($({})); return", for_files, words.substr(for_files.size()));
}

std::string in_zsh(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

std::string zsh_action(const CommandLineOption& option) {
  switch (option.value) {
    case ValueKind::word:
      return fmt::format("({})", fmt::join(option.words, " "));
    case ValueKind::set:
      return "_callready_sets";
    case ValueKind::file:
      return "_files";
    case ValueKind::none:
    case ValueKind::text:
      break;
  }
  return " ";
}

// Of _arguments: '(-q --quiet)'{-q,--quiet}'[One line per target set]'.
std::string zsh_spec(const CommandLineOption& option) {
  std::string value;
  if (option.value != ValueKind::none) {
    value = ":" + in_zsh(option.label) + ":" + zsh_action(option);
  }
  if (option.names.empty()) return quoted((option.repeatable ? "*" : "") + value);
  std::string specs;
  for (const auto& name : option.names) {
    const std::string once = option.repeatable || name == "-d" || name == "--debug"
                                 ? "*"
                                 : fmt::format("({})", fmt::join(option.names, " "));
    specs += (specs.empty() ? "" : " ") +
             quoted(fmt::format("{}{}[{}]{}", once, name, in_zsh(option.description), value));
  }
  return specs;
}

std::string fish_options(const CommandLine& command, const std::string& when) {
  std::string text;
  for (const auto& option : command.options) {
    auto rule = fmt::format("complete -c callready -n {}", quoted(when));
    for (const auto& name : option.names) {
      rule += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    const bool by_word = option.value == ValueKind::word;
    if (option.value == ValueKind::set)
      rule += fmt::format(" -f -a {}", quoted(fmt::format("({})", ask_for_sets)));
    if (by_word)
      rule += fmt::format(" -x -a {}", quoted(fmt::format("{}", fmt::join(option.words, " "))));
    if (option.value == ValueKind::file) rule += option.names.empty() ? " -F" : " -r -F";
    if (option.value == ValueKind::text) rule += option.names.empty() ? " -f" : " -x";
    // The description of a positional would appear next to each set's own.
    if (!option.names.empty()) rule += " -d " + quoted(option.description);
    text += rule + "\n";
  }
  return text;
}

}  // namespace

std::string bash_completion(const CommandLine& line) {
  std::string text =
      "# bash completion for callready, as `callready completion bash` prints it.\n"
      "_callready() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    case ${COMP_WORDS[i]} in -*) ;; *) command=${COMP_WORDS[i]}; break ;; esac\n"
      "  done\n"
      "  COMPREPLY=()\n"
      "  case $command:$before in\n";
  for (const auto& command : line.commands) {
    for (const auto& option : command.options) {
      if (option.value == ValueKind::none || option.names.empty()) continue;
      std::vector<std::string> patterns;
      for (const auto& name : option.names) patterns.push_back(command.name + ":" + name);
      text += fmt::format("    {}) {} ;;\n", fmt::join(patterns, "|"), bash_reply(option));
    }
  }
  text += "  esac\n  case $command:$word in\n";
  text += fmt::format("    :-*) COMPREPLY=($(compgen -W {} -- \"$word\")) ;;\n",
                      quoted(fmt::format("{}", fmt::join(all_names(line), " "))));
  text += fmt::format("    :*|help:*) COMPREPLY=($(compgen -W {} -- \"$word\")) ;;\n",
                      quoted(fmt::format("{}", fmt::join(command_names(line), " "))));
  for (const auto& command : line.commands) {
    auto names = all_names(command);
    for (const auto& name : all_names(line)) {
      if (name != "--version") add_once(names, name);
    }
    text += fmt::format("    {}:-*) COMPREPLY=($(compgen -W {} -- \"$word\")) ;;\n", command.name,
                        quoted(fmt::format("{}", fmt::join(names, " "))));
    const auto* positional = positional_of(command);
    if (positional == nullptr || positional->value == ValueKind::text) continue;
    text += fmt::format("    {}:*) {} ;;\n", command.name, bash_reply(*positional));
  }
  return text + "  esac\n}\ncomplete -F _callready callready\n";
}

std::string zsh_completion(const CommandLine& line) {
  std::string text =
      "#compdef callready\n"
      "# zsh completion for callready, as `callready completion zsh` prints it.\n"
      "_callready_sets() {\n"
      "  local -a sets\n"
      "  local name title\n"
      "  while IFS=$'\\t' read -r name title; do sets+=(\"$name:$title\"); done < <(" +
      std::string(ask_for_sets) +
      ")\n"
      "  _describe -t sets 'target set' sets\n"
      "}\n"
      "_callready() {\n"
      "  local context state state_descr line\n"
      "  typeset -A opt_args\n"
      "  _arguments -C";
  for (const auto& option : line.options) text += " \\\n    " + zsh_spec(option);
  text +=
      " \\\n    '1:command:->command' '*::argument:->argument' && return\n"
      "  case $state in\n"
      "    command)\n"
      "      local -a commands=(\n"
      "        'help:What a command does'\n";
  for (const auto& command : line.commands) {
    text += fmt::format("        {}\n", quoted(command.name + ":" + in_zsh(command.description)));
  }
  text +=
      "      )\n"
      "      _describe -t commands 'command' commands ;;\n"
      "    argument)\n"
      "      case $words[1] in\n";
  for (const auto& command : line.commands) {
    text += fmt::format("        {})\n          _arguments -s", command.name);
    for (const auto& option : command.options) text += " \\\n            " + zsh_spec(option);
    text += " ;;\n";
  }
  return text +
         "      esac ;;\n"
         "  esac\n"
         "}\n"
         // Sourced it defines the function; from $fpath it is the function.
         "if [ \"$funcstack[1]\" = _callready ]; then _callready \"$@\"; else compdef _callready "
         "callready; fi\n";
}

std::string fish_completion(const CommandLine& line) {
  std::string text =
      "# fish completion for callready, as `callready completion fish` prints it.\n"
      "complete -c callready -f\n";
  for (const auto& command : line.commands) {
    text += fmt::format("complete -c callready -n __fish_use_subcommand -a {} -d {}\n",
                        command.name, quoted(command.description));
  }
  text += fish_options(line, "__fish_use_subcommand");
  for (const auto& command : line.commands) {
    text += fish_options(command, "__fish_seen_subcommand_from " + command.name);
  }
  return text;
}

}  // namespace callready
