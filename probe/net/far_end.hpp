// What `callready serve` says of itself, so that who checks by it knows: its certificates, and that
// its own limits turned somebody away.
#pragma once

#include <string_view>

namespace callready::far_end {

// The organization in its certificates, which it makes for itself.
inline constexpr std::string_view organization = "callready serve";

// The SIP header that asks it for a reply over UDP of so many bytes, which it fills up where the
// request has as many. Other servers ignore it (RFC 3261 section 8.2.2).
inline constexpr std::string_view reply_bytes = "X-Reply-Bytes";

// What who is turned away is told: in the words of the protocol where it has some, else so.
inline constexpr std::string_view busy = "callready is busy", busy_line = "callready is busy\r\n";
inline constexpr std::string_view busy_reply =
    "HTTP/1.1 503 callready is busy\r\nServer: callready\r\nRetry-After: 10\r\n"
    "Connection: close\r\nContent-Length: 0\r\n\r\n";

inline bool says_busy(std::string_view text) { return text.find(busy) != text.npos; }
// The same of what came in the place of TLS, of which a record's header is kept: five bytes.
inline bool says_busy_before_tls(std::string_view first_bytes) {
  return first_bytes.size() >= 5 && busy.starts_with(first_bytes.substr(0, 5));
}

}  // namespace callready::far_end
