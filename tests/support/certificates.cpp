#include "tests/support/certificates.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace callready::test {
namespace {

void check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("making a certificate: ") + what);
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  check(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

std::string Certificate::pem() const {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  check(PEM_write_bio_X509(out.get(), x509.get()) == 1, "PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Certificate make_certificate(const CertificateOptions& options, const Certificate* issuer) {
  Certificate made;
  made.key.reset(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  made.x509.reset(X509_new(), &X509_free);
  X509* certificate = made.x509.get();
  check(made.key && certificate != nullptr, "allocation");
  static long serial = 1'000;
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate),
                  std::chrono::seconds(options.valid_from).count());
  X509_gmtime_adj(X509_getm_notAfter(certificate), std::chrono::seconds(options.valid_to).count());
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(options.common_name.c_str()),
                             -1, -1, 0);
  X509* parent = issuer == nullptr ? certificate : issuer->x509.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(parent));
  add_extension(certificate, parent, NID_basic_constraints,
                options.authority ? "critical,CA:TRUE" : "CA:FALSE");
  add_extension(certificate, parent, NID_subject_key_identifier, "hash");
  if (issuer != nullptr) {
    add_extension(certificate, parent, NID_authority_key_identifier, "keyid");
  }
  std::string names;
  for (const auto& name : options.dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  for (const auto& address : options.addresses) names += (names.empty() ? "IP:" : ",IP:") + address;
  if (!names.empty()) add_extension(certificate, parent, NID_subject_alt_name, names);
  if (!options.issuer_url.empty()) {
    add_extension(certificate, parent, NID_info_access, "caIssuers;URI:" + options.issuer_url);
  }
  EVP_PKEY* signer = issuer == nullptr ? made.key.get() : issuer->key.get();
  check(X509_sign(certificate, signer, EVP_sha256()) > 0, "signature");
  return made;
}

Certificate make_authority(const std::string& name) {
  CertificateOptions options;
  options.common_name = name;
  options.authority = true;
  return make_certificate(options, nullptr);
}

Certificate make_intermediate(const std::string& name, const Certificate& issuer) {
  CertificateOptions options;
  options.common_name = name;
  options.authority = true;
  return make_certificate(options, &issuer);
}

Certificate make_leaf(const std::string& dns_name, const Certificate& issuer) {
  CertificateOptions options;
  options.common_name = dns_name;
  options.dns_names = {dns_name};
  return make_certificate(options, &issuer);
}

}  // namespace callready::test
