// For terminals that only know ASCII.
#pragma once

#include <string_view>

namespace callready {

// The nearest ASCII spelling, or "?".
std::string_view ascii_spelling(char32_t c);

}  // namespace callready
