#include "probe/serve/certificates.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace callready::serve {
namespace {

using std::chrono::hours;
using std::chrono::system_clock;

// What OpenSSL's verifier says of a chain that ends at `root`, for a host name.
int verified(const Certificate& root, const Certificate& leaf,
             const std::vector<Certificate>& intermediates, const char* name) {
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(),
                                                                      &X509_STORE_free);
  X509_STORE_add_cert(store.get(), root.x509());
  STACK_OF(X509)* others = sk_X509_new_null();
  for (const auto& one : intermediates) sk_X509_push(others, one.x509());
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(
      X509_STORE_CTX_new(), &X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store.get(), leaf.x509(), others);
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  if (IpAddress::parse(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, name);
  } else {
    X509_VERIFY_PARAM_set1_host(parameters, name, 0);
  }
  X509_verify_cert(context.get());
  const int code = X509_STORE_CTX_get_error(context.get());
  sk_X509_free(others);
  return code;
}

struct CertificatesTest : testing::Test {
  static CertificateOptions authority(const std::string& name) {
    CertificateOptions options;
    options.common_name = name;
    options.authority = true;
    return options;
  }
  static CertificateOptions server() {
    CertificateOptions options;
    options.names = {"www.callready.test", "*.wild.callready.test", "127.0.0.1", "2001:db8::1"};
    return options;
  }
  Certificate root = Certificate::self_signed(authority("Test Root"));
};

TEST_F(CertificatesTest, ALeafIsValidForItsNamesAndAddresses) {
  const auto leaf = root.issue(server());
  EXPECT_EQ(verified(root, leaf, {}, "www.callready.test"), X509_V_OK);
  EXPECT_EQ(verified(root, leaf, {}, "a.wild.callready.test"), X509_V_OK);
  EXPECT_EQ(verified(root, leaf, {}, "127.0.0.1"), X509_V_OK);
  EXPECT_EQ(verified(root, leaf, {}, "2001:db8::1"), X509_V_OK);
  EXPECT_EQ(verified(root, leaf, {}, "mail.callready.test"), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verified(root, leaf, {}, "127.0.0.2"), X509_V_ERR_IP_ADDRESS_MISMATCH);
}

TEST_F(CertificatesTest, DatesAreThoseAsked) {
  auto options = server();
  const auto now = system_clock::now();
  options.not_before = now - hours(48);
  options.not_after = now - hours(24);
  EXPECT_EQ(verified(root, root.issue(options), {}, "www.callready.test"),
            X509_V_ERR_CERT_HAS_EXPIRED);
  options.not_before = now + hours(24);
  options.not_after = now + hours(24 * 365 * 60);  // beyond 2050: GeneralizedTime
  EXPECT_EQ(verified(root, root.issue(options), {}, "www.callready.test"),
            X509_V_ERR_CERT_NOT_YET_VALID);
  options.not_before = now - hours(1);
  EXPECT_EQ(verified(root, root.issue(options), {}, "www.callready.test"), X509_V_OK);
}

TEST_F(CertificatesTest, AnIntermediateIsNeeded) {
  const auto intermediate = root.issue(authority("Test Intermediate"));
  const auto leaf = intermediate.issue(server());
  EXPECT_EQ(verified(root, leaf, {intermediate}, "www.callready.test"), X509_V_OK);
  EXPECT_EQ(verified(root, leaf, {}, "www.callready.test"),
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

TEST_F(CertificatesTest, ALeafIsNoAuthority) {
  const auto pretender = root.issue(server());
  const auto leaf = pretender.issue(server());
  EXPECT_EQ(verified(root, leaf, {pretender}, "www.callready.test"), X509_V_ERR_INVALID_CA);
}

TEST_F(CertificatesTest, SelfSignedIsNotTrusted) {
  const auto alone = Certificate::self_signed(server());
  EXPECT_EQ(verified(root, alone, {}, "www.callready.test"),
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

TEST_F(CertificatesTest, LongNamesAreCutAndNotRefused) {
  CertificateOptions options;
  options.common_name = std::string(200, 'x');
  options.organization = std::string(200, 'y');
  const auto made = Certificate::self_signed(options);
  char name[256];
  X509_NAME_get_text_by_NID(X509_get_subject_name(made.x509()), NID_commonName, name, sizeof name);
  EXPECT_EQ(std::string(name), std::string(64, 'x'));
}

TEST_F(CertificatesTest, PemIsReadBackAndTheKeyFits) {
  const auto leaf = root.issue(server());
  const auto certificate_pem = leaf.pem();
  const auto key_pem = leaf.key_pem();
  const std::unique_ptr<BIO, decltype(&BIO_free)> certificate_in(
      BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())), &BIO_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> key_in(
      BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())), &BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(certificate_in.get(), nullptr, nullptr, nullptr), &X509_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(key_in.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  ASSERT_TRUE(certificate && key);
  EXPECT_EQ(X509_cmp(certificate.get(), leaf.x509()), 0);
  EXPECT_EQ(X509_check_private_key(certificate.get(), key.get()), 1);
}

TEST_F(CertificatesTest, TwoLeavesHaveTheirOwnSerialsAndKeys) {
  const auto one = root.issue(server());
  const auto two = root.issue(server());
  EXPECT_NE(
      ASN1_INTEGER_cmp(X509_get0_serialNumber(one.x509()), X509_get0_serialNumber(two.x509())), 0);
  EXPECT_EQ(EVP_PKEY_eq(one.key(), two.key()), 0);
}

TEST(CertificateKey, IsThatOfItsSeed) {
  CertificateOptions options;
  options.key_seed = std::vector<std::uint8_t>(48, 7);
  const auto one = Certificate::self_signed(options), again = Certificate::self_signed(options);
  EXPECT_EQ(one.key_pem(), again.key_pem());
  EXPECT_EQ(one.public_key_sha256(), again.public_key_sha256());
  EXPECT_NE(one.pem(), again.pem());
  EXPECT_EQ(X509_verify(again.x509(), one.key()), 1) << "a pair";
  options.key_seed[47] = 8;
  EXPECT_NE(Certificate::self_signed(options).public_key_sha256(), one.public_key_sha256());
  options.key_seed.assign(48, 0xff);  // more than the order, by far
  EXPECT_EQ(X509_verify(Certificate::self_signed(options).x509(),
                        Certificate::self_signed(options).key()),
            1);
}

}  // namespace
}  // namespace callready::serve
