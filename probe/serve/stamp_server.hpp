// A STAMP reflector on a UDP port (RFC 8762): media/reflector.hpp with the kernel's time stamps.
#pragma once

#include <memory>

#include "probe/media/reflector.hpp"
#include "probe/net/clock.hpp"
#include "probe/net/udp.hpp"

namespace callready::serve {

struct StampOptions {
  media::stamp::Bytes key;  // not empty
  media::ReflectorLimits limits;
};

// Serves until stop() or its own end; not thread-safe.
class StampServer {
 public:
  // Failure: the address cannot be bound.
  static Result<std::shared_ptr<StampServer>> start(const asio::any_io_executor& executor,
                                                    const SocketAddress& bind,
                                                    StampOptions options);
  ~StampServer() { stop(); }
  StampServer(const StampServer&) = delete;
  StampServer& operator=(const StampServer&) = delete;

  SocketAddress local() const { return local_; }
  media::Reflector& reflector();
  void stop();

 private:
  struct Core;
  StampServer(std::shared_ptr<Core> core, const SocketAddress& local);
  std::shared_ptr<Core> core_;
  SocketAddress local_;
};

}  // namespace callready::serve
