#include "probe/net/tls.hpp"

#include <openssl/err.h>

#include "probe/net/public_roots.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/tls_over.hpp"
#include "probe/net/tls_record.hpp"

namespace callready {
namespace {

using TlsSocket = asio::ssl::stream<asio::ip::tcp::socket>;

}  // namespace

Failure classify_tls(const error_code& error) {
  if (error.category() != asio::error::get_ssl_category() &&
      error.category() != asio::ssl::error::get_stream_category()) {
    return classify(error);
  }
  Failure failure;
  failure.text = error.message();
  if (error == asio::ssl::error::stream_truncated) {
    failure.kind = FailureKind::closed_by_peer;
    return failure;
  }
  const auto raw = static_cast<unsigned long>(error.value());
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
  if (const char* words = ERR_reason_error_string(raw)) failure.text = words;
  return failure;
}

namespace {

class TlsStream final : public Stream {
 public:
  explicit TlsStream(std::unique_ptr<TlsSocket> socket, std::unique_ptr<TlsRecord> record)
      : record_(std::move(record)), socket_(std::move(socket)) {}

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> buffer, Scope scope,
                                                 Instant deadline) override {
    Guard guard(scope, deadline, [this] { socket_->lowest_layer().cancel(); });
    if (guard.over()) co_return guard.failure();
    const auto target = asio::buffer(buffer.data(), buffer.size());
    const auto [error, size] =
        co_await socket_->async_read_some(target, asio::as_tuple(asio::use_awaitable));
    if (!error) co_return size;
    if (guard.over()) co_return guard.failure();
    co_return classify_tls(error);
  }

  asio::awaitable<Result<void>> write(std::span<const std::uint8_t> bytes, Scope scope,
                                      Instant deadline) override {
    Guard guard(scope, deadline, [this] { socket_->lowest_layer().cancel(); });
    if (guard.over()) co_return guard.failure();
    const auto source = asio::buffer(bytes.data(), bytes.size());
    const auto [error, size] =
        co_await asio::async_write(*socket_, source, asio::as_tuple(asio::use_awaitable));
    static_cast<void>(size);
    if (!error) co_return Result<void>();
    if (guard.over()) co_return guard.failure();
    co_return classify_tls(error);
  }

  SocketAddress local() const override {
    error_code error;
    const auto endpoint = socket_->next_layer().local_endpoint(error);
    if (error) return {};
    return from_endpoint(endpoint);
  }

  SocketAddress remote() const override {
    error_code error;
    const auto endpoint = socket_->next_layer().remote_endpoint(error);
    if (error) return {};
    return from_endpoint(endpoint);
  }

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

TlsContext::TlsContext() : context_(asio::ssl::context::tls_client) {
  SSL_CTX_set_default_verify_paths(context_.native_handle());
  // As browsers and softphones do (RFC 8996); Asio allows TLS 1.0, whatever the system says.
  SSL_CTX_set_min_proto_version(context_.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(context_.native_handle(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_client_cert_cb(context_.native_handle(), &on_client_certificate);
}

TlsContext::~TlsContext() = default;

boost::system::result<std::unique_ptr<TlsContext>, std::string> TlsContext::create(
    const std::vector<std::string>& ca_files) {
  std::unique_ptr<TlsContext> context(new TlsContext);
  for (const auto& file : ca_files) {
    error_code error;
    context->context_.load_verify_file(file, error);
    if (error) return file + ": no certificates could be read: " + error.message();
  }
  context->public_roots_ = std::make_unique<PublicRoots>(ca_files);
  context->public_roots_->attach_to(SSL_CTX_get_cert_store(context->context_.native_handle()));
  return context;
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
  auto socket = std::make_unique<TlsSocket>(tcp->release(), context.native());
  SSL* ssl = socket->native_handle();
  prepare_tls(ssl, options, record.get());
  auto* raw = socket.get();
  Guard guard(scope, scope.clock.now() + timeouts::tls_handshake,
              [raw] { raw->lowest_layer().cancel(); });
  if (guard.over()) {
    attempt.stream = guard.failure();
    co_return attempt;
  }
  ERR_clear_error();
  const auto [error] = co_await socket->async_handshake(asio::ssl::stream_base::client,
                                                        asio::as_tuple(asio::use_awaitable));
  attempt.info = learn(ssl, *record, !error);
  if (!error) {
    attempt.stream = std::make_unique<TlsStream>(std::move(socket), std::move(record));
  } else if (guard.over()) {
    attempt.stream = guard.failure();
  } else {
    attempt.stream = classify_tls(error);
  }
  co_return attempt;
}

asio::awaitable<Result<std::unique_ptr<Stream>>> tls_accept(std::unique_ptr<TcpStream> transport,
                                                            Scope scope,
                                                            asio::ssl::context& context) {
  auto socket = std::make_unique<TlsSocket>(transport->release(), context);
  auto* raw = socket.get();
  Guard guard(scope, scope.clock.now() + timeouts::tls_handshake,
              [raw] { raw->lowest_layer().cancel(); });
  if (guard.over()) co_return guard.failure();
  ERR_clear_error();
  const auto [error] = co_await socket->async_handshake(asio::ssl::stream_base::server,
                                                        asio::as_tuple(asio::use_awaitable));
  if (guard.over()) co_return guard.failure();
  if (error) co_return classify_tls(error);
  co_return std::make_unique<TlsStream>(std::move(socket), std::make_unique<TlsRecord>());
}

}  // namespace callready
