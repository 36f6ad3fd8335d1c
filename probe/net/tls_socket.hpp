// TLS directly on a TCP socket. Asio's ssl::stream has four buffers of 17 KB for each connection in
// addition to OpenSSL's own, and copies what passes through them: with hundreds of connections at a
// time that would be most of the program's memory.
#pragma once

#include <openssl/ssl.h>

#include "probe/net/stream.hpp"

namespace callready {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, FreeSsl>;

class TlsSocket {
 public:
  // Either side: SSL_set_connect_state() or SSL_set_accept_state() says which.
  TlsSocket(asio::ip::tcp::socket socket, SSL_CTX* context);
  TlsSocket(const TlsSocket&) = delete;
  TlsSocket& operator=(const TlsSocket&) = delete;

  SSL* ssl() const { return ssl_.get(); }
  const asio::ip::tcp::socket& below() const { return socket_; }

  asio::awaitable<Result<void>> handshake(Scope scope, Instant deadline);
  // As in Stream.
  asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> buffer, Scope scope,
                                                 Instant deadline);
  asio::awaitable<Result<void>> write(std::span<const std::uint8_t> bytes, Scope scope,
                                      Instant deadline);

 private:
  static const BIO_METHOD* bio_method();
  static int on_write(BIO* bio, const char* data, int size);
  static int on_read(BIO* bio, char* data, int size);
  static long on_control(BIO* bio, int command, long number, void* pointer);

  void begin_step();
  // Why a step of OpenSSL did not end, or nothing where it only has to wait.
  std::optional<Failure> failure_of(int error) const;

  // The most that one step of OpenSSL reads at once: then others on the event loop have their turn.
  // A flood of records without data is ended by TlsFlow.
  static constexpr std::size_t most_a_step = 64 * 1024;  // bytes

  asio::ip::tcp::socket socket_;
  std::size_t step_ = 0;  // bytes read in it
  error_code last_;       // of the socket
  Ssl ssl_;
};

}  // namespace callready
