#include "probe/net/own_answers.hpp"

#include <algorithm>
#include <array>

#include "probe/net/udp.hpp"
#include "probe/platform/own_sockets.hpp"

namespace callready {
namespace {

// A program on this computer answers within a fraction of the time that a cable takes.
constexpr double much_sooner = 4;
constexpr int packets_to_the_router = 3;
// The connections that are looked for in the system's table before it is believed that they are not
// there. A program that takes connections to two places from the same port of ours sees the second
// one from another port: an address translation of this computer's own changes it.
constexpr int most_looked_for = 3;
constexpr std::uint16_t unused_port = 33'434;  // traceroute's

// The fastest of a few.
asio::awaitable<std::optional<Milliseconds>> time_of_first_router(asio::any_io_executor executor,
                                                                  Scope scope, SocketAddress remote,
                                                                  std::string interface) {
  std::optional<Milliseconds> fastest;
  UdpSocket::Options options;
  options.ttl = 1;
  options.interface = std::move(interface);
  remote.port = unused_port;
  auto socket = UdpSocket::open(executor, remote, options);
  if (socket.has_error()) co_return fastest;
  constexpr std::array<std::uint8_t, 12> packet{};
  for (int i = 0; i < packets_to_the_router; ++i) {
    const auto begin = scope.clock.now();
    const auto until = begin + timeouts::icmp_reply;
    if (socket->send(packet).has_error()) break;
    const auto icmp = co_await socket->receive_icmp(scope, until);
    if (icmp.has_error() || icmp->kind != IcmpKind::time_exceeded) break;
    const auto took = elapsed(begin, scope.clock.now());
    fastest = std::min(took, fastest.value_or(took));
  }
  co_return fastest;
}

}  // namespace

bool Taker::on_this_computer() const { return here.value_or(false); }

bool Taker::sooner_than_the_router() const {
  return for_nobody && round_trip && router && *round_trip * much_sooner < *router;
}

asio::awaitable<bool> is_reset_here(asio::any_io_executor executor, Scope scope,
                                    SocketAddress remote) {
  ConnectOptions options;
  options.interface = std::string(platform::inner_link());
  options.timeout = timeouts::near_round_trip;  // whatever is on this computer answers at once
  options.ttl = 1;
  if (options.interface.empty()) co_return false;
  const auto connected = co_await connect_tcp(executor, scope, remote, options);
  if (connected.has_value()) co_return false;
  const auto& failure = connected.error();
  co_return failure.kind == FailureKind::connection_refused && !failure.icmp;
}

asio::awaitable<Taker> who_takes(asio::any_io_executor executor, Scope scope, SocketAddress remote,
                                 std::string interface, int ttl) {
  Taker taker;
  ConnectOptions options;
  options.interface = interface;
  options.ttl = ttl;
  options.timeout = timeouts::icmp_reply_slow;
  for (int i = 0; i < most_looked_for; ++i) {
    const auto connected = co_await connect_tcp(executor, scope, remote, options);
    if (connected.has_error()) break;
    taker.taken = true;
    const auto own = (*connected)->local();
    // A connection that is gone, or a test's, has no address to look for.
    if (own.address.is_unspecified()) break;
    taker.here = platform::is_taken_here(own);
    if (taker.here != false) break;  // it is there, or the system does not say
  }
  if (!taker.taken || taker.here || remote.address.is_v6()) co_return taker;
  const SocketAddress nobody{nobodys_address, remote.port};
  options.ttl = 0;
  const auto for_nobody = co_await connect_tcp(executor, scope, nobody, options);
  if (for_nobody.has_error()) co_return taker;
  taker.for_nobody = true;
  taker.round_trip = (*for_nobody)->round_trip();
  taker.router = co_await time_of_first_router(executor, scope, nobody, std::move(interface));
  co_return taker;
}

}  // namespace callready
