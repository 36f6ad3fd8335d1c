// The little of UTF-8 (RFC 3629) that reading a file safely needs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace callready {

// The offset of the first byte that is not well-formed UTF-8, or of a NUL. Overlong forms,
// surrogates and values beyond U+10FFFF are not well-formed.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

// Characters (code points) in well-formed text.
std::size_t count_characters(std::string_view text);

// True where well-formed text holds a control character other than tab and line feed: C0, DEL or
// C1 (U+0080 to U+009F). Such text could command the terminal that a report is printed on.
bool has_control_characters(std::string_view text);

// Well-formed text with a space in the place of every such character, and of every line feed.
std::string on_one_line(std::string text);

}  // namespace callready
