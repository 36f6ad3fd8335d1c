// Signatures in minisign's format: Ed25519 (RFC 8032) over a file's BLAKE2b-512 digest, and over
// the signature with its trusted comment. Legacy signatures (minisign -l) are not accepted.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace callready {

struct MinisignKey {
  std::array<unsigned char, 8> id{};
  std::array<unsigned char, 32> key{};

  // Takes a line "RWQ...", or the whole content of a .pub file.
  static std::optional<MinisignKey> parse(std::string_view text);
  std::string name() const;  // as minisign prints it: "E7620F1842B4E81F"
  bool operator==(const MinisignKey&) const = default;
};

struct SignatureResult {
  std::string signer;   // the key's name; empty if there is a problem
  std::string problem;  // in words
};

// Whether one of `keys` has signed exactly these bytes. `signature`: the text of a .minisig file.
SignatureResult verify_minisign(std::string_view bytes, std::string_view signature,
                                std::span<const MinisignKey> keys);

// How many of `keys` have signed these bytes. `signatures`: .minisig files, concatenated; at most
// 16 of them are looked at.
std::size_t count_signers(std::string_view bytes, std::string_view signatures,
                          std::span<const MinisignKey> keys);

// A .minisig file has four short lines.
inline constexpr std::size_t largest_signature = 4096;  // bytes

}  // namespace callready
