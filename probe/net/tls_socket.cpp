#include "probe/net/tls_socket.hpp"

#include <openssl/err.h>

#include "probe/net/tls_over.hpp"

namespace callready {
namespace {

TlsSocket* self_of(BIO* bio) { return static_cast<TlsSocket*>(BIO_get_data(bio)); }

Failure closed() { return {FailureKind::closed_by_peer, "End of file"}; }

// What OpenSSL waits for if a step neither ended nor failed: reading or writing.
asio::socket_base::wait_type event_of(int error) {
  return error == SSL_ERROR_WANT_WRITE ? asio::socket_base::wait_write
                                       : asio::socket_base::wait_read;
}

}  // namespace

// OpenSSL reads and writes the socket itself, through these functions (BIO_meth_new(3)). Its own
// socket BIO would raise SIGPIPE.
const BIO_METHOD* TlsSocket::bio_method() {
  static const BIO_METHOD* const method = [] {
    auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (made == nullptr) throw std::bad_alloc();
    BIO_meth_set_write(made, &on_write);
    BIO_meth_set_read(made, &on_read);
    BIO_meth_set_ctrl(made, &on_control);
    return made;
  }();
  return method;
}

int TlsSocket::on_write(BIO* bio, const char* data, int size) {
  auto* self = self_of(bio);
  BIO_clear_retry_flags(bio);
  const auto sent =
      self->socket_.write_some(asio::buffer(data, static_cast<std::size_t>(size)), self->last_);
  if (!self->last_) return static_cast<int>(sent);
  if (self->last_ == asio::error::would_block) BIO_set_retry_write(bio);
  return -1;
}

int TlsSocket::on_read(BIO* bio, char* data, int size) {
  auto* self = self_of(bio);
  BIO_clear_retry_flags(bio);
  if (self->step_ >= most_a_step) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const auto received =
      self->socket_.read_some(asio::buffer(data, static_cast<std::size_t>(size)), self->last_);
  self->step_ += received;
  if (!self->last_) return static_cast<int>(received);
  if (self->last_ == asio::error::would_block) BIO_set_retry_read(bio);
  return self->last_ == asio::error::eof ? 0 : -1;
}

long TlsSocket::on_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return self_of(bio)->last_ == asio::error::eof ? 1 : 0;
  return 0;
}

TlsSocket::TlsSocket(asio::ip::tcp::socket socket, SSL_CTX* context)
    : socket_(std::move(socket)), ssl_(SSL_new(context)) {
  auto* bio = ssl_ ? BIO_new(bio_method()) : nullptr;
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // which owns it now
  // A record's header and body in one read; buffers only while there is something in them.
  SSL_set_read_ahead(ssl_.get(), 1);
  SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                               SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  socket_.non_blocking(true, last_);
}

void TlsSocket::begin_step() {
  ERR_clear_error();
  step_ = 0;
}

std::optional<Failure> TlsSocket::failure_of(int error) const {
  switch (error) {
    case SSL_ERROR_NONE:
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return std::nullopt;
    case SSL_ERROR_SSL:
      return classify_tls(ERR_peek_error());
    case SSL_ERROR_SYSCALL:
      if (last_) return classify_standing(last_);
      return closed();
    default:  // SSL_ERROR_ZERO_RETURN: a proper end
      return closed();
  }
}

asio::awaitable<Result<void>> TlsSocket::handshake(Scope scope, Instant deadline) {
  Guard guard(scope, deadline, [this] { socket_.cancel(); });
  if (guard.over()) co_return guard.failure();
  for (;;) {  // what has arrived counts, even if we read it late
    begin_step();
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) co_return Result<void>();
    const int error = SSL_get_error(ssl_.get(), done);
    const auto failure = failure_of(error);
    if (failure) co_return *failure;
    if (guard.over()) co_return guard.failure();
    co_await socket_.async_wait(event_of(error), asio::as_tuple(asio::use_awaitable));
  }
}

asio::awaitable<Result<std::size_t>> TlsSocket::read_some(std::span<std::uint8_t> buffer,
                                                          Scope scope, Instant deadline) {
  Guard guard(scope, deadline, [this] { socket_.cancel(); });
  for (;;) {  // as above
    begin_step();
    std::size_t size = 0;
    const int done = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
    if (done == 1) co_return size;
    const int error = SSL_get_error(ssl_.get(), done);
    const auto failure = failure_of(error);
    if (failure) co_return *failure;
    if (guard.over()) co_return guard.failure();
    co_await socket_.async_wait(event_of(error), asio::as_tuple(asio::use_awaitable));
  }
}

asio::awaitable<Result<void>> TlsSocket::write(std::span<const std::uint8_t> bytes, Scope scope,
                                               Instant deadline) {
  Guard guard(scope, deadline, [this] { socket_.cancel(); });
  while (!guard.over()) {
    if (bytes.empty()) co_return Result<void>();
    begin_step();
    std::size_t size = 0;
    const int done = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size);
    if (done == 1) {
      bytes = bytes.subspan(size);
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), done);
    const auto failure = failure_of(error);
    if (failure) co_return *failure;
    co_await socket_.async_wait(event_of(error), asio::as_tuple(asio::use_awaitable));
  }
  co_return guard.failure();
}

}  // namespace callready
