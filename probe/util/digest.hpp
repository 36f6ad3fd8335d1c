// SHA-256 (FIPS 180-4), by OpenSSL.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace callready {

std::array<unsigned char, 32> sha256(std::string_view bytes);

// 64 lower case hexadecimal digits: the name of a set's bytes.
std::string sha256_hex(std::string_view bytes);

}  // namespace callready
