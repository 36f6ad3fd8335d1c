// Who may make a call: a token (RFC 6750) that both ends make from the key they share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace callready::webrtc {

// Good at that host only, and nothing that the key could be told from.
std::string whip_token(std::span<const std::uint8_t> key, std::string_view host);

}  // namespace callready::webrtc
