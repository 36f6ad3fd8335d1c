#include <openssl/crypto.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <mutex>

#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/net/in_thread.hpp"
#include "probe/net/pac.hpp"
#include "probe/platform/descriptor.hpp"
#include "probe/platform/last_words.hpp"
#include "probe/platform/system.hpp"

namespace {

class SayingSink final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    callready::say({text.data(), text.size()});
  }
  void flush_() override {}
};

// The log is for those who ask for it; standard output belongs to the report.
void start_log(int level) {
  auto logger = std::make_shared<spdlog::logger>("callready", std::make_shared<SayingSink>());
  logger->set_pattern("%H:%M:%S.%e %l %v");
  logger->set_level(level >= 2   ? spdlog::level::trace
                    : level == 1 ? spdlog::level::debug
                                 : spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

int run(const callready::Arguments& arguments) {
  using callready::Command;
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
    case Command::merge:
      return callready::run_merge(arguments);
    case Command::diff:
      return callready::run_diff(arguments);
    case Command::demo:
      return callready::run_demo(arguments);
    case Command::serve:
      return callready::run_serve(arguments);
    case Command::update:
      return callready::run_update(arguments);
    case Command::import:
      return callready::run_import(arguments);
    case Command::exporter:
      return callready::run_exporter(arguments);
    case Command::ui:
      return callready::run_ui(arguments);
    case Command::none:
      break;
  }
  return callready::usage_error;
}

// Nagios reads 2 as "critical", and shows what standard output says. A plugin that could not do its
// work is "unknown" (Monitoring Plugins guidelines).
int for_nagios(int status) {
  if (callready::has_delivered()) return status;
  const auto& why = callready::last_complaint();  // one line: harmless()
  callready::print("CALLREADY UNKNOWN - " + (why.empty() ? "see standard error" : why) + "\n");
  return 3;
}

int run_line(const std::vector<const char*>& line) {
  bool nagios = false;
  int status = callready::usage_error;
  try {
    const auto parsed = callready::parse_arguments(static_cast<int>(line.size()), line.data());
    if (parsed.exit_status) return *parsed.exit_status;
    const auto& arguments = parsed.arguments;
    nagios = arguments.nagios;
    if (nagios) callready::platform::end_program_with_nagios_line();
    start_log(arguments.log_level);
    if (arguments.redact) {
      spdlog::debug("this log has real names and addresses: --redact is about reports only");
    }
    status = run(arguments);
  } catch (...) {
    const auto [what, more] = callready::trouble_in_flight();
    callready::complain(std::string(what) + std::string(more));
  }
  return nagios ? for_nagios(status) : status;
}

void* get(std::size_t size, const char*, int) {
  return callready::platform::or_end_program(std::malloc(size));
}

void* get_more(void* old, std::size_t size, const char*, int) {
  if (size > 0) return callready::platform::or_end_program(std::realloc(old, size));
  std::free(old);
  return nullptr;
}

// Before all other initialisers: those of libraries need memory, too. OpenSSL would use locks that
// it could not allocate.
[[gnu::constructor(101)]] void from_the_start() {
  callready::end_with_a_line();
  CRYPTO_set_mem_functions(&get, &get_more, [](void* old, const char*, int) { std::free(old); });
}

}  // namespace

int main(int argc, char** argv) {
  callready::platform::prepare_program();
  // A child of this program, not a command: see probe/net/pac.hpp.
  if (argc == 2 && std::string_view(argv[1]) == callready::pac_child_argument) {
    return callready::run_pac_child();
  }
  callready::platform::keep_one_heap();
  callready::platform::allow_more_descriptors();
  callready::platform::release_interrupts();
  const auto words = callready::platform::arguments(argc, argv);
  std::vector<const char*> line;
  for (const auto& word : words) line.push_back(word.c_str());
  const bool clicked = line.size() == 1 && callready::platform::was_double_clicked();
  if (clicked) line.push_back("ui");
  const int status = run_line(line);
  if (clicked && status != 0) {
    callready::say("\nPress any key to close this window.\n");
    callready::platform::wait_for_a_key();
  }
  if (callready::threads_left_behind() > 0) std::_Exit(status);
  return status;
}
