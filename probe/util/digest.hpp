// SHA-256 (FIPS 180-4), HMAC with it and with SHA-1 (RFC 2104), the comparison of secrets and
// random numbers, by OpenSSL.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;  // OpenSSL's X509

namespace callready {

std::array<unsigned char, 32> sha256(std::string_view bytes);

// Of a certificate, in binary; empty where OpenSSL cannot say.
std::string sha256_of(const x509_st* certificate);

// 64 lower case hexadecimal digits: the name of a set's bytes.
std::string sha256_hex(std::string_view bytes);

std::array<std::uint8_t, 32> hmac_sha256(std::span<const std::uint8_t> key,
                                         std::span<const std::uint8_t> message);

// HKDF with SHA-256 and without a salt (RFC 5869): `size` bytes, at most 8,160, that are good for
// `purpose` and reveal nothing about `secret`.
std::vector<std::uint8_t> hkdf_sha256(std::span<const std::uint8_t> secret,
                                      std::string_view purpose, std::size_t size);

std::array<std::uint8_t, 20> hmac_sha1(std::span<const std::uint8_t> key,
                                       std::span<const std::uint8_t> message);

// Two lower case digits a byte.
std::string hex(std::span<const std::uint8_t> bytes);

// Takes the same time wherever they differ; lengths are not secret.
bool is_same_secret(std::string_view one, std::string_view other);
bool is_same_secret(std::span<const std::uint8_t> one, std::span<const std::uint8_t> other);

// Fills all of `bytes` with values that nobody can guess; throws if OpenSSL has none.
void fill_with_random(std::span<std::uint8_t> bytes);

template <std::size_t size>
std::array<std::uint8_t, size> random_bytes() {
  std::array<std::uint8_t, size> bytes{};
  fill_with_random(bytes);
  return bytes;
}

template <typename Number>
Number random_number() {
  return std::bit_cast<Number>(random_bytes<sizeof(Number)>());
}

}  // namespace callready
