// One port for UDP and TCP, as for DNS, STUN and SIP.
#pragma once

#include "probe/serve/stream_service.hpp"

namespace callready::serve {

struct Pair {
  std::shared_ptr<UdpService> udp;
  std::shared_ptr<StreamService> tcp;
};

// If the kernel chooses a port that is taken for the other protocol, another one is tried, 16 times
// at most.
Result<Pair> start_pair(const asio::any_io_executor& executor, const SocketAddress& bind,
                        const Respond& udp, const Serve& tcp, const Limits& limits,
                        const Respond& busy = nullptr);

}  // namespace callready::serve
