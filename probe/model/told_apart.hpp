// Words in a report by which redaction tells whose a text is: who writes them and who reads them
// have them from here.
#pragma once

#include <string_view>

namespace callready {

// The `basis` of a chain_root that everybody has; one of --ca-file has none, and reports of before
// 0.2 have none at all.
inline constexpr std::string_view public_root_basis = "public_root";

// How the note of --place begins; the place and a full stop follow.
inline constexpr std::string_view place_words = "Measured from: ";

}  // namespace callready
