#include "probe/serve/udp_service.hpp"

#include "probe/net/udp.hpp"
#include "probe/serve/fair_rate.hpp"

namespace callready::serve {

struct UdpService::Core : std::enable_shared_from_this<Core> {
  Core(const asio::any_io_executor& executor, UdpSocket opened, Respond answer, Respond refuse,
       const Limits& bounds)
      : clock(executor),
        socket(std::move(opened)),
        respond(std::move(answer)),
        busy(std::move(refuse)),
        limits(bounds),
        replies(bounds.datagrams_per_second, bounds.datagrams_of_network),
        refusals(bounds.datagrams_per_second / 10.0, bounds.datagrams_of_network / 10.0) {}

  void wait() {
    socket->when_readable([self = shared_from_this()] {
      if (!self->stopped) {
        self->socket->take_datagrams(self->clock, 64, [&](const Datagram& datagram) {
          if (!self->stopped) self->answer(datagram);
        });
      }
      if (self->stopped) return self->socket.reset();
      self->wait();
    });
  }

  void answer(const Datagram& datagram) {
    const auto& request = datagram.bytes;
    if (request.empty() || request.size() > limits.request_bytes) return;
    auto peer = datagram.from;
    const auto reply = reply_to(request, peer);
    send(reply, peer, datagram.to);
  }

  void send(std::span<const std::uint8_t> bytes, const SocketAddress& to,
            const std::optional<IpAddress>& own = std::nullopt) {
    if (bytes.empty() || to.port == 0 || stopped) return;
    static_cast<void>(socket->send_to(bytes, to, own));
  }

  // The reply, where there is one that may be sent. What has no answer takes nothing of the rate,
  // and beyond the rate no answer is made.
  Bytes reply_to(std::span<const std::uint8_t> request, SocketAddress& peer) {
    const auto sender = peer;
    const auto now = std::chrono::steady_clock::now();
    Bytes reply;
    if (replies.has_room(sender.address, now)) {
      reply = respond(request, peer);
      if (reply.empty()) return reply;
    }
    if (reply.empty() || !replies.take(sender.address, now)) {
      if (!busy || !refusals.take(sender.address, now)) return {};
      peer = sender;
      reply = busy(request, peer);
    }
    const bool grown = reply.size() > request.size() && !limits.replies_may_grow;
    return peer.address == sender.address && !grown ? reply : Bytes();
  }

  SystemClock clock;
  std::optional<UdpSocket> socket;  // nothing: stopped, and nobody waits any more
  bool stopped = false;
  Respond respond, busy;
  Limits limits;
  FairRate replies, refusals;
};

Result<std::shared_ptr<UdpService>> UdpService::start(const asio::any_io_executor& executor,
                                                      const SocketAddress& bind, Respond respond,
                                                      const Limits& limits, Respond busy) {
  UdpSocket::Options wanted;
  wanted.bind = bind;
  auto socket = UdpSocket::open(executor, bind, wanted);
  if (socket.has_error()) return socket.error();
  const auto local = socket->local();
  auto core = std::make_shared<Core>(executor, std::move(*socket), std::move(respond),
                                     std::move(busy), limits);
  core->wait();
  return std::shared_ptr<UdpService>(new UdpService(std::move(core), local));
}

UdpService::UdpService(std::shared_ptr<Core> core, const SocketAddress& local)
    : core_(std::move(core)), local_(local) {}

UdpService::~UdpService() { stop(); }

void UdpService::stop() {
  if (std::exchange(core_->stopped, true)) return;
  core_->socket->cancel();
}

void UdpService::send(std::span<const std::uint8_t> bytes, const SocketAddress& to) {
  if (core_->replies.take(to.address, std::chrono::steady_clock::now())) core_->send(bytes, to);
}

}  // namespace callready::serve
