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
  // `took`: from the first SYN until the connection was seen established.
  explicit TcpStream(asio::ip::tcp::socket socket, Milliseconds took = Milliseconds(0));
  asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> buffer, Scope scope,
                                                 Instant deadline) override;
  asio::awaitable<Result<void>> write(std::span<const std::uint8_t> bytes, Scope scope,
                                      Instant deadline) override;
  SocketAddress local() const override;
  SocketAddress remote() const override;
  // Packets that had to be sent again, so far.
  int sent_again() const;
  // The handshake as the system timed it, where it does: unlike this program, it is never late.
  Milliseconds round_trip() const { return round_trip_; }          // of the SYN that was answered
  Milliseconds handshake_took() const { return handshake_took_; }  // since the first SYN
  asio::ip::tcp::socket release() { return std::move(socket_); }

 private:
  asio::ip::tcp::socket socket_;
  Milliseconds round_trip_, handshake_took_;
};

struct ConnectOptions {
  std::string interface;  // by name; empty: the system's choice
  int ttl = 0;            // of all packets; 0: the system's default
  int segment = 0;        // the most bytes in one, both ways; 0: the usual
  milliseconds timeout = timeouts::tcp_connect;
};

// Whether ConnectOptions::segment means anything on this system.
bool segments_can_be_sized();

// The ICMP error that turned a connection request away; nothing if the connection stands, or if no
// such error came. Linux queues the error before it fails the request: in between, SO_ERROR is 0,
// which Asio and libcurl take for success.
std::optional<IcmpError> refusal_of_connection(int socket);

// The TCP handshake, within the options' timeout.
asio::awaitable<Result<std::unique_ptr<TcpStream>>> connect_tcp(asio::any_io_executor executor,
                                                                Scope scope, SocketAddress remote,
                                                                ConnectOptions options);

// Whether something within this computer holds back SYNs to there, even if no connection was tried
// for as long as that takes to show (timeouts::syn_again). Its own SYN ends at the first router.
// False where the system does not say.
asio::awaitable<bool> keeps_syn_here(asio::any_io_executor executor, Scope scope,
                                     SocketAddress remote, std::string interface);

// Has a server's acceptor listen there; the address with the port that it got. "::" is 0.0.0.0 on a
// system without IPv6. Failure: the address cannot be bound.
Result<SocketAddress> listen_at(asio::ip::tcp::acceptor& acceptor, const SocketAddress& address);

}  // namespace callready
