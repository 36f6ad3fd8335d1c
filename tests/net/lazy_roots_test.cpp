#include "probe/net/lazy_roots.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <memory>

#include "tests/support/certificates.hpp"
#include "tests/support/temporary_file.hpp"

namespace callready {
namespace {

using test::Certificate;

struct FreeStore {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};
using Store = std::unique_ptr<X509_STORE, FreeStore>;

Store store_with(const std::string& pem) {
  const test::TemporaryFile file(pem);
  Store store(X509_STORE_new());
  add_when_needed(store.get(), read_certificates(file.path()));
  return store;
}

bool verifies(X509_STORE* store, const Certificate& leaf, const Certificate* between = nullptr) {
  struct FreeContext {
    void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  };
  struct FreeStack {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
  };
  const std::unique_ptr<STACK_OF(X509), FreeStack> sent(sk_X509_new_null());
  if (between != nullptr) sk_X509_push(sent.get(), between->x509.get());
  const std::unique_ptr<X509_STORE_CTX, FreeContext> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store, leaf.x509.get(), sent.get());
  return X509_verify_cert(context.get()) == 1;
}

int decoded(X509_STORE* store) { return sk_X509_OBJECT_num(X509_STORE_get0_objects(store)); }

class LazyRoots : public testing::Test {
 protected:
  const Certificate one = test::make_authority("Root One"), two = test::make_authority("Root Two");
};

TEST_F(LazyRoots, FindsTheRootOfAChainAndDecodesNoOther) {
  const auto store = store_with(one.pem() + two.pem());
  EXPECT_EQ(decoded(store.get()), 0);
  EXPECT_TRUE(verifies(store.get(), test::make_leaf("a.example.com", two)));
  EXPECT_EQ(decoded(store.get()), 1);
  EXPECT_TRUE(verifies(store.get(), test::make_leaf("b.example.com", two)));
  EXPECT_EQ(decoded(store.get()), 1);
  const auto between = test::make_intermediate("Issuing", one);
  EXPECT_TRUE(verifies(store.get(), test::make_leaf("c.example.com", between), &between));
  EXPECT_EQ(decoded(store.get()), 2);
}

TEST_F(LazyRoots, DoesNotFindWhatIsNotThere) {
  const auto store = store_with(one.pem());
  EXPECT_FALSE(verifies(store.get(), test::make_leaf("a.example.com", two)));
  const auto same_name = test::make_authority("Root One");
  EXPECT_FALSE(verifies(store.get(), test::make_leaf("a.example.com", same_name)))
      << "only the name is the same";
}

// An authority that renewed its key goes by the same name: both are tried.
TEST_F(LazyRoots, TriesAllOfOneName) {
  const auto renewed = test::make_authority("Root One");
  const auto store = store_with(one.pem() + renewed.pem());
  EXPECT_TRUE(verifies(store.get(), test::make_leaf("a.example.com", renewed)));
  EXPECT_TRUE(verifies(store.get(), test::make_leaf("a.example.com", one)));
}

TEST_F(LazyRoots, TakesFilesOneAfterTheOther) {
  const auto store = store_with(one.pem());
  const test::TemporaryFile more(two.pem());
  add_when_needed(store.get(), read_certificates(more.path()));
  EXPECT_TRUE(verifies(store.get(), test::make_leaf("a.example.com", one)));
  EXPECT_TRUE(verifies(store.get(), test::make_leaf("a.example.com", two)));
}

TEST_F(LazyRoots, ReadsOverWhatIsNoCertificate) {
  const std::string other = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
  const std::string broken = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
  const auto store = store_with("# a comment\n" + other + one.pem() + broken + two.pem());
  EXPECT_TRUE(verifies(store.get(), test::make_leaf("a.example.com", one)));
  EXPECT_TRUE(verifies(store.get(), test::make_leaf("a.example.com", two)));
}

TEST_F(LazyRoots, NoFileIsNoCertificates) {
  EXPECT_TRUE(read_certificates("/nowhere/ca.pem").empty());
  EXPECT_TRUE(read_certificates(test::TemporaryFile("no PEM").path()).empty());
}

TEST_F(LazyRoots, TellsCertificatesByTheirDigest) {
  const test::TemporaryFile file(one.pem() + two.pem());
  const auto read = read_certificates(file.path());
  ASSERT_EQ(read.size(), 2u);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  ASSERT_EQ(X509_digest(two.x509.get(), EVP_sha256(), digest, &size), 1);
  EXPECT_EQ(read[1].sha256(), std::string(digest, digest + size));
}

// OpenSSL's own settings behind a TRUSTED CERTIFICATE are no part of it.
TEST_F(LazyRoots, TellsTrustedCertificatesByTheSameDigest) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  X509_add1_trust_object(one.x509.get(), OBJ_nid2obj(NID_server_auth));
  ASSERT_EQ(PEM_write_bio_X509_AUX(out.get(), one.x509.get()), 1);
  X509_trust_clear(one.x509.get());
  char* data = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(out.get(), &data));
  const test::TemporaryFile trusted(std::string_view(data, size)), plain(one.pem());
  const auto read = read_certificates(trusted.path());
  ASSERT_EQ(read.size(), 1u);
  EXPECT_TRUE(read[0].with_trust);
  EXPECT_EQ(read[0].sha256(), read_certificates(plain.path()).front().sha256());
}

TEST_F(LazyRoots, ReadsOneWithoutPem) {
  const test::TemporaryFile pem(one.pem()), nothing("");
  const auto known = read_certificates(pem.path()).front();
  const test::TemporaryFile der(*known.der);
  const auto read = read_der(der.path());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sha256(), known.sha256());
  EXPECT_FALSE(read_der(pem.path()));
  EXPECT_FALSE(read_der(nothing.path()));
  EXPECT_FALSE(read_der("/nowhere/ca.der"));
}

TEST_F(LazyRoots, FindsTheSubjectInWholeCertificatesOnly) {
  const test::TemporaryFile file(one.pem());
  const auto der = *read_certificates(file.path()).front().der;
  const auto subject = subject_of(der);
  ASSERT_FALSE(subject.empty());
  EXPECT_NE(subject.find("Root One"), subject.npos);
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_TRUE(subject_of(std::string_view(der).substr(0, size)).empty()) << size;
  }
  EXPECT_TRUE(subject_of("\x30\x84\xff\xff\xff\xff").empty());
  EXPECT_TRUE(subject_of("\x30\x80").empty());
  EXPECT_TRUE(subject_of("not DER at all").empty());
}

}  // namespace
}  // namespace callready
