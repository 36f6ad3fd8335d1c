// Windows: the store "ROOT" as this user sees it, the company's own authorities among them, but
// without the distrusted ones ("Disallowed").
#include "probe/platform/trust.hpp"

#include <windows.h>

#include <wincrypt.h>

#include <set>

namespace callready::platform {
namespace {

std::vector<std::string> certificates_of(const wchar_t* name) {
  std::vector<std::string> found;
  const HCERTSTORE store = CertOpenSystemStoreW(0, name);
  if (store == nullptr) return found;
  const CERT_CONTEXT* certificate = nullptr;
  while ((certificate = CertEnumCertificatesInStore(store, certificate)) != nullptr) {
    if ((certificate->dwCertEncodingType & X509_ASN_ENCODING) == 0) continue;
    const auto* const bytes = reinterpret_cast<const char*>(certificate->pbCertEncoded);
    found.emplace_back(bytes, certificate->cbCertEncoded);
  }
  CertCloseStore(store, 0);
  return found;
}

}  // namespace

std::vector<std::string> system_authorities() {
  auto found = certificates_of(L"ROOT");
  const auto refused = certificates_of(L"Disallowed");
  const std::set<std::string> distrusted(refused.begin(), refused.end());
  std::erase_if(found, [&](const std::string& der) { return distrusted.contains(der); });
  return found;
}

}  // namespace callready::platform
