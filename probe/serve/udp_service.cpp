#include "probe/serve/udp_service.hpp"

#include "probe/serve/fair_rate.hpp"

namespace callready::serve {

using asio::ip::udp;

struct UdpService::Core {
  Core(const asio::any_io_executor& executor, Respond answer, Respond refuse, const Limits& bounds)
      : socket(executor),
        respond(std::move(answer)),
        busy(std::move(refuse)),
        limits(bounds),
        replies(bounds.datagrams_per_second, bounds.datagrams_of_network),
        refusals(bounds.datagrams_per_second / 10.0, bounds.datagrams_of_network / 10.0) {}

  void send(std::span<const std::uint8_t> bytes, const SocketAddress& to) {
    if (bytes.empty() || to.port == 0 || !socket.is_open()) return;
    error_code ignored;
    socket.send_to(asio::buffer(bytes.data(), bytes.size()), to_endpoint<udp>(to), 0, ignored);
  }

  // The reply, where there is one that may be sent.
  Bytes reply_to(std::span<const std::uint8_t> request, SocketAddress& peer) {
    const auto sender = peer;
    auto reply = respond(request, peer);
    if (reply.empty()) return reply;
    const auto now = std::chrono::steady_clock::now();
    if (!replies.take(sender.address, now)) {
      if (!busy || !refusals.take(sender.address, now)) return {};
      peer = sender;
      reply = busy(request, peer);
    }
    const bool grown = reply.size() > request.size() && !limits.replies_may_grow;
    return peer.address == sender.address && !grown ? reply : Bytes();
  }

  udp::socket socket;
  Respond respond, busy;
  Limits limits;
  FairRate replies, refusals;
};

Result<std::shared_ptr<UdpService>> UdpService::start(const asio::any_io_executor& executor,
                                                      const SocketAddress& bind, Respond respond,
                                                      const Limits& limits, Respond busy) {
  auto core = std::make_shared<Core>(executor, std::move(respond), std::move(busy), limits);
  const auto endpoint = to_endpoint<udp>(bind);
  error_code error;
  core->socket.open(endpoint.protocol(), error);
  if (!error) core->socket.bind(endpoint, error);
  if (!error) core->socket.non_blocking(true, error);
  if (error) return classify(error);
  const auto local = from_endpoint(core->socket.local_endpoint(error));
  if (error) return classify(error);
  asio::co_spawn(executor, serve(core), asio::detached);
  return std::shared_ptr<UdpService>(new UdpService(std::move(core), local));
}

UdpService::UdpService(std::shared_ptr<Core> core, const SocketAddress& local)
    : core_(std::move(core)), local_(local) {}

UdpService::~UdpService() { stop(); }

void UdpService::stop() {
  error_code ignored;
  core_->socket.close(ignored);
}

void UdpService::send(std::span<const std::uint8_t> bytes, const SocketAddress& to) {
  if (core_->replies.take(to.address, std::chrono::steady_clock::now())) core_->send(bytes, to);
}

asio::awaitable<void> UdpService::serve(std::shared_ptr<Core> core) {
  // One byte more than is allowed tells a datagram that is too long from one that just fits.
  Bytes buffer(core->limits.request_bytes + 1);
  udp::endpoint from;
  int errors = 0;
  while (core->socket.is_open() && errors < 100) {
    const auto target = asio::buffer(buffer);
    const auto [error, size] =
        co_await core->socket.async_receive_from(target, from, asio::as_tuple(asio::use_awaitable));
    if (error) {
      // Windows reports a reply that nobody took as an error. After many other errors in a row, the
      // socket is of no more use.
      const bool unheard =
          error == asio::error::connection_reset || error == asio::error::connection_refused;
      if (!unheard) ++errors;
      continue;
    }
    errors = 0;
    if (size == 0 || size == buffer.size()) continue;
    auto peer = from_endpoint(from);
    const auto reply = core->reply_to(std::span(buffer).first(size), peer);
    core->send(reply, peer);
  }
}

}  // namespace callready::serve
