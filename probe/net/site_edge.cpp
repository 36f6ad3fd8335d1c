#include "probe/net/site_edge.hpp"

#include "probe/net/own_site.hpp"

namespace callready {
namespace {

// Enterprises have a few routers of their own; further out every hop is a stranger's.
constexpr int deepest = 8;
constexpr std::uint16_t control_ports[] = {443, 80};
// Sweeps of a run, where the first found nothing.
constexpr int most_searches = 2;

// Answers of one sweep, by TTL.
struct Sweep {
  explicit Sweep(const asio::any_io_executor& executor) : ended(executor) {}
  OneShot<bool> ended;
  int running = deepest;
  std::map<int, IpAddress> hops;
  IpAddress own;                          // ours, on that way
  std::array<bool, deepest + 1> heard{};  // by TTL: its question has ended
};

// The nearest router beyond the edge, once every nearer question has ended. The first hop is the
// site's own even where its addresses are public.
std::optional<Hop> nearest(const Sweep& sweep, const IpAddress& target) {
  for (const auto& [ttl, router] : sweep.hops) {
    if (ttl < 2 || router == target || !beyond_the_edge(router)) continue;
    if (of_our_site(router, sweep.own)) continue;
    Hop hop;
    hop.ttl = ttl;
    hop.address = router;
    return hop;
  }
  return std::nullopt;
}

bool decided(const Sweep& sweep, const IpAddress& target) {
  if (sweep.running == 0) return true;
  const auto hop = nearest(sweep, target);
  if (!hop) return false;
  for (int ttl = 2; ttl < hop->ttl; ++ttl) {
    if (!sweep.heard[static_cast<std::size_t>(ttl)]) return false;
  }
  return true;
}

// The end of one question of a sweep, however it comes.
class Ending {
 public:
  Ending(std::shared_ptr<Sweep> sweep, int ttl, const IpAddress& target)
      : sweep_(std::move(sweep)), ttl_(ttl), target_(target) {}
  ~Ending() {
    sweep_->heard[static_cast<std::size_t>(ttl_)] = true;
    --sweep_->running;
    if (decided(*sweep_, target_)) sweep_->ended.deliver(true);
  }
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

 private:
  std::shared_ptr<Sweep> sweep_;
  int ttl_;
  IpAddress target_;
};

// The parameters live in the coroutine's frame: it may outlast its starter.
asio::awaitable<void> ask_by_udp(asio::any_io_executor executor, std::shared_ptr<Sweep> sweep,
                                 int ttl, SocketAddress target, std::string interface,
                                 Scope scope) {
  const Ending ending(sweep, ttl, target.address);
  UdpSocket::Options options;
  options.interface = interface;
  options.ttl = ttl;
  auto socket = UdpSocket::open(executor, target, options);
  if (!socket.has_error()) {
    sweep->own = socket->local().address;
    const std::array<std::uint8_t, 12> payload{0x80};  // an RTP header (RFC 3550), all else zero
    const auto sent = socket->send(payload);
    if (!sent.has_error()) {
      const auto deadline = scope.clock.now() + timeouts::icmp_reply;
      auto event = co_await socket->receive(scope, deadline);
      const auto* icmp = event.has_error() ? nullptr : std::get_if<IcmpError>(&*event);
      if (icmp != nullptr && icmp->kind == IcmpKind::time_exceeded) {
        sweep->hops.emplace(ttl, icmp->sender);
      }
    }
  }
}

asio::awaitable<void> ask_by_tcp(asio::any_io_executor executor, std::shared_ptr<Sweep> sweep,
                                 int ttl, SocketAddress remote, std::string interface,
                                 Scope scope) {
  const Ending ending(sweep, ttl, remote.address);
  ConnectOptions options;
  options.interface = interface;
  options.ttl = ttl;
  options.timeout = timeouts::icmp_reply;
  auto connected = co_await connect_tcp(executor, scope, remote, options);
  if (connected.has_error() && connected.error().kind == FailureKind::ttl_exceeded) {
    sweep->hops.emplace(ttl, connected.error().icmp->sender);
  }
}

}  // namespace

bool beyond_the_edge(const IpAddress& router) {
  return !router.is_private() && !router.is_link_local() && !router.is_loopback() &&
         !router.is_unspecified();
}

bool of_our_site(const IpAddress& router, const IpAddress& own) {
  if (router.is_v6() != own.is_v6()) return false;
  const Network ours{own, own.is_v6() ? 48 : 24};
  return ours.masked().contains(router);
}

asio::awaitable<SiteEdge::Found> SiteEdge::find(SocketAddress target, std::string interface,
                                                Scope scope) {
  Found found;
  auto& place = searches_[target.address.is_v6()];
  while (place && !place->done) {
    const auto search = place;
    const OneShot<bool> ended(executor_);
    search->waiting.push_back(ended);
    const auto waited = co_await ended.wait(scope, scope.clock.now() + timeouts::udp_range);
    if (waited.has_error()) co_return found;
  }
  int number = 1;
  if (place) {
    const bool in_vain = !place->hop && place->target != target.address;
    if (!in_vain || place->number == most_searches) {
      found.hop = place->hop;
      co_return found;
    }
    number = place->number + 1;
  }
  place = std::make_shared<Search>();
  const auto search = place;
  search->number = number;
  search->target = target.address;
  search->interface = interface;
  const auto by_udp = std::make_shared<Sweep>(executor_);
  for (int ttl = 1; ttl <= deepest; ++ttl) {
    tasks_.start([&] { return ask_by_udp(executor_, by_udp, ttl, target, interface, scope); });
  }
  const auto until = scope.clock.now() + timeouts::edge_search;
  const auto waited = co_await by_udp->ended.wait(scope, until);
  static_cast<void>(waited);
  search->routers = by_udp->hops;
  found.hop = nearest(*by_udp, target.address);
  found.by_this_call = found.hop.has_value();
  for (const auto port : control_ports) {
    if (found.hop) break;
    search->port = port;
    const auto by_tcp = std::make_shared<Sweep>(executor_);
    const SocketAddress remote{target.address, port};
    by_tcp->own = by_udp->own;
    for (int ttl = 1; ttl <= deepest; ++ttl) {
      tasks_.start([&] { return ask_by_tcp(executor_, by_tcp, ttl, remote, interface, scope); });
    }
    const auto end = scope.clock.now() + timeouts::edge_search;
    const auto waited_again = co_await by_tcp->ended.wait(scope, end);
    static_cast<void>(waited_again);
    search->routers.insert(by_tcp->hops.begin(), by_tcp->hops.end());
    found.hop = nearest(*by_tcp, target.address);
  }
  search->hop = found.hop;
  search->done = true;
  for (const auto& waiter : search->waiting) waiter.deliver(true);
  co_return found;
}

std::map<int, IpAddress> SiteEdge::routers(bool v6) const {
  const auto search = searches_.find(v6);
  if (search == searches_.end() || !search->second) return {};
  auto routers = search->second->routers;
  const auto& hop = search->second->hop;
  if (hop) routers.erase(routers.upper_bound(hop->ttl), routers.end());
  return routers;
}

}  // namespace callready
