// How the program ends when it cannot go on: with one line, whichever part of it notices.
#pragma once

#include <string_view>

namespace callready::platform {

// Standard error gets "callready: ", both parts and the end of the line; the status is 2. With
// --nagios, standard output gets its line too, and the status is 3. Nothing is allocated or cleaned
// up; a signal handler may call it.
[[noreturn]] void end_program(std::string_view what, std::string_view more = {}) noexcept;
// The same if the program took too long: the status is 3, "could not be decided".
[[noreturn]] void end_undecided(std::string_view what, std::string_view more = {}) noexcept;
void end_program_with_nagios_line() noexcept;

// From now on, ends the program when there is no memory left: some parts cannot survive that
// (JSON's values, libosip2, GLib, coroutines without frames), so none has to try.
void end_program_without_memory();
// For what a C library got from malloc() and the like, and does not check.
void* or_end_program(void* memory) noexcept;

}  // namespace callready::platform
