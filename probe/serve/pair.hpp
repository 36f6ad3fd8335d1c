// One port for UDP and TCP, as DNS, STUN and SIP have it.
#pragma once

#include "probe/serve/stream_service.hpp"

namespace callready::serve {

struct Pair {
  std::shared_ptr<UdpService> udp;
  std::shared_ptr<StreamService> tcp;
};

// Where the port is the kernel's choice and taken for the other protocol, another one is tried, 16
// times at most.
Result<Pair> start_pair(const asio::any_io_executor& executor, const SocketAddress& bind,
                        const Respond& udp, const Serve& tcp, const Limits& limits,
                        const Respond& busy = nullptr);

}  // namespace callready::serve
