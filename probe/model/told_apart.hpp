// Words in a report by which redaction tells whose data a text is. Code that writes these words and
// code that reads them both take them from here.
#pragma once

#include <string_view>

namespace callready {

// The `basis` of a chain_root that everybody has. A root from --ca-file has none; in older reports,
// none has.
inline constexpr std::string_view public_root_basis = "public_root";

// How the note of --place begins; the place and a full stop follow.
inline constexpr std::string_view place_words = "Measured from: ";

}  // namespace callready
