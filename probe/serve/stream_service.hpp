// A listener for TCP or TLS that keeps strangers within Limits: what all our servers over streams
// have in common.
#pragma once

#include "probe/net/stream.hpp"
#include "probe/serve/udp_service.hpp"

namespace callready::serve {

// One client. The clock and the stop signal live as long as this.
struct Connection {
  std::unique_ptr<Stream> stream;
  asio::any_io_executor executor;
  Scope scope;
  Limits limits;
  Instant ends;                         // of the whole connection
  Bytes unread;                         // what came after the last message
  std::shared_ptr<const void> service;  // keeps what `scope` and `place` refer to
  OpenConnections::Place& place;

  // Of one request or of one reply that starts now.
  Instant deadline() const { return std::min(scope.clock.now() + limits.idle, ends); }
};

// How long the first message in `bytes` is; 0: more bytes are needed to say, or to have it whole;
// negative: this is not the protocol.
using Framing = std::function<std::ptrdiff_t(std::span<const std::uint8_t> bytes)>;

// The next whole message. Failures: those of the stream; malformed; oversized beyond
// limits.request_bytes.
asio::awaitable<Result<Bytes>> read_message(Connection& connection, const Framing& framing);

using Serve = std::function<asio::awaitable<void>(std::shared_ptr<Connection>)>;

// Serves a protocol of requests and replies. An empty reply sends nothing; whatever is not the
// protocol ends the connection.
Serve messages(Framing framing, Respond respond);

// Serves until stop() or its own end; both also end the open connections.
class StreamService {
 public:
  // With `tls` each connection begins with a handshake. Failure: the address cannot be bound.
  static Result<std::shared_ptr<StreamService>> start(
      const asio::any_io_executor& executor, const SocketAddress& bind, Serve serve,
      std::shared_ptr<asio::ssl::context> tls = nullptr, const Limits& limits = {});
  ~StreamService();
  StreamService(const StreamService&) = delete;
  StreamService& operator=(const StreamService&) = delete;

  SocketAddress local() const { return local_; }
  // Open ones, of all that are counted with them.
  int connections() const;
  void stop();

 private:
  struct Core;
  struct Attended;
  StreamService(std::shared_ptr<Core> core, const SocketAddress& local);
  static asio::awaitable<void> accept(std::shared_ptr<Core> core);
  static asio::awaitable<void> attend(std::shared_ptr<Attended> attended,
                                      asio::ip::tcp::socket socket);
  std::shared_ptr<Core> core_;
  SocketAddress local_;
};

}  // namespace callready::serve
