#include "targets/minisign.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <set>

#include "probe/util/base64.hpp"

namespace callready {
namespace {

using Bytes = std::vector<unsigned char>;

constexpr std::string_view untrusted = "untrusted comment: ", trusted = "trusted comment: ";

// Removes the first line from `text` and returns it without its line end ("\n" or "\r\n").
std::string_view next_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

struct Signature {
  std::array<unsigned char, 8> id{};
  Bytes of_file, of_comment;  // 64 bytes each
  std::string_view comment;
};

// Removes one signature's four lines from `text`.
std::optional<Signature> next_signature(std::string_view& text) {
  if (!next_line(text).starts_with(untrusted)) return std::nullopt;
  const auto first = from_base64(next_line(text));
  const auto comment = next_line(text);
  const auto second = from_base64(next_line(text));
  if (!first || first->size() != 74 || !second || second->size() != 64) return std::nullopt;
  if ((*first)[0] != 'E' || (*first)[1] != 'D' || !comment.starts_with(trusted)) {
    return std::nullopt;
  }
  Signature signature;
  std::copy_n(first->begin() + 2, 8, signature.id.begin());
  signature.of_file.assign(first->begin() + 10, first->end());
  signature.of_comment = *second;
  signature.comment = comment.substr(trusted.size());
  return signature;
}

Bytes blake2b(std::string_view bytes) {
  Bytes digest(64);
  unsigned int size = 0;
  const bool done =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_blake2b512(), nullptr) == 1;
  if (!done) digest.clear();
  return digest;
}

bool is_signed(const Bytes& message, const Bytes& signature, const MinisignKey& key) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> public_key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.key.data(), key.key.size()),
      &EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  if (!public_key || !context || message.empty()) return false;
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, public_key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

SignatureResult verify(const Bytes& digest, const Signature& signature,
                       std::span<const MinisignKey> keys) {
  const auto key = std::find_if(keys.begin(), keys.end(),
                                [&](const MinisignKey& known) { return known.id == signature.id; });
  if (key == keys.end()) {
    return {{},
            "is signed with the key " + MinisignKey{signature.id, {}}.name() +
                ", which this program does not know"};
  }
  if (!is_signed(digest, signature.of_file, *key)) return {{}, "does not match its signature"};
  Bytes whole = signature.of_file;
  whole.insert(whole.end(), signature.comment.begin(), signature.comment.end());
  if (!is_signed(whole, signature.of_comment, *key)) {
    return {{}, "has a signature whose comment was changed"};
  }
  return {key->name(), {}};
}

}  // namespace

std::optional<MinisignKey> MinisignKey::parse(std::string_view text) {
  auto line = next_line(text);
  if (line.starts_with(untrusted)) line = next_line(text);
  const auto bytes = from_base64(line);
  if (!bytes || bytes->size() != 42 || (*bytes)[0] != 'E' || (*bytes)[1] != 'd') {
    return std::nullopt;
  }
  MinisignKey key;
  std::copy_n(bytes->begin() + 2, 8, key.id.begin());
  std::copy_n(bytes->begin() + 10, 32, key.key.begin());
  return key;
}

std::string MinisignKey::name() const {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string text;
  for (auto byte = id.rbegin(); byte != id.rend(); ++byte) {  // a little-endian number
    text += digits[*byte >> 4];
    text += digits[*byte & 15];
  }
  return text;
}

SignatureResult verify_minisign(std::string_view bytes, std::string_view text,
                                std::span<const MinisignKey> keys) {
  const auto signature = next_signature(text);
  if (!signature) return {{}, "has no signature in minisign's format (prehashed)"};
  return verify(blake2b(bytes), *signature, keys);
}

std::size_t count_signers(std::string_view bytes, std::string_view text,
                          std::span<const MinisignKey> keys) {
  constexpr int most = 16;
  const auto digest = blake2b(bytes);
  std::set<std::string> signers;
  for (int i = 0; i < most && !text.empty(); ++i) {
    const auto signature = next_signature(text);
    if (!signature) break;
    const auto result = verify(digest, *signature, keys);
    if (result.problem.empty()) signers.insert(result.signer);
  }
  return signers.size();
}

}  // namespace callready
