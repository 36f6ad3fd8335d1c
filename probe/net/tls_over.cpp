#include "probe/net/tls_over.hpp"

#include <openssl/err.h>

#include "probe/net/timeouts.hpp"
#include "probe/net/tls_socket.hpp"

namespace callready {
namespace {

// OpenSSL between two memory buffers; what it wants to send or receive goes over the stream below.
class TlsOver final : public Stream {
 public:
  TlsOver(std::unique_ptr<Stream> below, TlsContext& context, const TlsOptions& options)
      : below_(std::move(below)), ssl_(SSL_new(context.native().native_handle())) {
    if (!ssl_) throw std::bad_alloc();
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);  // which owns them now
    SSL_set_connect_state(ssl_.get());
    prepare_tls(ssl_.get(), options, &record_);
  }

  asio::awaitable<Result<void>> handshake(Scope scope, Instant deadline) {
    for (;;) {
      ERR_clear_error();
      const int done = SSL_do_handshake(ssl_.get());
      const auto next = co_await go_on(done, scope, deadline);
      if (next.has_error()) co_return next.error();
      if (done == 1) co_return Result<void>();
    }
  }

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> buffer, Scope scope,
                                                 Instant deadline) override {
    for (;;) {
      ERR_clear_error();
      std::size_t size = 0;
      const int done = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
      const auto next = co_await go_on(done, scope, deadline);
      if (next.has_error()) co_return next.error();
      if (done == 1) co_return size;
    }
  }

  asio::awaitable<Result<void>> write(std::span<const std::uint8_t> bytes, Scope scope,
                                      Instant deadline) override {
    while (!bytes.empty()) {
      ERR_clear_error();
      std::size_t size = 0;
      const int done = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size);
      const auto next = co_await go_on(done, scope, deadline);
      if (next.has_error()) co_return next.error();
      if (done == 1) bytes = bytes.subspan(size);
    }
    co_return Result<void>();
  }

  SocketAddress local() const override { return below_->local(); }
  SocketAddress remote() const override { return below_->remote(); }
  TlsInfo info(bool handshake_done) const { return learn(ssl_.get(), record_, handshake_done); }

 private:
  // After a step of OpenSSL: sends what it left, and where it wants more, waits for that.
  asio::awaitable<Result<void>> go_on(int done, Scope scope, Instant deadline) {
    const int error = SSL_get_error(ssl_.get(), done);
    const auto reason = ERR_peek_error();
    char* pending = nullptr;
    const auto size = BIO_get_mem_data(out_, &pending);
    if (size > 0) {
      const std::vector<std::uint8_t> bytes(pending, pending + size);
      BIO_reset(out_);
      const auto sent = co_await below_->write(bytes, scope, deadline);
      // The reason why the handshake failed says more than a failure to send its alert.
      if (sent.has_error() && error != SSL_ERROR_SSL) co_return sent.error();
    }
    if (done == 1) co_return Result<void>();
    if (error == SSL_ERROR_SSL) co_return classify_tls(reason);
    if (error == SSL_ERROR_WANT_WRITE) co_return Result<void>();
    if (error != SSL_ERROR_WANT_READ) {
      co_return Failure{FailureKind::closed_by_peer, "End of file"};
    }
    std::array<std::uint8_t, 16'384> buffer{};
    const auto received = co_await below_->read_some(buffer, scope, deadline);
    if (received.has_error()) co_return received.error();
    BIO_write(in_, buffer.data(), static_cast<int>(*received));
    co_return Result<void>();
  }

  std::unique_ptr<Stream> below_;
  TlsRecord record_;  // outlives the SSL object that points to it
  Ssl ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
};

}  // namespace

asio::awaitable<TlsAttempt> tls_over(std::unique_ptr<Stream> transport, Scope scope,
                                     TlsContext& context, TlsOptions options) {
  TlsAttempt attempt;
  auto stream = std::make_unique<TlsOver>(std::move(transport), context, options);
  const auto deadline = scope.clock.now() + timeouts::tls_handshake;
  const auto handshake_done = co_await stream->handshake(scope, deadline);
  attempt.info = stream->info(!handshake_done.has_error());
  if (handshake_done.has_error()) {
    attempt.stream = handshake_done.error();
  } else {
    attempt.stream = std::unique_ptr<Stream>(std::move(stream));
  }
  co_return attempt;
}

}  // namespace callready
