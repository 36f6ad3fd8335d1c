#include "probe/webrtc/token.hpp"

#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"

namespace callready::webrtc {

std::string whip_token(std::span<const std::uint8_t> key, std::string_view host) {
  const std::string text = "callready whip " + std::string(host);
  return hex(hmac_sha256(key, bytes_of(text)));
}

}  // namespace callready::webrtc
