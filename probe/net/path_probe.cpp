#include "probe/net/path_probe.hpp"

#include "probe/net/timeouts.hpp"
#include "probe/platform/icmp.hpp"
#include "probe/platform/path.hpp"

namespace callready {
namespace {

using asio::ip::udp;

// Datagrams and errors of others, before the request gives up.
constexpr int most_other_events = 256;

// Bound to the interface and connected; the error where it cannot be.
error_code prepare(udp::socket& socket, const SizedRequest& request) {
  error_code error;
  const bool v6 = request.remote.address.is_v6();
  socket.open(v6 ? udp::v6() : udp::v4(), error);
  if (!error) socket.non_blocking(true, error);
  if (error) return error;
  const auto native = socket.native_handle();
  platform::enable_icmp_errors(native, v6);
  platform::forbid_fragments(native, v6);
  if (!request.interface.empty() &&
      !platform::bind_to_interface(native, request.interface.c_str())) {
    return error_code(errno, boost::system::system_category());
  }
  socket.connect(to_endpoint<udp>(request.remote), error);
  return error;
}

// What has arrived: true where it ends the waiting.
bool take(udp::socket& socket, const SizedRequest& request, SizedReply& reply) {
  std::vector<std::uint8_t> buffer(65'536);
  for (int i = 0; i < most_other_events; ++i) {
    if (auto icmp = platform::take_icmp_error(socket.native_handle())) {
      if (icmp->kind == IcmpKind::time_exceeded) continue;
      if (icmp->kind == IcmpKind::fragmentation_needed) {
        reply.too_large = std::move(*icmp);
      } else {
        reply.failure = classify(asio::error::connection_refused, std::move(*icmp));
      }
      return true;
    }
    error_code error;
    const auto size = socket.receive(asio::buffer(buffer), 0, error);
    if (error == asio::error::would_block) return false;
    if (error) continue;  // an ICMP error that the queue has shown already
    if (request.is_reply({buffer.data(), size})) {
      reply.answered = true;
      return true;
    }
  }
  return false;
}

}  // namespace

asio::awaitable<SizedReply> ask_sized(asio::any_io_executor executor, SizedRequest request,
                                      Scope scope) {
  SizedReply reply;
  udp::socket socket(executor);
  if (const auto error = prepare(socket, request)) {
    reply.failure = classify(error);
    co_return reply;
  }
  error_code ignored;
  reply.local = from_endpoint(socket.local_endpoint(ignored));
  const bool v6 = request.remote.address.is_v6();
  reply.own_mtu = platform::path_mtu(socket.native_handle(), v6).value_or(0);
  const auto payload = request.payload(reply.own_mtu);
  const auto start = scope.clock.now();
  Instant sent = start;
  for (const auto after : timeouts::udp_sends) {
    const bool last = after == timeouts::udp_sends.back();
    const auto next = static_cast<std::size_t>(reply.attempts) + 1;
    const auto until = start + (last ? timeouts::udp_reply : timeouts::udp_sends[next]);
    error_code error;
    sent = scope.clock.now();
    socket.send(asio::buffer(payload), 0, error);
    ++reply.attempts;
    if (error == asio::error::message_size) {
      reply.failure = classify(error);
      co_return reply;
    }
    Guard guard(scope, until, [&socket] {
      error_code none;
      socket.cancel(none);
    });
    for (;;) {  // what has come counts, also where we come to it late
      if (take(socket, request, reply)) {
        if (reply.attempts == 1) reply.round_trip = elapsed(sent, scope.clock.now());
        co_return reply;
      }
      if (guard.over()) break;
      co_await socket.async_wait(udp::socket::wait_read, asio::as_tuple(asio::use_awaitable));
    }
    if (guard.failure().kind == FailureKind::stopped) {
      reply.failure = guard.failure();
      co_return reply;
    }
  }
  reply.failure = timed_out();
  co_return reply;
}

}  // namespace callready
