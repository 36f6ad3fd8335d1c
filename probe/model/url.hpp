// What is a URL, and what of it may be shown: every writer of the program uses without_secrets().
#pragma once

#include <string>
#include <string_view>

namespace callready {

// Text, with every URL in it (RFC 3986 section 3) without user, password, query and fragment: those
// hold secrets. What has no scheme but a login ("PROXY alice:secret@proxy:80") loses it too.
std::string without_secrets(std::string_view text);

// True for what begins with "http://" or "https://", whatever its case (RFC 3986 section 3.1).
bool is_web_url(std::string_view text);

// True for "http://alice:secret@proxy".
bool has_login(std::string_view url);

}  // namespace callready
