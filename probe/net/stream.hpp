// A connection that carries bytes: TCP, or TLS over it. STUN, TURN, SIP and HTTP over streams are
// written against this interface and do not know which.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "probe/net/address.hpp"
#include "probe/net/guard.hpp"
#include "probe/net/timeouts.hpp"

namespace callready {

class Stream {
 public:
  virtual ~Stream() = default;
  // At least one byte; closed_by_peer at the end of the stream.
  virtual asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> buffer,
                                                         Scope scope, Instant deadline) = 0;
  // All of `bytes`.
  virtual asio::awaitable<Result<void>> write(std::span<const std::uint8_t> bytes, Scope scope,
                                              Instant deadline) = 0;
  virtual SocketAddress local() const = 0;
  virtual SocketAddress remote() const = 0;
};

class TcpStream final : public Stream {
 public:
  explicit TcpStream(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
    error_code ignored;
    socket_.non_blocking(true, ignored);
  }
  asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> buffer, Scope scope,
                                                 Instant deadline) override;
  asio::awaitable<Result<void>> write(std::span<const std::uint8_t> bytes, Scope scope,
                                      Instant deadline) override;
  SocketAddress local() const override;
  SocketAddress remote() const override;
  // Packets that had to be sent again, so far.
  int sent_again() const;
  asio::ip::tcp::socket release() { return std::move(socket_); }

 private:
  asio::ip::tcp::socket socket_;
};

struct ConnectOptions {
  std::string interface;  // by name; empty: the system's choice
  int ttl = 0;            // of all packets; 0: the system's default
  milliseconds timeout = timeouts::tcp_connect;
};

// The TCP handshake, within the options' timeout.
asio::awaitable<Result<std::unique_ptr<TcpStream>>> connect_tcp(asio::any_io_executor executor,
                                                                Scope scope, SocketAddress remote,
                                                                ConnectOptions options);

}  // namespace callready
