// Whether a text is what its format says: for texts that nobody has seen before.
#pragma once

#include <string>
#include <string_view>

namespace callready::every_report {

// What is wrong with it; empty: nothing. Text of all formats is UTF-8, ends with a line break where
// there is any, and has no control characters. `format`: "json", "csv", ... as in --report.
std::string fault_in(std::string_view format, std::string_view text);

bool is_ascii(std::string_view text);
// With no letter or digit before or behind it.
bool has_word(std::string_view text, std::string_view word);

}  // namespace callready::every_report
