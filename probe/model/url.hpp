// What a URL is, and how much of it may be shown: all code that writes one uses without_secrets().
#pragma once

#include <string>
#include <string_view>

namespace callready {

// Text, with every URL in it (RFC 3986 section 3) without user, password, query and fragment: those
// hold secrets. A login without a scheme ("PROXY alice:secret@proxy:80") is removed, too.
std::string without_secrets(std::string_view text);

// True for what begins with "http://" or "https://", whatever its case (RFC 3986 section 3.1).
bool is_web_url(std::string_view text);

// True for "http://alice:secret@proxy".
bool has_login(std::string_view url);

}  // namespace callready
