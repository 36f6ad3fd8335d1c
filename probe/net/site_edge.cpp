#include "probe/net/site_edge.hpp"

#include "probe/net/stream.hpp"
#include "probe/net/udp.hpp"

namespace callready {
namespace {

// Enterprises have a few routers of their own; further out every hop is a stranger's.
constexpr int deepest = 8;
// The control's port: HTTPS and HTTP/3 get out where anything does.
constexpr std::uint16_t control_port = 443;

struct Sweep {
  explicit Sweep(const asio::any_io_executor& executor) : ended(executor) {}
  OneShot<bool> ended;
  int running = 0;
  std::map<int, IpAddress> hops;  // by TTL
};

void finish(const std::shared_ptr<Sweep>& sweep) {
  if (--sweep->running == 0) sweep->ended.deliver(true);
}

// The parameters live in the coroutine's frame: it may outlast its starter by a moment.
asio::awaitable<void> ask_by_tcp(asio::any_io_executor executor, std::shared_ptr<Sweep> sweep,
                                 int ttl, IpAddress target, std::string interface, Scope scope) {
  ConnectOptions options;
  options.interface = interface;
  options.ttl = ttl;
  options.timeout = timeouts::icmp_reply;
  const SocketAddress remote{target, control_port};
  auto connected = co_await connect_tcp(executor, scope, remote, options);
  if (connected.has_error() && connected.error().kind == FailureKind::ttl_exceeded) {
    sweep->hops.emplace(ttl, connected.error().icmp->sender);
  }
  finish(sweep);
}

asio::awaitable<void> ask_by_udp(asio::any_io_executor executor, std::shared_ptr<Sweep> sweep,
                                 int ttl, IpAddress target, std::string interface, Scope scope) {
  UdpSocket::Options options;
  options.interface = interface;
  options.ttl = ttl;
  const SocketAddress remote{target, control_port};
  auto socket = UdpSocket::open(executor, remote, options);
  if (!socket.has_error()) {
    const std::array<std::uint8_t, 12> payload{0x80};  // RTP's first byte: version 2
    const auto sent = socket->send(payload);
    if (!sent.has_error()) {
      auto event = co_await socket->receive(scope, scope.clock.now() + timeouts::icmp_reply);
      const auto* icmp = event.has_error() ? nullptr : std::get_if<IcmpError>(&*event);
      if (icmp != nullptr && icmp->kind == IcmpKind::time_exceeded) {
        sweep->hops.emplace(ttl, icmp->sender);
      }
    }
  }
  finish(sweep);
}

}  // namespace

bool beyond_the_edge(const IpAddress& router) {
  return !router.is_private() && !router.is_link_local() && !router.is_loopback() &&
         !router.is_unspecified();
}

asio::awaitable<std::optional<Hop>> SiteEdge::find(IpAddress target, std::string interface,
                                                   Scope scope) {
  auto& place = searches_[target.is_v6()];
  if (place) {
    const auto search = place;
    if (!search->done) {
      const OneShot<bool> ended(executor_);
      search->waiting.push_back(ended);
      const auto waited = co_await ended.wait(scope, scope.clock.now() + 2 * timeouts::icmp_reply);
      if (waited.has_error()) co_return std::nullopt;
    }
    co_return search->hop;
  }
  place = std::make_shared<Search>();
  const auto search = place;
  const auto sweep = std::make_shared<Sweep>(executor_);
  sweep->running = 2 * deepest;
  for (int ttl = 1; ttl <= deepest; ++ttl) {
    asio::co_spawn(executor_, ask_by_tcp(executor_, sweep, ttl, target, interface, scope),
                   asio::detached);
    asio::co_spawn(executor_, ask_by_udp(executor_, sweep, ttl, target, interface, scope),
                   asio::detached);
  }
  // The nearest router beyond the edge decides, but a nearer one may answer later: wait for all,
  // that is for icmp_reply at most.
  const auto waited =
      co_await sweep->ended.wait(scope, scope.clock.now() + 2 * timeouts::icmp_reply);
  static_cast<void>(waited);
  for (const auto& [ttl, router] : sweep->hops) {
    // The first hop is the site's own even where its addresses are public.
    if (search->hop || ttl < 2 || router == target || !beyond_the_edge(router)) continue;
    Hop hop;
    hop.ttl = ttl;
    hop.address = router;
    search->hop = hop;
  }
  search->done = true;
  for (const auto& waiter : search->waiting) waiter.deliver(true);
  co_return search->hop;
}

}  // namespace callready
