// The far end of a WebRTC call: WHIP (RFC 9725) over HTTPS, and the calls themselves on one UDP
// port (call_sessions.hpp).
#pragma once

#include "probe/net/asio.hpp"
#include "probe/net/failure.hpp"
#include "probe/serve/whip.hpp"
#include "probe/web/open_connections.hpp"

namespace callready::serve {

struct CallPeerOptions {
  SocketAddress https, media;        // where to listen; port 0: the kernel's choice
  std::vector<IpAddress> addresses;  // by which clients reach it besides the one that they come by
  std::shared_ptr<asio::ssl::context> tls;
  std::shared_ptr<OpenConnections>
      open;              // counts its connections with those of others; null: alone
  std::string token;     // empty: everybody may call, for loopback
  OtherPage other_page;  // for clients that have the token
  CallLimits limits;
};

class CallPeer {
 public:
  // Failure: a port cannot be bound.
  static Result<std::shared_ptr<CallPeer>> start(const asio::any_io_executor& executor,
                                                 const CallPeerOptions& options);
  virtual ~CallPeer() = default;
  virtual SocketAddress https() const = 0;
  virtual SocketAddress media() const = 0;
  virtual std::size_t sessions() const = 0;
};

}  // namespace callready::serve
