// A SIP server that answers OPTIONS over UDP, TCP and TLS, and refuses or ignores all else.
#pragma once

#include "probe/serve/sip_message.hpp"
#include "probe/serve/stream_service.hpp"

namespace callready::serve {

struct SipOptions {
  SipIdentity identity;
  std::shared_ptr<asio::ssl::context> tls;  // null: no TLS
  std::uint16_t tls_port = 0;               // 0: the kernel's choice
  Limits limits;
};

class SipServer {
 public:
  // UDP and TCP on one port, TLS on another one at the same address.
  // Failure: one of them cannot be bound.
  static Result<std::shared_ptr<SipServer>> start(const asio::any_io_executor& executor,
                                                  const SocketAddress& bind, SipOptions options);
  SocketAddress local() const { return udp_->local(); }  // UDP and TCP
  std::optional<SocketAddress> tls_local() const;        // none: no TLS
  void stop();

 private:
  SipServer() = default;
  std::shared_ptr<UdpService> udp_;
  std::shared_ptr<StreamService> tcp_, tls_;
};

}  // namespace callready::serve
