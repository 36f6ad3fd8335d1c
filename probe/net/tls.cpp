#include "probe/net/tls.hpp"

#include <openssl/err.h>

#include <filesystem>

#include "probe/net/lazy_roots.hpp"
#include "probe/net/public_roots.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/tls_over.hpp"
#include "probe/net/tls_record.hpp"
#include "probe/net/tls_socket.hpp"
#include "probe/platform/system.hpp"
#include "probe/platform/trust.hpp"
#include "probe/util/path.hpp"

namespace callready {
Failure classify_tls(unsigned long raw) {
  Failure failure;
  const int reason = ERR_GET_REASON(raw);
  // OpenSSL reports an alert of the peer as reason 1000 + alert number (ssl(7), RFC 8446 section
  // 6).
  if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
    failure.kind = FailureKind::tls_alert;
    failure.code = reason - SSL_AD_REASON_OFFSET;
  } else if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    failure.kind = FailureKind::closed_by_peer;
  } else {
    failure.kind = FailureKind::tls_protocol;
    failure.code = reason;
  }
  const char* words = ERR_reason_error_string(raw);
  failure.text = words == nullptr ? "an error of TLS" : words;
  return failure;
}

namespace {

class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<TlsSocket> socket, std::unique_ptr<TlsRecord> record)
      : record_(std::move(record)), socket_(std::move(socket)) {}

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> buffer, Scope scope,
                                                 Instant deadline) override {
    return socket_->read_some(buffer, scope, deadline);
  }

  asio::awaitable<Result<void>> write(std::span<const std::uint8_t> bytes, Scope scope,
                                      Instant deadline) override {
    return socket_->write(bytes, scope, deadline);
  }

  SocketAddress local() const override { return local_end_of(socket_->below()); }
  SocketAddress remote() const override { return remote_end_of(socket_->below()); }

 private:
  std::unique_ptr<TlsRecord> record_;  // outlives the SSL object that points to it
  std::unique_ptr<TlsSocket> socket_;
};

// Wire format of ALPN: each protocol with its length before it (RFC 7301 section 3.1).
std::string alpn_list(const std::vector<std::string>& protocols) {
  std::string list;
  for (const auto& protocol : protocols) {
    list += static_cast<char>(protocol.size());
    list += protocol;
  }
  return list;
}

}  // namespace

void prepare_tls(SSL* ssl, const TlsOptions& options, TlsRecord* record) {
  watch(ssl, record);
  record->padding.assign(options.padding, 0);
  const bool literal = IpAddress::parse(options.server_name).has_value();
  // RFC 6066 section 3: literal addresses are not permitted in SNI.
  if (!literal && !options.server_name.empty()) {
    SSL_set_tlsext_host_name(ssl, options.server_name.c_str());
  }
  if (options.check_name && !options.server_name.empty()) {
    expect_name(SSL_get0_param(ssl), options.server_name);
  }
  const auto list = alpn_list(options.alpn);
  if (!list.empty()) {
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned>(list.size()));
  }
}

namespace {

struct FreeStore {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};
using Store = std::unique_ptr<X509_STORE, FreeStore>;

// Like X509_STORE_set_default_paths(), except that only those certificates of the file are decoded
// that are asked for. In the folder they are found by their names.
Store system_store(PemFiles& files) {
  Store store(X509_STORE_new());
  if (!store) throw std::bad_alloc();
  auto file = platform::environment(X509_get_default_cert_file_env());
  if (file.empty()) {
    file = X509_get_default_cert_file();
    // OpenSSL looks where the system that it was built on keeps them, which can be another one.
    if (!platform::is_file(file)) file = platform::trusted_roots();
  }
  auto authorities = files.read(file);
  for (auto& der : platform::system_authorities()) authorities.emplace_back(std::move(der), false);
  add_when_needed(store.get(), std::move(authorities));
  if (auto* folder = X509_STORE_add_lookup(store.get(), X509_LOOKUP_hash_dir())) {
    X509_LOOKUP_add_dir(folder, nullptr, X509_FILETYPE_DEFAULT);
  }
  return store;
}

std::optional<std::string> why_unreadable(const std::string& file) {
  // The file is read more than once; a pipe would make us wait.
  using std::filesystem::file_type;
  std::error_code error;
  const auto type = std::filesystem::status(path_of(file), error).type();
  if (type == file_type::not_found) return "there is no such file";
  if (error) return error.message();
  if (type != file_type::regular) return "it is not a regular file";
  const Store scratch(X509_STORE_new());
  ERR_clear_error();
  if (X509_STORE_load_file(scratch.get(), file.c_str()) == 1) return std::nullopt;
  const auto* reason = ERR_reason_error_string(ERR_get_error());
  return reason != nullptr ? reason : "it cannot be read";
}

std::unique_ptr<asio::ssl::context> make_context(const std::vector<std::string>& ca_files) {
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  auto* ssl = context->native_handle();
  // As browsers and softphones do (RFC 8996); Asio allows TLS 1.0, whatever the system says.
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_client_cert_cb(ssl, &on_client_certificate);
  allow_padding(ssl);
  PemFiles files;
  auto store = system_store(files);
  for (const auto& file : ca_files) add_when_needed(store.get(), files.read(file));
  PublicRoots::attach(std::make_shared<PublicRoots>(files, ca_files), store.get());
  SSL_CTX_set_cert_store(ssl, store.release());
  return context;
}

}  // namespace

boost::system::result<std::unique_ptr<TlsContext>, std::string> TlsContext::create(
    const std::vector<std::string>& ca_files) {
  for (const auto& file : ca_files) {
    if (const auto why = why_unreadable(file)) {
      return file + ": no certificates could be read: " + *why;
    }
  }
  return std::unique_ptr<TlsContext>(new TlsContext(ca_files));
}

void TlsContext::prepare() {
  if (context_.valid()) return;
  // If there is no thread for it, whoever needs it first does the work.
  const auto policy = std::launch::async | std::launch::deferred;
  context_ = std::async(policy, [files = ca_files_] { return make_context(files); }).share();
}

asio::ssl::context& TlsContext::native() {
  prepare();
  return *context_.get();
}

asio::awaitable<TlsAttempt> tls_handshake(std::unique_ptr<Stream> transport, Scope scope,
                                          TlsContext& context, TlsOptions options) {
  TlsAttempt attempt;
  auto* tcp = dynamic_cast<TcpStream*>(transport.get());
  if (tcp == nullptr) {
    attempt = co_await tls_over(std::move(transport), scope, context, std::move(options));
    co_return attempt;
  }
  auto record = std::make_unique<TlsRecord>();
  auto socket = std::make_unique<TlsSocket>(tcp->release(), context.native().native_handle());
  SSL* ssl = socket->ssl();
  SSL_set_connect_state(ssl);
  prepare_tls(ssl, options, record.get());
  const auto deadline = scope.clock.now() + timeouts::tls_handshake;
  const auto handshake_done = co_await socket->handshake(scope, deadline);
  attempt.info = learn(ssl, *record, !handshake_done.has_error());
  if (handshake_done.has_error()) {
    attempt.stream = handshake_done.error();
  } else {
    attempt.stream = std::make_unique<TlsStream>(std::move(socket), std::move(record));
  }
  co_return attempt;
}

asio::awaitable<Result<std::unique_ptr<Stream>>> tls_accept(std::unique_ptr<TcpStream> transport,
                                                            Scope scope,
                                                            asio::ssl::context& context) {
  auto socket = std::make_unique<TlsSocket>(transport->release(), context.native_handle());
  SSL_set_accept_state(socket->ssl());
  const auto deadline = scope.clock.now() + timeouts::tls_handshake;
  const auto handshake_done = co_await socket->handshake(scope, deadline);
  if (handshake_done.has_error()) co_return handshake_done.error();
  co_return std::make_unique<TlsStream>(std::move(socket), std::make_unique<TlsRecord>());
}

}  // namespace callready
