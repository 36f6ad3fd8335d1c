// Certificates made in memory: authorities, leaves with any names and dates, intermediates.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace callready::test {

struct Certificate {
  std::shared_ptr<X509> x509;
  std::shared_ptr<EVP_PKEY> key;
  std::string pem() const;
};

struct CertificateOptions {
  std::string common_name = "localhost";
  std::vector<std::string> dns_names;  // subjectAltName
  std::vector<std::string> addresses;
  bool authority = false;
  std::chrono::hours valid_from{-24}, valid_to{24 * 30};  // from now
  std::string issuer_url;                                 // authority information access
};

// Signed by `issuer`; self-signed if that is null.
Certificate make_certificate(const CertificateOptions& options, const Certificate* issuer);

// A self-signed authority with that common name.
Certificate make_authority(const std::string& name);
// An authority below `issuer`.
Certificate make_intermediate(const std::string& name, const Certificate& issuer);
// A server's certificate for one DNS name.
Certificate make_leaf(const std::string& dns_name, const Certificate& issuer);

}  // namespace callready::test
