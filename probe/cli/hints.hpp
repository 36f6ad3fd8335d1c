// What to do next, for a command line that leads nowhere.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace callready {

// For `callready` alone: a few lines that each work as they are.
std::string first_steps();

// For a first word that is not a command: what was meant, on one line; empty if it is one.
std::string unknown_command(const CLI::App& app, int argc, const char* const* argv);

// "; did you mean '--proxy'?" for the first option that the command does not have; otherwise empty.
std::string option_hint(const CLI::App& app, int argc, const char* const* argv);

}  // namespace callready
