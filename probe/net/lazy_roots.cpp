#include "probe/net/lazy_roots.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

#include "probe/platform/input_file.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

constexpr std::size_t most_certificates = 10'000;  // the largest bundles hold some hundreds

constexpr std::size_t largest_bundle = std::size_t{64} << 20U;

template <auto function>
struct Free {
  void operator()(auto* object) const { function(object); }
};
using Certificate = std::unique_ptr<X509, Free<&X509_free>>;
using Name = std::unique_ptr<X509_NAME, Free<&X509_NAME_free>>;
using File = std::unique_ptr<BIO, Free<&BIO_free>>;

Certificate decode(const PemCertificate& source) {
  const auto* at = bytes_of(*source.der).data();
  const auto size = static_cast<long>(source.der->size());
  return Certificate(source.with_trust ? d2i_X509_AUX(nullptr, &at, size)
                                       : d2i_X509(nullptr, &at, size));
}

// Takes one DER element from the front of `text`. Empty if there is no complete one.
std::string_view take_element(std::string_view& text, bool only_content) {
  const auto byte = [&](std::size_t i) { return std::size_t{bytes_of(text)[i]}; };
  if (text.size() < 2) return {};
  std::size_t head = 2, size = byte(1);
  if (size >= 0x80) {
    const auto more = size & 0x7f;
    if (more == 0 || more > 4 || text.size() < head + more) return {};
    size = 0;
    for (std::size_t i = 0; i < more; ++i) size = size << 8 | byte(head + i);
    head += more;
  }
  if (size > text.size() - head) return {};
  const auto whole = text.substr(0, head + size);
  text.remove_prefix(whole.size());
  return only_content ? whole.substr(head) : whole;
}

std::optional<unsigned long> hash_of(const X509_NAME* name) {
  int done = 0;
  const auto hash = X509_NAME_hash_ex(name, nullptr, nullptr, &done);
  if (done != 1) return std::nullopt;
  return hash;
}

// The certificates of one store that nobody has asked for yet, by the hash of their subjects.
class LazyCertificateStore {
 public:
  void add(PemCertificate source) {
    if (source.subject) places_[*source.subject].push_back({std::move(source), nullptr});
  }

  // Puts those with that subject into the store, which then owns them. Returns the first, or null.
  X509* find(const X509_NAME* name, X509_STORE* store) {
    const auto key = hash_of(name);
    const std::lock_guard lock(mutex_);  // libraries verify on threads of their own
    const auto found = key ? places_.find(*key) : places_.end();
    if (found == places_.end()) return nullptr;
    X509* first = nullptr;
    for (auto& place : found->second) {
      if (!place.certificate && place.source.der) {
        place.certificate = decode(place.source);
        place.source.der.reset();
        if (place.certificate) X509_STORE_add_cert(store, place.certificate.get());
      }
      auto* certificate = place.certificate.get();
      const bool same =
          certificate != nullptr && X509_NAME_cmp(X509_get_subject_name(certificate), name) == 0;
      if (same && first == nullptr) first = certificate;
    }
    return first;
  }

 private:
  struct Place {
    PemCertificate source;
    Certificate certificate;  // once it was asked for
  };

  std::mutex mutex_;
  std::unordered_map<unsigned long, std::vector<Place>> places_;
};

LazyCertificateStore* shelf_of(X509_LOOKUP* lookup) {
  return static_cast<LazyCertificateStore*>(X509_LOOKUP_get_method_data(lookup));
}

// OpenSSL would leak what it holds if this threw.
int on_new(X509_LOOKUP* lookup) {
  auto* shelf = new (std::nothrow) LazyCertificateStore;
  return shelf == nullptr ? 0 : X509_LOOKUP_set_method_data(lookup, shelf);
}
void on_free(X509_LOOKUP* lookup) { delete shelf_of(lookup); }

int on_subject(X509_LOOKUP* lookup, X509_LOOKUP_TYPE type, const X509_NAME* name,
               X509_OBJECT* result) {
  if (type != X509_LU_X509) return 0;
  auto* found = shelf_of(lookup)->find(name, X509_LOOKUP_get_store(lookup));
  if (found == nullptr) return 0;
  // The caller takes a reference of its own, so ours is dropped.
  if (X509_OBJECT_set1_X509(result, found) != 1) return 0;
  X509_free(found);
  return 1;
}

X509_LOOKUP_METHOD* lookup_method() {
  static X509_LOOKUP_METHOD* const method = [] {
    auto* made = X509_LOOKUP_meth_new("certificates of a PEM file");
    if (made == nullptr) throw std::bad_alloc();
    X509_LOOKUP_meth_set_new_item(made, &on_new);
    X509_LOOKUP_meth_set_free(made, &on_free);
    X509_LOOKUP_meth_set_get_by_subject(made, &on_subject);
    return made;
  }();
  return method;
}

}  // namespace

PemCertificate::PemCertificate(std::string bytes, bool trust)
    : der(std::make_shared<const std::string>(std::move(bytes))), with_trust(trust) {
  const auto name_der = subject_of(*der);
  const auto* at = bytes_of(name_der).data();
  const Name name(d2i_X509_NAME(nullptr, &at, static_cast<long>(name_der.size())));
  if (name) subject = hash_of(name.get());
}

std::string PemCertificate::sha256() const {
  // OpenSSL's own settings behind the certificate are not part of it.
  auto rest = std::string_view(*der);
  const auto whole = take_element(rest, false);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(whole.data(), whole.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return {digest.begin(), digest.begin() + size};
}

std::vector<PemCertificate> read_certificates(const std::string& path) {
  std::vector<PemCertificate> found;
  const auto input = platform::read_input(path, largest_bundle);
  const File file(BIO_new_mem_buf(input.text.data(), static_cast<int>(input.text.size())));
  while (file && found.size() < most_certificates) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(file.get(), &name, &header, &data, &size) != 1) break;
    const std::unique_ptr<char, void (*)(char*)> free_name(name, [](char* p) { OPENSSL_free(p); });
    const std::unique_ptr<char, void (*)(char*)> free_header(header,
                                                             [](char* p) { OPENSSL_free(p); });
    const std::unique_ptr<unsigned char, void (*)(unsigned char*)> free_data(
        data, [](unsigned char* p) { OPENSSL_free(p); });
    const std::string_view kind(name);
    const bool with_trust = kind == PEM_STRING_X509_TRUSTED;
    if (!with_trust && kind != PEM_STRING_X509 && kind != PEM_STRING_X509_OLD) continue;
    found.emplace_back(std::string(data, data + size), with_trust);
  }
  ERR_clear_error();  // the end of the file is an error to OpenSSL
  return found;
}

std::optional<PemCertificate> read_der(const std::string& path) {
  auto input = platform::read_input(path, largest_bundle);
  PemCertificate certificate(std::move(input.text), false);
  ERR_clear_error();  // a file without a certificate is an error to OpenSSL
  return certificate.subject ? std::optional(std::move(certificate)) : std::nullopt;
}

const std::vector<PemCertificate>& PemFiles::read(const std::string& path) {
  const auto known = files_.find(path);
  if (known != files_.end()) return known->second;
  return files_.emplace(path, read_certificates(path)).first->second;
}

void add_when_needed(X509_STORE* store, std::vector<PemCertificate> certificates) {
  auto* lookup = X509_STORE_add_lookup(store, lookup_method());
  if (lookup == nullptr) throw std::bad_alloc();
  for (auto& certificate : certificates) shelf_of(lookup)->add(std::move(certificate));
}

std::string_view subject_of(std::string_view der) {
  auto certificate = take_element(der, true);
  auto rest = take_element(certificate, true);  // of TBSCertificate
  constexpr char version = '\xa0';              // [0], left out where it is 1
  if (!rest.empty() && rest.front() == version) take_element(rest, false);
  for (int i = 0; i < 4; ++i) {  // serialNumber, signature, issuer, validity
    if (take_element(rest, false).empty()) return {};
  }
  return take_element(rest, false);
}

}  // namespace callready
