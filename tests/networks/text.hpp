// A network as text, to read and to keep as a regression (regressions/*.txt).
#pragma once

#include <string>
#include <string_view>

#include "tests/networks/network.hpp"

namespace callready::networks {

std::string_view word(BoxKind kind);
std::string to_text(networks::Network network);

// The opposite. Throws std::runtime_error with the line that it does not understand.
networks::Network parse(std::string_view text);

}  // namespace callready::networks
