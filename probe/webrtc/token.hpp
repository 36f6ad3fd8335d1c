// Who may make a call: a token (RFC 6750) that both ends derive from the key they share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace callready::webrtc {

// Valid for that host only, and it does not reveal the key.
std::string whip_token(std::span<const std::uint8_t> key, std::string_view host);

}  // namespace callready::webrtc
