// Options that several commands share. Internal to probe/cli.
#pragma once

#include "probe/cli/arguments.hpp"

namespace CLI {
class App;
}

namespace callready {

void add_output_options(CLI::App& app, Arguments& arguments);  // has the two below in it
void add_redact_options(CLI::App& app, Arguments& arguments);
void add_terminal_options(CLI::App& app, Arguments& arguments);

}  // namespace callready
