// The certificate authorities that everybody has, as opposed to those that this machine was given:
// a chain that ends anywhere else was made by somebody on the way, or by a private authority.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace callready {

class PemFiles;

// PemCertificate::sha256() of all certificates, PEM or DER, in that folder and in those below it.
std::set<std::string> digests_below(PemFiles& files, const std::string& folder);

class PublicRoots {
 public:
  // The system's bundle without what its administrator added, and the roots in `more` (PEM files).
  PublicRoots(PemFiles& files, const std::vector<std::string>& more);

  // From now on every connection that verifies with this store is also checked against these roots.
  // The store shares ownership of them, because a thread may hold it longer than the run.
  static void attach(std::shared_ptr<PublicRoots> roots, X509_STORE* store);
  // The roots attached to the connection's store, or null.
  static const PublicRoots* of(const SSL* ssl);

  // Whether the peer's chain ends in one of these, and in which; its dates and names do not matter.
  // `trusted_here`: this machine trusts it. Nothing if there is no bundle, no chain, or an
  // incomplete one.
  struct Vouched {
    bool expected = false;
    bool given = false;  // only `more` has it
    bool users = false;  // and this user's programs trust it anyway (SSL_CERT_FILE)
  };
  std::optional<Vouched> vouch_for(const SSL* ssl, bool trusted_here) const;

 private:
  struct Free {
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  };
  Vouched vouched_by(const X509* root) const;

  std::unique_ptr<X509_STORE, Free> store_;  // null: no bundle was found
  std::set<std::string> given_, users_;      // SHA-256 of each that only `more` has; SSL_CERT_FILE
};

}  // namespace callready
