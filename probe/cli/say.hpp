// What the program says beside its report, on standard error: nothing in it can command a terminal,
// and where it cannot be written, that is no reason to end.
#pragma once

#include <string>
#include <string_view>

namespace callready {

// Lines as they are, each made harmless and ended.
void say(std::string_view lines) noexcept;
// "callready: ...", kept for last_complaint().
void complain(const std::string& message) noexcept;
// The same without saying it: somebody else has.
void keep_complaint(const std::string& message) noexcept;
// What was last complained about; "" nothing.
const std::string& last_complaint();

// The exception that is being handled, for people: "out of memory", "internal error: ...".
// Allocates nothing where there is no memory; valid while the exception is.
struct Trouble {
  std::string_view what, more;
};
Trouble trouble_in_flight() noexcept;

// From now on what nobody catches, on any thread, and a lack of memory end the program with one
// line (probe/platform/last_words.hpp).
void end_with_a_line() noexcept;

}  // namespace callready
