// The program's command line as plain data, walked once from CLI11's App: what the completions of
// the shells and the manual page are written from.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace callready {

// What a value is, as far as a shell can complete it.
enum class ValueKind { none, text, file, set, word };

struct CommandLineOption {
  std::vector<std::string> names;  // with their dashes, the short one first; empty: positional
  std::string label;               // what the value is called: FILE
  std::string description;
  ValueKind value = ValueKind::none;  // none: a flag
  std::vector<std::string> words;     // that the value can be, where it is not just any
  bool repeatable = false, required = false;
  std::string usual = {};  // the default, if the description does not say it
};

struct CommandLine {
  std::string name, description, footer;
  std::vector<CommandLineOption> options;  // positionals are among them
  std::vector<CommandLine> commands;       // without hidden ones
};

CommandLine describe(const CLI::App& app);

// Adds `completion SHELL` and the hidden `manual`. Where one of them was parsed, `page` is what it
// prints.
void add_description_commands(CLI::App& app, std::string& page);

std::string bash_completion(const CommandLine& line);
std::string zsh_completion(const CommandLine& line);
std::string fish_completion(const CommandLine& line);

// troff, for man(1).
std::string manual_page(const CommandLine& line, const std::string& version);

}  // namespace callready
