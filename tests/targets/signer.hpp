// Signs as minisign does, so that a test can be any signer.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <vector>

#include "probe/util/base64.hpp"
#include "targets/minisign.hpp"

namespace callready::test {

class Signer {
 public:
  // Different for each number.
  explicit Signer(unsigned char number) {
    std::vector<unsigned char> seed(32, number);
    key_.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
    public_.id.fill(number);
    std::size_t size = public_.key.size();
    EVP_PKEY_get_raw_public_key(key_.get(), public_.key.data(), &size);
  }

  const MinisignKey& key() const { return public_; }
  std::string line() const { return base64("Ed" + id() + text(public_.key)); }

  std::string sign(const std::string& bytes, const std::string& comment = "of a test") const {
    unsigned char digest[64];
    unsigned int size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_blake2b512(), nullptr);
    const auto signature = raw(text(digest));
    return "untrusted comment: anything\n" + base64("ED" + id() + signature) +
           "\ntrusted comment: " + comment + '\n' + base64(raw(signature + comment)) + '\n';
  }

 private:
  template <typename Bytes>
  static std::string text(const Bytes& bytes) {
    return {std::begin(bytes), std::end(bytes)};
  }
  std::string id() const { return text(public_.id); }

  std::string raw(const std::string& message) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    unsigned char signature[64];
    std::size_t size = sizeof signature;
    EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get());
    EVP_DigestSign(context.get(), signature, &size,
                   reinterpret_cast<const unsigned char*>(message.data()), message.size());
    return text(signature);
  }

  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  std::unique_ptr<EVP_PKEY, Free> key_;
  MinisignKey public_;
};

}  // namespace callready::test
