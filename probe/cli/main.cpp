#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <exception>

#include "probe/cli/commands.hpp"
#include "probe/net/pac.hpp"
#include "probe/platform/system.hpp"

namespace {

// The log is for those who ask for it; standard output belongs to the report.
void start_log(int level) {
  auto logger = spdlog::stderr_logger_st("callready");
  logger->set_pattern("%H:%M:%S.%e %l %v");
  logger->set_level(level >= 2   ? spdlog::level::trace
                    : level == 1 ? spdlog::level::debug
                                 : spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

int main(int argc, char** argv) {
  using callready::Command;
  // A reader that went away (`| head`) is an error of a write, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  callready::platform::keep_standard_streams();
  // A child of this program, not a command: see probe/net/pac.hpp.
  if (argc == 2 && std::string_view(argv[1]) == callready::pac_child_argument) {
    return callready::run_pac_child();
  }
  callready::platform::hold_interrupts();  // until the run can answer one
  const auto parsed = callready::parse_arguments(argc, argv);
  if (parsed.exit_status) return *parsed.exit_status;
  const auto& arguments = parsed.arguments;
  start_log(arguments.log_level);
  if (arguments.command != Command::check) callready::platform::release_interrupts();
  try {
    switch (arguments.command) {
      case Command::check:
        return callready::run_check(arguments);
      case Command::list:
        return callready::run_list(arguments);
      case Command::show:
        return callready::run_show(arguments);
      case Command::firewall:
        return callready::run_firewall(arguments);
      case Command::validate:
        return callready::run_validate(arguments);
      case Command::render:
        return callready::run_render(arguments);
      case Command::demo:
        return callready::run_demo(arguments);
      case Command::none:
        break;
    }
  } catch (const std::exception& error) {
    callready::complain(std::string("internal error: ") + error.what());
  }
  return callready::usage_error;
}
