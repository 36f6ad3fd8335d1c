// Certificates made in memory (RFC 5280), for servers on loopback and for tests: an authority, what
// it issues, and what a broken or dishonest server would show. EC P-256, because keys must be fast.
#pragma once

#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "probe/net/asio.hpp"
#include "probe/net/clock.hpp"

namespace callready::serve {

struct CertificateOptions {
  std::string common_name = "callready";  // the first 64 characters count
  std::string organization;               // left out where empty
  std::vector<std::string> names;         // subjectAltName: DNS names ("*.x" too) and addresses
  WallTime not_before = std::chrono::system_clock::now() - std::chrono::hours(1);
  WallTime not_after = std::chrono::system_clock::now() + std::chrono::hours(24);
  bool authority = false;  // may issue others: basicConstraints CA:TRUE, keyUsage keyCertSign
  // 48 bytes that nobody else knows: the key is made from them, the same each time. Empty: a new
  // key.
  std::vector<std::uint8_t> key_seed{};
};

// A certificate with its private key. A value: copies share both.
class Certificate {
 public:
  // Self-signed: a root if `options.authority`, otherwise what a device makes for itself.
  static Certificate self_signed(const CertificateOptions& options);
  // Issued by this one, even if this one is not an authority: it is for the verifier to find that
  // out.
  Certificate issue(const CertificateOptions& options) const;

  std::string pem() const;      // the certificate
  std::string key_pem() const;  // PKCS #8, not encrypted
  // SHA-256 of its SubjectPublicKeyInfo, in hexadecimal: what a pin is made of (RFC 7469, 2.4).
  std::string public_key_sha256() const;
  X509* x509() const { return x509_.get(); }
  EVP_PKEY* key() const { return key_.get(); }

 private:
  Certificate() = default;
  static Certificate make(const CertificateOptions& options, const Certificate* issuer);
  std::shared_ptr<X509> x509_;
  std::shared_ptr<EVP_PKEY> key_;
};

// For servers: shows `leaf`, then `intermediates` in the order given (the root need not be there).
// TLS 1.2 and later. No session tickets: each handshake shows the certificate.
std::shared_ptr<asio::ssl::context> server_context(
    const Certificate& leaf, const std::vector<Certificate>& intermediates = {});

// All of these throw std::runtime_error where OpenSSL fails, which is a bug or a lack of memory.

}  // namespace callready::serve
