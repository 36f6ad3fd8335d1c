#include "probe/webrtc/token.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <stdexcept>

namespace callready::webrtc {

std::string whip_token(std::span<const std::uint8_t> key, std::string_view host) {
  const std::string text = "callready whip " + std::string(host);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(),
           &size) == nullptr) {
    throw std::runtime_error("OpenSSL cannot compute HMAC-SHA-256");
  }
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string token;
  for (const auto byte : std::span(mac).first(size)) {
    token += digits[byte >> 4];
    token += digits[byte & 15];
  }
  return token;
}

}  // namespace callready::webrtc
