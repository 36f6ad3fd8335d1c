// The commands and their options, in the order in which --help lists them.
#pragma once

#include <CLI/CLI.hpp>

#include "probe/cli/arguments.hpp"

namespace callready {

inline constexpr auto exit_statuses =
    "Exit status: 0 ready, 1 blocked, 2 usage or configuration error, 3 could not be decided\n"
    "(or interrupted), 4 degraded (works, by a fallback).";

void add_commands(CLI::App& app, Arguments& arguments);

// `ui`, `exporter` and `serve`, which run until they are ended.
void add_services(CLI::App& app, Arguments& arguments);

// One command, which sets Arguments::command.
CLI::App* add_command(CLI::App& app, Arguments& arguments, const char* name,
                      const char* description, Command value);

}  // namespace callready
