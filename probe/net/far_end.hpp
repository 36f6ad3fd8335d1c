// What `callready serve` says about itself, so that its clients know: its certificates, and that
// its own limits turned somebody away.
#pragma once

#include <string_view>

namespace callready::far_end {

// The organization in its certificates, which it makes for itself.
inline constexpr std::string_view organization = "callready serve";

// The SIP header that asks it to pad its reply over UDP to this many bytes, which it does if the
// request is at least as long. Other servers ignore it (RFC 3261 section 8.2.2).
inline constexpr std::string_view reply_bytes = "X-Reply-Bytes";

// What a client that is turned away is told: in the protocol's own terms where it has some, or
// this.
inline constexpr std::string_view busy = "callready is busy", busy_line = "callready is busy\r\n";
inline constexpr std::string_view busy_reply =
    "HTTP/1.1 503 callready is busy\r\nServer: callready\r\nRetry-After: 10\r\n"
    "Connection: close\r\nContent-Length: 0\r\n\r\n";

inline bool says_busy(std::string_view text) { return text.find(busy) != text.npos; }
// The same for what came instead of TLS, of which only five bytes are kept, as for a record's
// header.
inline bool says_busy_before_tls(std::string_view first_bytes) {
  return first_bytes.size() >= 5 && busy.starts_with(first_bytes.substr(0, 5));
}

}  // namespace callready::far_end
