// Certificates of a PEM file that OpenSSL decodes one by one, when a chain needs them: decoding all
// the roots of a system takes 30 ms and two megabytes, and a run needs a handful.
#pragma once

#include <openssl/x509.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callready {

struct PemCertificate {
  // `with_trust`: a TRUSTED CERTIFICATE, with OpenSSL's own settings behind it.
  PemCertificate(std::string der, bool with_trust);

  std::shared_ptr<const std::string> der;  // several stores share it
  bool with_trust;
  std::optional<unsigned long> subject;  // OpenSSL's hash of it; none: not a certificate

  std::string sha256() const;  // binary, as X509_digest() has it
};

// All certificates of the file, in its order; none where it cannot be read.
std::vector<PemCertificate> read_certificates(const std::string& path);

// The certificate in a DER file, without PEM around it; nothing if it is not one.
std::optional<PemCertificate> read_der(const std::string& path);

// The same as read_certificates(), each file once.
class PemFiles {
 public:
  const std::vector<PemCertificate>& read(const std::string& path);

 private:
  std::map<std::string, std::vector<PemCertificate>> files_;
};

// From now on the store finds these, too. Anything that is not a certificate is left out.
void add_when_needed(X509_STORE* store, std::vector<PemCertificate> certificates);

// The DER of a certificate's subject (RFC 5280 section 4.1), which is all that finding it takes.
// Empty if the bytes are not a certificate.
std::string_view subject_of(std::string_view der);

}  // namespace callready
