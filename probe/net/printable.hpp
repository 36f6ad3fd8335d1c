// Text that came from the network, made fit for a report: valid UTF-8 without control characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace callready {

// Control characters, DEL and bytes that are not UTF-8 (RFC 3629) become '?'; what is longer than
// `limit` bytes is cut at a character and ends in "...".
std::string printable(std::string_view text, std::size_t limit = 200);

}  // namespace callready
