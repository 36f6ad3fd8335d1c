#include "probe/util/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <stdexcept>

namespace callready {

std::array<unsigned char, 32> sha256(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL has no SHA-256");
  }
  return digest;
}

std::string sha256_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  return {digest.begin(), digest.begin() + size};
}

std::string sha256_hex(std::string_view bytes) { return hex(sha256(bytes)); }

namespace {

template <std::size_t size>
std::array<std::uint8_t, size> hmac(const EVP_MD* hash, std::span<const std::uint8_t> key,
                                    std::span<const std::uint8_t> message) {
  std::array<std::uint8_t, size> digest{};
  unsigned written = 0;
  if (HMAC(hash, key.data(), static_cast<int>(key.size()), message.data(), message.size(),
           digest.data(), &written) == nullptr ||
      written != size) {
    throw std::runtime_error("OpenSSL cannot compute an HMAC");
  }
  return digest;
}

}  // namespace

std::array<std::uint8_t, 32> hmac_sha256(std::span<const std::uint8_t> key,
                                         std::span<const std::uint8_t> message) {
  return hmac<32>(EVP_sha256(), key, message);
}

std::vector<std::uint8_t> hkdf_sha256(std::span<const std::uint8_t> secret,
                                      std::string_view purpose, std::size_t size) {
  constexpr std::array<std::uint8_t, 32> no_salt{};
  const auto extracted = hmac_sha256(no_salt, secret);
  std::vector<std::uint8_t> all, block;
  for (std::uint8_t number = 1; all.size() < size; ++number) {
    block.insert(block.end(), purpose.begin(), purpose.end());
    block.push_back(number);
    const auto next = hmac_sha256(extracted, block);
    block.assign(next.begin(), next.end());
    all.insert(all.end(), next.begin(), next.end());
  }
  all.resize(size);
  return all;
}

std::array<std::uint8_t, 20> hmac_sha1(std::span<const std::uint8_t> key,
                                       std::span<const std::uint8_t> message) {
  return hmac<20>(EVP_sha1(), key, message);
}

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

bool is_same_secret(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

bool is_same_secret(std::span<const std::uint8_t> one, std::span<const std::uint8_t> other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

void fill_with_random(std::span<std::uint8_t> bytes) {
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("OpenSSL has no random numbers");
  }
}

}  // namespace callready
