#include "probe/serve/certificates.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>

#include "probe/net/address.hpp"
#include "probe/util/digest.hpp"

namespace callready::serve {
namespace {

void demand(bool done, const char* step) {
  if (done) return;
  const char* reason = ERR_reason_error_string(ERR_get_error());
  throw std::runtime_error(std::string("certificate: ") + step + ": " +
                           (reason != nullptr ? reason : "failed"));
}

void add_name_entry(X509_NAME* name, const char* field, const std::string& value) {
  const std::string cut = value.substr(0, 64);  // ub-common-name, ub-organization-name
  demand(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(cut.data()),
                                    static_cast<int>(cut.size()), -1, 0) == 1,
         field);
}

void add_extension(X509* certificate, X509V3_CTX* context, int nid, const char* value) {
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, context, nid, value), &X509_EXTENSION_free);
  demand(extension && X509_add_ext(certificate, extension.get(), -1) == 1, value);
}

void add_alternative_names(X509* certificate, const std::vector<std::string>& names) {
  if (names.empty()) return;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> all(GENERAL_NAMES_new(),
                                                                          &GENERAL_NAMES_free);
  demand(all != nullptr, "subjectAltName");
  for (const auto& text : names) {
    const auto address = IpAddress::parse(text);
    std::string bytes = text;
    if (address) {
      bytes.assign(reinterpret_cast<const char*>(address->bytes().data()),
                   static_cast<std::size_t>(address->bits()) / 8);
    }
    std::unique_ptr<ASN1_STRING, decltype(&ASN1_STRING_free)> value(
        ASN1_STRING_type_new(address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING), &ASN1_STRING_free);
    std::unique_ptr<GENERAL_NAME, decltype(&GENERAL_NAME_free)> name(GENERAL_NAME_new(),
                                                                     &GENERAL_NAME_free);
    demand(value && name, "subjectAltName");
    demand(ASN1_STRING_set(value.get(), bytes.data(), static_cast<int>(bytes.size())) == 1,
           "subjectAltName");
    GENERAL_NAME_set0_value(name.get(), address ? GEN_IPADD : GEN_DNS, value.release());
    demand(sk_GENERAL_NAME_push(all.get(), name.get()) > 0, "subjectAltName");
    static_cast<void>(name.release());  // the list owns it now
  }
  demand(
      X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), 0, X509V3_ADD_DEFAULT) == 1,
      "subjectAltName");
}

// X509_time_adj_ex and not ASN1_TIME_set: it changes to GeneralizedTime in 2050 (RFC 5280 4.1.2.5).
void set_time(ASN1_TIME* field, WallTime when) {
  std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  demand(X509_time_adj_ex(field, 0, 0, &seconds) != nullptr, "validity");
}

void set_serial(X509* certificate) {
  // 20 octets at most and positive (RFC 5280 section 4.1.2.2); 16 random ones are unique enough.
  auto bytes = random_bytes<16>();
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(
      BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr), &BN_free);
  demand(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
         "serial number");
}

template <typename Write>
std::string printed(const char* what, Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  demand(out && write(out.get()) == 1, what);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// A P-256 key from random bytes, of which there are 128 bits more than the key has, so that no key
// is likelier than another (FIPS 186-5, appendix A.2.1).
std::shared_ptr<EVP_PKEY> key_from(const std::vector<std::uint8_t>& seed) {
  const std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)> group(
      EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), &EC_GROUP_free);
  const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> scratch(BN_CTX_secure_new(), &BN_CTX_free);
  const std::unique_ptr<BIGNUM, decltype(&BN_clear_free)> secret(
      BN_bin2bn(seed.data(), static_cast<int>(seed.size()), nullptr), &BN_clear_free);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> range(BN_new(), &BN_free);
  demand(group && scratch && secret && range, "key");
  const std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)> point(EC_POINT_new(group.get()),
                                                                  &EC_POINT_free);
  // 1 to n - 1.
  demand(point && BN_sub(range.get(), EC_GROUP_get0_order(group.get()), BN_value_one()) == 1 &&
             BN_nnmod(secret.get(), secret.get(), range.get(), scratch.get()) == 1 &&
             BN_add_word(secret.get(), 1) == 1 &&
             EC_POINT_mul(group.get(), point.get(), secret.get(), nullptr, nullptr,
                          scratch.get()) == 1,
         "key");
  std::array<unsigned char, 65> shown{};
  demand(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, shown.data(),
                            shown.size(), scratch.get()) == shown.size(),
         "key");
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder(
      OSSL_PARAM_BLD_new(), &OSSL_PARAM_BLD_free);
  demand(builder &&
             OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                             SN_X9_62_prime256v1, 0) == 1 &&
             OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, shown.data(),
                                              shown.size()) == 1 &&
             OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get()) == 1,
         "key");
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parts(
      OSSL_PARAM_BLD_to_param(builder.get()), &OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), &EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  demand(parts && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
             EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parts.get()) == 1,
         "key");
  return {key, &EVP_PKEY_free};
}

}  // namespace

Certificate Certificate::make(const CertificateOptions& options, const Certificate* issuer) {
  Certificate made;
  if (options.key_seed.empty()) {
    made.key_.reset(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  } else {
    made.key_ = key_from(options.key_seed);
  }
  demand(made.key_ != nullptr, "key");
  made.x509_.reset(X509_new(), &X509_free);
  X509* certificate = made.x509();
  demand(certificate != nullptr && X509_set_version(certificate, X509_VERSION_3) == 1, "version");
  set_serial(certificate);
  set_time(X509_getm_notBefore(certificate), options.not_before);
  set_time(X509_getm_notAfter(certificate), options.not_after);
  X509_NAME* subject = X509_get_subject_name(certificate);
  if (!options.organization.empty()) add_name_entry(subject, "O", options.organization);
  add_name_entry(subject, "CN", options.common_name);
  X509* authority = issuer != nullptr ? issuer->x509() : certificate;
  EVP_PKEY* signer = issuer != nullptr ? issuer->key() : made.key();
  demand(X509_set_issuer_name(certificate, X509_get_subject_name(authority)) == 1, "issuer");
  demand(X509_set_pubkey(certificate, made.key()) == 1, "public key");
  X509V3_CTX context;
  X509V3_set_ctx(&context, authority, certificate, nullptr, nullptr, 0);
  add_extension(certificate, &context, NID_subject_key_identifier, "hash");
  add_extension(certificate, &context, NID_authority_key_identifier, "keyid");
  if (options.authority) {
    add_extension(certificate, &context, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, &context, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    add_extension(certificate, &context, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate, &context, NID_key_usage, "critical,digitalSignature");
    add_extension(certificate, &context, NID_ext_key_usage, "serverAuth");
  }
  add_alternative_names(certificate, options.names);
  demand(X509_sign(certificate, signer, EVP_sha256()) > 0, "signature");
  return made;
}

Certificate Certificate::self_signed(const CertificateOptions& options) {
  return make(options, nullptr);
}

Certificate Certificate::issue(const CertificateOptions& options) const {
  return make(options, this);
}

std::string Certificate::pem() const {
  return printed("PEM", [this](BIO* out) { return PEM_write_bio_X509(out, x509()); });
}

std::string Certificate::key_pem() const {
  return printed("PEM", [this](BIO* out) {
    return PEM_write_bio_PrivateKey(out, key(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

std::string Certificate::public_key_sha256() const {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key(), &der);
  demand(size > 0, "public key");
  const std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return sha256_hex(bytes);
}

std::shared_ptr<asio::ssl::context> server_context(const Certificate& leaf,
                                                   const std::vector<Certificate>& intermediates) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  demand(SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) == 1, "protocol version");
  demand(SSL_CTX_use_certificate(native, leaf.x509()) == 1, "server certificate");
  demand(SSL_CTX_use_PrivateKey(native, leaf.key()) == 1, "server key");
  for (const auto& intermediate : intermediates) {
    demand(SSL_CTX_add1_chain_cert(native, intermediate.x509()) == 1, "chain");
  }
  // Otherwise OpenSSL would complete the chain by itself from what it trusts, and a server that
  // forgets its intermediate could not be imitated.
  SSL_CTX_set_mode(native, SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(native, 0);
  return context;
}

}  // namespace callready::serve
