// Base64 (RFC 4648 section 4), by OpenSSL.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace callready {

std::string base64(std::span<const unsigned char> bytes);
std::string base64(std::string_view bytes);

// Nothing for text that is not whole, padded base64.
std::optional<std::vector<unsigned char>> from_base64(std::string_view text);

}  // namespace callready
