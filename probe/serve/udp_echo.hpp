// Sends datagrams back as they came, over one port or a range: a media range that answers.
#pragma once

#include "probe/media/echo.hpp"
#include "probe/serve/udp_service.hpp"

namespace callready::serve {

struct EchoOptions {
  int ports = 1;  // consecutive ones
  Limits limits;  // the rate is that of each port
  // If there is one, it decides what is answered, and how; several echoes may share it.
  std::shared_ptr<media::EchoKeeper> keeper;
};

// Without a keeper datagrams from ports below 1024 and from its own ports get nothing: those are
// services, and two services that answer each other never stop.
class UdpEcho {
 public:
  // `bind.port` is the first port; 0: wherever the kernel finds one with enough free ones behind
  // it. Failure: one of them cannot be bound.
  static Result<std::shared_ptr<UdpEcho>> start(const asio::any_io_executor& executor,
                                                const SocketAddress& bind,
                                                const EchoOptions& options = {});
  SocketAddress local() const { return sockets_.front()->local(); }  // the first port
  PortRange ports() const;
  void stop();

 private:
  UdpEcho() = default;
  std::vector<std::shared_ptr<UdpService>> sockets_;
};

}  // namespace callready::serve
