#include "probe/serve/pair.hpp"

namespace callready::serve {

Result<Pair> start_pair(const asio::any_io_executor& executor, const SocketAddress& bind,
                        const Respond& udp, const Serve& tcp, const Limits& limits,
                        const Respond& busy) {
  Failure failure;
  for (int attempt = 0; attempt < 16; ++attempt) {
    auto datagrams = UdpService::start(executor, bind, udp, limits, busy);
    if (datagrams.has_error()) return datagrams.error();
    const auto both = (*datagrams)->local();
    auto streams = StreamService::start(executor, both, tcp, nullptr, limits);
    if (!streams.has_error()) return Pair{std::move(*datagrams), std::move(*streams)};
    failure = streams.error();
    if (bind.port != 0) break;
  }
  return failure;
}

}  // namespace callready::serve
