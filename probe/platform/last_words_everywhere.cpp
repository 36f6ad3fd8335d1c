#include "probe/platform/last_words.hpp"

#include <cstdlib>
#include <new>

#include "probe/platform/system.hpp"

namespace callready::platform {
namespace {

bool for_nagios = false;

[[noreturn]] void end(int status, std::string_view what, std::string_view more) noexcept {
  const auto tell = [&](void (*write)(std::string_view) noexcept, std::string_view begin) {
    for (const auto part : {begin, what, more, std::string_view("\n")}) write(part);
  };
  tell(&write_standard_error, "callready: ");
  if (for_nagios) tell(&write_standard_output, "CALLREADY UNKNOWN - ");
  std::_Exit(for_nagios ? 3 : status);
}

}  // namespace

void end_program(std::string_view what, std::string_view more) noexcept { end(2, what, more); }
void end_undecided(std::string_view what, std::string_view more) noexcept { end(3, what, more); }

void end_program_with_nagios_line() noexcept { for_nagios = true; }

void end_program_without_memory() {
  std::set_new_handler([] { end_program("out of memory"); });
}

void* or_end_program(void* memory) noexcept {
  if (memory == nullptr) end_program("out of memory");
  return memory;
}

}  // namespace callready::platform
