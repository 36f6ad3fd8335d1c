// What of a URL may be shown. Every writer of the program uses this one function.
#pragma once

#include <string>
#include <string_view>

namespace callready {

// Text, with every URL in it (RFC 3986 section 3) without user, password, query and fragment: those
// hold secrets. What has no scheme but a login ("PROXY alice:secret@proxy:80") loses it too.
std::string without_secrets(std::string_view text);

// True for "http://alice:secret@proxy".
bool has_login(std::string_view url);

}  // namespace callready
