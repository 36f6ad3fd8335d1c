#include "probe/util/base64.hpp"

#include <algorithm>

#include <openssl/evp.h>

#include "probe/util/text.hpp"

namespace callready {

std::string base64(std::span<const unsigned char> bytes) {
  std::string encoded(4 * (bytes.size() / 3 + 1) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
  encoded.resize(static_cast<std::size_t>(length));
  return encoded;
}

std::string base64(std::string_view bytes) { return base64(bytes_of(bytes)); }

std::optional<std::vector<unsigned char>> from_base64(std::string_view text) {
  const auto padding = static_cast<std::size_t>(
      std::find_if(text.rbegin(), text.rend(), [](char c) { return c != '='; }) - text.rbegin());
  if (text.size() % 4 != 0 || padding > 2) return std::nullopt;
  // EVP_DecodeBlock skips white space, and takes padding anywhere for zero bytes.
  if (text.find_first_of("= \t\r\n") < text.size() - padding) return std::nullopt;
  std::vector<unsigned char> bytes(text.size() / 4 * 3);
  const auto encoded = bytes_of(text);
  if (EVP_DecodeBlock(bytes.data(), encoded.data(), static_cast<int>(encoded.size())) < 0) {
    return std::nullopt;
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace callready
