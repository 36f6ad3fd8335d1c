#include "probe/net/path_probe.hpp"

#include <algorithm>

#include "probe/net/timeouts.hpp"
#include "probe/net/udp.hpp"

namespace callready {
namespace {

// Datagrams and errors of others, before the request gives up.
constexpr int most_other_events = 256;

// What has come: true where it ends the waiting.
bool take(const Result<UdpEvent>& event, const SizedRequest& request, SizedReply& reply) {
  if (event.has_error()) {
    const bool over = event.error().kind == FailureKind::stopped;
    if (over) reply.failure = event.error();
    return over;
  }
  if (const auto* icmp = std::get_if<IcmpError>(&*event)) {
    if (icmp->kind == IcmpKind::time_exceeded) return false;
    if (icmp->kind == IcmpKind::fragmentation_needed) {
      reply.too_large = *icmp;
    } else {
      reply.failure = classify(asio::error::connection_refused, *icmp);
    }
    return true;
  }
  reply.answered = request.is_reply(std::get<Datagram>(*event).bytes);
  return reply.answered;
}

}  // namespace

asio::awaitable<SizedReply> ask_sized(asio::any_io_executor executor, SizedRequest request,
                                      Scope scope) {
  SizedReply reply;
  UdpSocket::Options options;
  options.interface = request.interface;
  options.whole = true;
  auto socket = UdpSocket::open(executor, request.remote, options);
  if (socket.has_error()) {
    reply.failure = socket.error();
    co_return reply;
  }
  reply.local = socket->local();
  reply.own_mtu = socket->path_mtu();
  const auto payload = request.payload(reply.own_mtu);
  const auto start = scope.clock.now();
  int others = 0;
  for (const auto after : timeouts::udp_sends) {
    const bool last = after == timeouts::udp_sends.back();
    const auto next = static_cast<std::size_t>(reply.attempts) + 1;
    const auto until = start + (last ? timeouts::udp_reply : timeouts::udp_sends[next]);
    const auto sent = scope.clock.now();
    const auto result = socket->send(payload);
    ++reply.attempts;
    if (result.has_error() && result.error().code == static_cast<int>(asio::error::message_size)) {
      reply.failure = result.error();
      co_return reply;
    }
    for (;;) {
      const auto event = co_await socket->receive(scope, until);
      const bool late = event.has_error() && event.error().kind == FailureKind::timed_out;
      if (late && scope.clock.now() >= until) break;
      if (take(event, request, reply)) {
        if (reply.answered && reply.attempts == 1) {
          reply.round_trip = elapsed(sent, std::max(sent, std::get<Datagram>(*event).arrived));
        }
        co_return reply;
      }
      if (++others == most_other_events) {
        reply.failure = Failure{FailureKind::malformed, "only replies that do not match", 0, {}};
        co_return reply;
      }
    }
  }
  reply.failure = timed_out();
  co_return reply;
}

}  // namespace callready
