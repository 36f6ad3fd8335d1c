#include "probe/serve/udp_echo.hpp"

namespace callready::serve {

Result<std::shared_ptr<UdpEcho>> UdpEcho::start(const asio::any_io_executor& executor,
                                                const SocketAddress& bind,
                                                const EchoOptions& options) {
  const int count = std::clamp(options.ports, 1, 65'535);
  Failure failure;
  for (int attempt = 0; attempt < 64; ++attempt) {
    auto echo = std::shared_ptr<UdpEcho>(new UdpEcho);
    // Known only when the first socket is bound; shared, because the others are made later.
    const auto range = std::make_shared<PortRange>();
    Respond respond = [range, own = bind.address](std::span<const std::uint8_t> request,
                                                  SocketAddress& peer) {
      const bool self = peer.address == own && range->contains(peer.port);
      if (peer.port < 1'024 || self) return Bytes();
      return Bytes(request.begin(), request.end());
    };
    SocketAddress next = bind;
    while (static_cast<int>(echo->sockets_.size()) < count) {
      const auto port = std::make_shared<std::uint16_t>(next.port);
      if (options.keeper) {
        respond = [keeper = options.keeper, port](std::span<const std::uint8_t> request,
                                                  SocketAddress& peer) {
          return keeper->answer(request, peer, *port, std::chrono::steady_clock::now(),
                                std::chrono::system_clock::now());
        };
      }
      auto socket = UdpService::start(executor, next, respond, options.limits);
      if (socket.has_error()) {
        failure = socket.error();
        break;
      }
      next = (*socket)->local();
      *port = next.port;
      echo->sockets_.push_back(std::move(*socket));
      if (next.port == 65'535) break;
      ++next.port;
    }
    if (static_cast<int>(echo->sockets_.size()) == count) {
      *range = echo->ports();
      return echo;
    }
    if (bind.port != 0) break;
  }
  if (failure.text.empty()) failure.text = "no such port range";
  return failure;
}

PortRange UdpEcho::ports() const {
  return {sockets_.front()->local().port, sockets_.back()->local().port};
}

void UdpEcho::stop() {
  for (const auto& socket : sockets_) socket->stop();
}

}  // namespace callready::serve
