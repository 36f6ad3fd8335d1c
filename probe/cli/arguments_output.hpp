// Options that several commands share. Internal to probe/cli.
#pragma once

#include <CLI/CLI.hpp>

#include "probe/cli/arguments.hpp"

namespace callready {

// Checks of values that say what is wrong in the program's own words: "unknown language 'xx'; known
// are: de, en"; "expected a number from 1 to 100, got 'x'". Completion reads the words.
CLI::Validator one_of(const std::string& what, const std::vector<std::string>& words);
CLI::Validator number_from(long least, long most);

void add_output_options(CLI::App& app, Arguments& arguments);  // has the two below in it
void add_redact_options(CLI::App& app, Arguments& arguments);
void add_terminal_options(CLI::App& app, Arguments& arguments);

}  // namespace callready
