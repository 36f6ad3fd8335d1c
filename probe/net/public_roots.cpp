#include "probe/net/public_roots.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <filesystem>
#include <new>
#include <set>

#include "probe/net/lazy_roots.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/digest.hpp"

namespace callready {
namespace {

// Mozilla's list as distributions install it: Debian, Fedora, SUSE, Alpine and the BSDs.
constexpr std::array bundles = {
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
// Where administrators add to it (update-ca-certificates, update-ca-trust): Debian and Alpine,
// Fedora, SUSE, Arch.
constexpr std::array additions = {"/usr/local/share/ca-certificates",
                                  "/etc/pki/ca-trust/source/anchors", "/etc/pki/trust/anchors",
                                  "/etc/ca-certificates/trust-source/anchors"};
constexpr int most_files = 1'000;

std::set<std::string> digests_of(const std::vector<PemCertificate>& certificates) {
  std::set<std::string> digests;
  for (const auto& certificate : certificates) digests.insert(certificate.sha256());
  return digests;
}

std::set<std::string> added_by_the_administrator(PemFiles& files) {
  std::set<std::string> added;
  for (const auto* folder : additions) added.merge(digests_below(files, folder));
  return added;
}

using SharedRoots = std::shared_ptr<PublicRoots>;

void free_roots(void*, void* share, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<SharedRoots*>(share);
}

int index() {
  static const int number = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0, nullptr, nullptr,
                                                    nullptr, &free_roots);
  return number;
}

// The root of the chain that this machine built; null if it built none.
X509* root_of(const SSL* ssl) {
  auto* verified = SSL_get0_verified_chain(ssl);
  const int size = verified == nullptr ? 0 : sk_X509_num(verified);
  return size == 0 ? nullptr : sk_X509_value(verified, size - 1);
}

// Whether the context's store has this very certificate.
bool has(X509_STORE_CTX* context, const X509* root) {
  if (root == nullptr) return false;
  struct FreeStack {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
  };
  const std::unique_ptr<STACK_OF(X509), FreeStack> same_name(
      X509_STORE_CTX_get1_certs(context, X509_get_subject_name(root)));
  for (int i = 0; same_name && i < sk_X509_num(same_name.get()); ++i) {
    if (X509_cmp(sk_X509_value(same_name.get(), i), root) == 0) return true;
  }
  return false;
}

// OpenSSL could not find the issuer of the last certificate: it is unknown, or was not sent.
bool misses_an_issuer(int error) {
  return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
         error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
         error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
}

}  // namespace

// As update-ca-certificates(8) does: folders and links are followed.
std::set<std::string> digests_below(PemFiles& files, const std::string& folder) {
  namespace fs = std::filesystem;
  constexpr auto how = fs::directory_options::follow_directory_symlink |
                       fs::directory_options::skip_permission_denied;
  std::set<std::string> digests;
  std::error_code error;
  std::set<fs::path> folders{fs::canonical(folder, error)};  // a link may lead back
  if (error) return digests;
  int left = most_files;
  for (fs::recursive_directory_iterator entry(folder, how, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    if (entry->is_directory(gone)) {
      const auto here = fs::canonical(entry->path(), gone);
      if (!folders.insert(here).second) entry.disable_recursion_pending();
    }
    if (!entry->is_regular_file(gone)) continue;
    if (--left < 0) break;
    const auto path = entry->path().string();
    digests.merge(digests_of(files.read(path)));
    if (const auto der = read_der(path)) digests.insert(der->sha256());
  }
  return digests;
}

PublicRoots::PublicRoots(PemFiles& files, const std::vector<std::string>& more) {
  std::vector<PemCertificate> roots;
  for (const auto* bundle : bundles) {
    if (roots.empty()) roots = files.read(bundle);
  }
  if (roots.empty()) return;
  const auto added = added_by_the_administrator(files);
  if (!added.empty()) {
    std::erase_if(roots, [&](const PemCertificate& root) { return added.contains(root.sha256()); });
  }
  const auto public_ones = more.empty() ? std::set<std::string>() : digests_of(roots);
  for (const auto& file : more) {
    const auto& given = files.read(file);
    given_.merge(digests_of(given));
    roots.insert(roots.end(), given.begin(), given.end());
  }
  std::erase_if(given_, [&](const auto& root) { return public_ones.contains(root); });
  const auto own_file = platform::environment(X509_get_default_cert_file_env());
  if (!given_.empty() && !own_file.empty()) users_ = digests_of(files.read(own_file));
  store_.reset(X509_STORE_new());
  if (!store_) throw std::bad_alloc();
  add_when_needed(store_.get(), std::move(roots));
}

void PublicRoots::attach(std::shared_ptr<PublicRoots> roots, X509_STORE* store) {
  auto share = std::make_unique<SharedRoots>(std::move(roots));
  if (X509_STORE_set_ex_data(store, index(), share.get()) == 1) share.release();
}

const PublicRoots* PublicRoots::of(const SSL* ssl) {
  auto* store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
  const auto* share = static_cast<const SharedRoots*>(X509_STORE_get_ex_data(store, index()));
  return share == nullptr ? nullptr : share->get();
}

PublicRoots::Vouched PublicRoots::vouched_by(const X509* root) const {
  Vouched vouched{.expected = true};
  if (root == nullptr || given_.empty()) return vouched;
  const auto digest = sha256_of(root);
  vouched.given = given_.contains(digest);
  vouched.users = vouched.given && users_.contains(digest);
  return vouched;
}

std::optional<PublicRoots::Vouched> PublicRoots::vouch_for(const SSL* ssl,
                                                           bool trusted_here) const {
  auto* chain = SSL_get_peer_cert_chain(ssl);
  if (!store_ || chain == nullptr || sk_X509_num(chain) == 0) return std::nullopt;
  auto* leaf = sk_X509_value(chain, 0);
  struct FreeContext {
    void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  };
  const std::unique_ptr<X509_STORE_CTX, FreeContext> context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), store_.get(), leaf, chain) != 1) {
    return std::nullopt;
  }
  // A chain that this machine has verified needs no second check if its root is one of these.
  if (const auto* root = root_of(ssl); trusted_here && has(context.get(), root)) {
    return vouched_by(root);
  }
  auto* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_NO_CHECK_TIME);
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  const bool verified = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (verified) {
    auto* whole = X509_STORE_CTX_get0_chain(context.get());
    return vouched_by(sk_X509_value(whole, sk_X509_num(whole) - 1));
  }
  // A lone leaf whose intermediate was not sent says nothing, unless this machine has its issuer.
  if (sk_X509_num(chain) == 1 && misses_an_issuer(error) && !trusted_here) return std::nullopt;
  return Vouched{};
}

}  // namespace callready
