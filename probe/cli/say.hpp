// What the program says besides its report, on standard error: nothing in it can control a
// terminal, and a failure to write it does not end the program.
#pragma once

#include <string>
#include <string_view>

namespace callready {

// Lines as they are, each made harmless and ended.
void say(std::string_view lines) noexcept;
// "callready: ...", kept for last_complaint().
void complain(const std::string& message) noexcept;
// The same without printing it: somebody else has.
void keep_complaint(const std::string& message) noexcept;
// What was last complained about; "": nothing.
const std::string& last_complaint();

// The exception that is being handled, for people: "out of memory", "internal error: ...".
// Allocates nothing where there is no memory; valid while the exception is.
struct Trouble {
  std::string_view what, more;
};
Trouble trouble_in_flight() noexcept;

// From now on, an exception that nobody catches, on any thread, and a lack of memory end the
// program with one line (probe/platform/last_words.hpp).
void end_with_a_line() noexcept;

}  // namespace callready
