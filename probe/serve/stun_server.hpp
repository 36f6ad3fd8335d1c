// A STUN server over UDP, TCP and TLS that also speaks enough TURN to challenge for credentials. It
// relays nothing.
#pragma once

#include "probe/serve/stream_service.hpp"
#include "probe/serve/stun_message.hpp"

namespace callready::serve {

struct StunOptions {
  StunIdentity identity;
  // A second address of this machine: with it, UDP has two addresses and two ports (RFC 5780).
  std::optional<IpAddress> other_address;
  std::shared_ptr<asio::ssl::context> tls;  // null: no TLS
  Limits limits;
};

class StunServer {
 public:
  // UDP and TCP on one port, TLS on another one of the kernel's choice at the same address.
  // Failure: one of them cannot be bound.
  static Result<std::shared_ptr<StunServer>> start(const asio::any_io_executor& executor,
                                                   const SocketAddress& bind, StunOptions options);
  ~StunServer() { stop(); }
  StunServer(const StunServer&) = delete;
  StunServer& operator=(const StunServer&) = delete;

  SocketAddress local() const;                     // UDP and TCP
  std::optional<SocketAddress> tls_local() const;  // none: no TLS
  std::optional<SocketAddress> other() const;      // RFC 5780's OTHER-ADDRESS
  void stop();

 private:
  struct Corners;
  StunServer() = default;
  std::shared_ptr<Corners> corners_;
  std::shared_ptr<StreamService> tcp_, tls_;
};

}  // namespace callready::serve
