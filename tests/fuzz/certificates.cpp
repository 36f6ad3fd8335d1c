// The subject of a certificate, which is read without OpenSSL: where OpenSSL takes the bytes for a
// certificate, it has the same one.
#include <openssl/x509.h>

#include <memory>

#include "probe/net/lazy_roots.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void certificates(Input input) {
  const auto subject = subject_of(text_of(input));
  const auto* at = input.data();
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      d2i_X509(nullptr, &at, static_cast<long>(input.size())), &X509_free);
  // Lengths that are left open (BER) are no DER.
  if (!certificate || subject.empty()) return;
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_NAME(X509_get_subject_name(certificate.get()), &bytes);
  FUZZ_REQUIRE(size > 0);
  const bool same = text_of({bytes, static_cast<std::size_t>(size)}) == subject;
  OPENSSL_free(bytes);
  FUZZ_REQUIRE(same);
}

}  // namespace callready::fuzz
