// How the program ends where it cannot go on: with one line, whatever room finds that out.
#pragma once

#include <string_view>

namespace callready::platform {

// Standard error gets "callready: ", both parts and the end of the line; the status is 2. Of
// --nagios, standard output gets its line too, and the status is 3. Nothing is allocated, nothing
// is tidied up; a handler of signals may call it.
[[noreturn]] void end_program(std::string_view what, std::string_view more = {}) noexcept;
// The same where the program was too long about it: the status is 3, "could not be decided".
[[noreturn]] void end_undecided(std::string_view what, std::string_view more = {}) noexcept;
void end_program_with_nagios_line() noexcept;

// From now on, where there is no memory: nothing survives that as a whole (JSON's values, libosip2,
// GLib, coroutines whose frames are not there), so that nobody has to.
void end_program_without_memory();
// What a library of C got from malloc() and its like, and will not look at.
void* or_end_program(void* memory) noexcept;

}  // namespace callready::platform
