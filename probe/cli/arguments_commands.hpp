// The commands and their options, in the order in which --help lists them.
#pragma once

#include <CLI/CLI.hpp>

#include "probe/cli/arguments.hpp"

namespace callready {

void add_commands(CLI::App& app, Arguments& arguments);

// `ui`, `exporter` and `serve`, which run until they are ended.
void add_services(CLI::App& app, Arguments& arguments);

// One command, which sets Arguments::command.
CLI::App* add_command(CLI::App& app, Arguments& arguments, const char* name,
                      const char* description, Command value);

}  // namespace callready
