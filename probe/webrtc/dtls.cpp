#include "probe/webrtc/dtls.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"

namespace callready::webrtc {

// A memory BIO would run datagrams together; here one write is one datagram.
struct DatagramBio {
  static Dtls& of(BIO* bio) { return *static_cast<Dtls*>(BIO_get_data(bio)); }

  static int write(BIO* bio, const char* bytes, int size) {
    try {
      of(bio).out_.emplace_back(bytes, bytes + size);
    } catch (const std::bad_alloc&) {
      return -1;  // nothing is thrown through OpenSSL
    }
    return size;
  }
  static int read(BIO* bio, char* buffer, int room) {
    auto& waiting = of(bio).in_;
    BIO_clear_retry_flags(bio);
    if (waiting.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const auto size = std::min(waiting.front().size(), static_cast<std::size_t>(room));
    std::copy_n(waiting.front().begin(), size, buffer);
    waiting.pop_front();
    return static_cast<int>(size);
  }
  static long control(BIO*, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;
      case BIO_CTRL_DGRAM_QUERY_MTU:
        return 1'200;  // what fits every path, with room for IP, UDP and a relay's header
      case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return 48;
      default:
        return 0;
    }
  }
  static BIO* make(Dtls* owner) {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
      BIO_meth_set_write(made, &write);
      BIO_meth_set_read(made, &read);
      BIO_meth_set_ctrl(made, &control);
      return made;
    }();
    BIO* bio = BIO_new(method);
    if (bio == nullptr) return nullptr;
    BIO_set_data(bio, owner);
    BIO_set_init(bio, 1);
    return bio;
  }
};

// A cookie, which only somebody who gets our packets at an address can send back from there.
struct Cookie {
  static Dtls& of(SSL* ssl) { return *static_cast<Dtls*>(SSL_get_app_data(ssl)); }
  static auto made(const Dtls& dtls) { return hmac_sha256(dtls.secret_, bytes_of(dtls.from_)); }

  static int make(SSL* ssl, unsigned char* cookie, unsigned* size) {
    const auto bytes = made(of(ssl));
    std::copy(bytes.begin(), bytes.end(), cookie);
    *size = static_cast<unsigned>(bytes.size());
    return 1;
  }
  static int check(SSL* ssl, const unsigned char* cookie, unsigned size) {
    auto& dtls = of(ssl);
    const bool right = is_same_secret(made(dtls), std::span(cookie, size));
    dtls.has_cookie_ = dtls.has_cookie_ || right;
    return right ? 1 : 0;
  }
};

namespace {

constexpr long a_day = 24L * 60 * 60;
// RFC 9147 section 5.8.1 allows less than a second where the round trip is known to be short; ICE
// has just measured it.
constexpr unsigned first_wait_us = 100'000, longest_wait_us = 1'600'000;

std::string fingerprint_of(const X509* certificate) {
  return hex(bytes_of(sha256_of(certificate)));
}

unsigned wait_after(SSL*, unsigned before) {
  return before == 0 ? first_wait_us : std::min(2 * before, longest_wait_us);
}

}  // namespace

Identity::Identity() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  context_.reset(SSL_CTX_new(DTLS_method()), &SSL_CTX_free);
  if (!key || !certificate || !context_) throw std::runtime_error("OpenSSL: no key for DTLS");
  X509* x509 = certificate.get();
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), random_number<std::uint32_t>());
  X509_gmtime_adj(X509_getm_notBefore(x509), -a_day);
  X509_gmtime_adj(X509_getm_notAfter(x509), 30 * a_day);
  auto* name = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("WebRTC"), -1, -1, 0);
  SSL_CTX* context = context_.get();
  const bool made =
      X509_set_version(x509, 2) == 1 && X509_set_issuer_name(x509, name) == 1 &&
      X509_set_pubkey(x509, key.get()) == 1 && X509_sign(x509, key.get(), EVP_sha256()) > 0 &&
      SSL_CTX_use_certificate(context, x509) == 1 &&
      SSL_CTX_use_PrivateKey(context, key.get()) == 1 &&
      SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
      // This one returns 0 for success.
      SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80") == 0;
  if (!made) throw std::runtime_error("OpenSSL: no certificate for DTLS");
  // The peer's identity is its fingerprint, which step() compares.
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     [](int, X509_STORE_CTX*) { return 1; });
  SSL_CTX_set_cookie_generate_cb(context, &Cookie::make);
  SSL_CTX_set_cookie_verify_cb(context, &Cookie::check);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  fingerprint_ = fingerprint_of(x509);
}

Dtls::Dtls(const Identity& identity, bool client, std::string peer)
    : identity_(identity),
      ssl_(SSL_new(identity.context())),
      peer_(std::move(peer)),
      client_(client) {
  BIO* bio = DatagramBio::make(this);
  if (!ssl_ || bio == nullptr) throw std::runtime_error("OpenSSL: no memory for DTLS");
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_mtu(ssl_.get(), 1'200);
  DTLS_set_timer_cb(ssl_.get(), &wait_after);
  SSL_set_app_data(ssl_.get(), this);
  if (client) {
    SSL_set_connect_state(ssl_.get());
  } else {
    fill_with_random(secret_);
    SSL_set_options(ssl_.get(), SSL_OP_COOKIE_EXCHANGE);
    SSL_set_accept_state(ssl_.get());
  }
}

bool Dtls::peer_is_right() const {
  const std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(ssl_.get()),
                                                          &X509_free);
  return shown && fingerprint_of(shown.get()) == peer_;
}

void Dtls::step() {
  const auto before = out_.size();
  ERR_clear_error();
  if (state_ == State::handshake) {
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) {
      state_ = peer_is_right() ? State::connected : State::wrong_fingerprint;
    } else if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) {
      state_ = State::failed;
    }
  } else {
    // During a call, DTLS carries only what ends it, and flights that are sent again after a loss.
    std::array<char, 256> nothing;
    while (SSL_read(ssl_.get(), nothing.data(), nothing.size()) > 0) {
    }
  }
  if (out_.size() > before) ++flights_;
  in_.clear();
  ERR_clear_error();
}

void Dtls::take(std::span<const std::uint8_t> datagram, std::string_view from) {
  // Nobody reads any more: keeping datagrams would let the other end fill our memory.
  if (state_ == State::failed || state_ == State::wrong_fingerprint) return;
  from_ = from;
  in_.emplace_back(datagram.begin(), datagram.end());
  step();
}

void Dtls::tick() {
  timeval left{};
  if (state_ != State::handshake || DTLSv1_get_timeout(ssl_.get(), &left) != 1) return;
  if (left.tv_sec != 0 || left.tv_usec != 0) return;
  const auto before = out_.size();
  ERR_clear_error();
  if (DTLSv1_handle_timeout(ssl_.get()) < 0) state_ = State::failed;
  if (out_.size() > before) ++flights_;
  ERR_clear_error();
}

std::optional<SrtpKeys> Dtls::keys() const {
  const auto* chosen = SSL_get_selected_srtp_profile(ssl_.get());
  if (state_ != State::connected || chosen == nullptr) return std::nullopt;
  SrtpKeys keys;
  const bool gcm = chosen->id == SRTP_AEAD_AES_128_GCM;
  keys.profile = gcm ? SrtpProfile::aead_aes_128_gcm : SrtpProfile::aes128_cm_sha1_80;
  // RFC 5764 section 4.2: the client's key, the server's key, the client's salt, the server's salt.
  const std::ptrdiff_t key = 16, salt = gcm ? 12 : 14;
  Bytes material(static_cast<std::size_t>(2 * (key + salt)));
  static constexpr std::string_view label = "EXTRACTOR-dtls_srtp";
  if (SSL_export_keying_material(ssl_.get(), material.data(), material.size(), label.data(),
                                 label.size(), nullptr, 0, 0) != 1) {
    return std::nullopt;
  }
  const auto at = material.begin();
  Bytes clients(at, at + key), servers(at + key, at + 2 * key);
  clients.insert(clients.end(), at + 2 * key, at + 2 * key + salt);
  servers.insert(servers.end(), at + 2 * key + salt, material.end());
  keys.sending = client_ ? clients : servers;
  keys.receiving = client_ ? servers : clients;
  return keys;
}

}  // namespace callready::webrtc
