#include "probe/net/first_hop.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "probe/net/together.hpp"
#include "probe/net/udp.hpp"
#include "probe/platform/arrival.hpp"
#include "probe/platform/icmp.hpp"
#include "probe/platform/route.hpp"
#include "probe/platform/system.hpp"

namespace callready {
namespace {

using Datagrams = asio::generic::datagram_protocol;

constexpr std::size_t icmp_header = 8;
constexpr std::uint8_t echo_v4 = 8, echo_reply_v4 = 0, echo_v6 = 128, echo_reply_v6 = 129;

// The answers to numbered packets.
class Answers {
 public:
  std::uint16_t sent(Instant now) {
    sent_.push_back(now);
    took_.emplace_back();
    return static_cast<std::uint16_t>(sent_.size() - 1);
  }
  void came(std::size_t number, Instant when) {
    if (number >= sent_.size() || took_[number]) return;
    took_[number] = elapsed(sent_[number], when).count();
  }
  void fill(FirstHopSeen& seen) const {
    seen.sent = static_cast<int>(sent_.size());
    seen.took_ms.clear();
    for (const auto& took : took_) {
      if (took) seen.took_ms.push_back(*took);
    }
  }
  bool any() const {
    return std::any_of(took_.begin(), took_.end(),
                       [](const auto& took) { return took.has_value(); });
  }

 private:
  std::vector<Instant> sent_;
  std::vector<std::optional<double>> took_;
};

// An unprivileged socket for ICMP echo (icmp(7)): the kernel sets identifier and checksum.
class EchoSocket {
 public:
  EchoSocket(const asio::any_io_executor& executor, const IpAddress& router,
             const std::string& link)
      : v6_(router.is_v6()), socket_(executor) {
    error_code error;
    socket_.open(Datagrams(v6_ ? AF_INET6 : AF_INET, v6_ ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP}),
                 error);
    if (error) return;
    socket_.non_blocking(true, error);
    platform::note_arrivals(static_cast<int>(socket_.native_handle()));
    // A link-local address, as most IPv6 routers have, means nothing without its link (RFC 4007).
    const auto zone = v6_ && router.is_link_local() ? '%' + link : std::string();
    const asio::ip::udp::endpoint endpoint(asio::ip::make_address(router.to_string() + zone, error),
                                           0);
    if (error) return;
    socket_.connect(Datagrams::endpoint(endpoint.data(), endpoint.size()), error);
    open_ = !error;
  }
  bool is_open() const { return open_; }

  void send(std::uint16_t number) {
    // As large as a call's packet.
    std::array<std::uint8_t, icmp_header + 172> packet{};
    packet[0] = v6_ ? echo_v6 : echo_v4;
    packet[6] = static_cast<std::uint8_t>(number >> 8);
    packet[7] = static_cast<std::uint8_t>(number);
    error_code ignored;  // counts as lost, like in the network
    socket_.send(asio::buffer(packet), 0, ignored);
  }

  // Takes what comes until then.
  asio::awaitable<void> listen(Scope scope, Instant until, Answers& answers) {
    Guard guard(scope, until, [this] {
      error_code ignored;
      socket_.cancel(ignored);
    });
    for (;;) {
      take_all(scope.clock, answers);
      if (guard.over()) co_return;
      co_await socket_.async_wait(Datagrams::socket::wait_read,
                                  asio::as_tuple(asio::use_awaitable));
    }
  }

 private:
  void take_all(const Clock& clock, Answers& answers) {
    for (int count = 0; count < 64; ++count) {
      std::array<std::uint8_t, 256> packet{};
      const auto noted = platform::next_arrival(static_cast<int>(socket_.native_handle()));
      const auto arrived = noted.waited ? clock.ago(*noted.waited) : clock.now();
      error_code error;
      const auto size = socket_.receive(asio::buffer(packet), 0, error);
      if (error) return;
      if (size < icmp_header || packet[0] != (v6_ ? echo_reply_v6 : echo_reply_v4)) continue;
      answers.came(static_cast<std::size_t>(packet[6] << 8 | packet[7]), arrived);
    }
  }

  bool v6_, open_ = false;
  Datagrams::socket socket_;
};

struct Watch {
  asio::any_io_executor executor;
  Scope scope;
  Instant until;
  const bool& over;  // ends it earlier
  Answers echoes{}, errors{};
  IpAddress errors_from;

  bool ends() const { return over || scope.stop.stopped() || scope.clock.now() >= until; }
};

asio::awaitable<bool> ask_by_echo(Watch& watch, IpAddress router, std::string link) {
  EchoSocket socket(watch.executor, router, link);
  if (!socket.is_open()) co_return false;
  auto due = watch.scope.clock.now();
  while (!watch.ends()) {
    const auto number = watch.echoes.sent(watch.scope.clock.now());
    socket.send(number);
    due = std::max(due, watch.scope.clock.now()) + timeouts::first_hop_echo;  // no burst
    co_await socket.listen(watch.scope, due, watch.echoes);
  }
  const auto last = watch.scope.clock.now() + timeouts::first_hop_reply;
  co_await socket.listen(watch.scope, last, watch.echoes);
  co_return true;
}

asio::awaitable<bool> ask_by_ttl(Watch& watch, SocketAddress remote, std::string interface) {
  UdpSocket::Options options;
  options.ttl = 1;
  options.interface = std::move(interface);
  auto socket = UdpSocket::open(watch.executor, remote, options);
  if (socket.has_error()) co_return false;
  auto due = watch.scope.clock.now();
  while (!watch.ends()) {
    const auto number = watch.errors.sent(watch.scope.clock.now());
    const std::array<std::uint8_t, 4> packet{0x80, 0, static_cast<std::uint8_t>(number >> 8),
                                             static_cast<std::uint8_t>(number)};
    const auto sent = socket->send(packet);
    if (sent.has_error()) co_return false;
    due = std::max(due, watch.scope.clock.now()) + timeouts::first_hop_error;
    while (watch.scope.clock.now() < due && !watch.over) {
      const auto look = std::min(due, watch.scope.clock.now() + timeouts::first_hop_echo);
      const auto icmp = co_await socket->receive_icmp(watch.scope, look);
      if (icmp.has_error() && icmp.error().kind != FailureKind::timed_out) co_return false;
      if (icmp.has_error()) continue;
      if (icmp->kind != IcmpKind::time_exceeded || !icmp->payload) continue;
      const auto& quoted = *icmp->payload;
      if (quoted.size() < packet.size()) continue;
      watch.errors_from = icmp->sender;
      watch.errors.came(static_cast<std::size_t>(quoted[2] << 8 | quoted[3]),
                        watch.scope.clock.now());
    }
  }
  co_return true;
}

}  // namespace

asio::awaitable<std::optional<FirstHopSeen>> watch_first_hop(asio::any_io_executor executor,
                                                             Scope scope, SocketAddress remote,
                                                             std::string interface, Instant until,
                                                             const bool& over) {
  const auto way = platform::way_to(remote.address);
  if (!way || !way->gateway) co_return std::nullopt;
  if (!interface.empty() && interface != way->interface_name) co_return std::nullopt;
  Watch watch{executor, scope, until, over, {}, {}, *way->gateway};
  std::vector<asio::awaitable<bool>> work;
  work.push_back(ask_by_echo(watch, *way->gateway, way->interface_name));
  work.push_back(ask_by_ttl(watch, remote, std::move(interface)));
  co_await together(executor, std::move(work));
  FirstHopSeen seen;
  seen.wireless = platform::is_wireless(way->interface_name);
  seen.echo = watch.echoes.any();
  seen.router = seen.echo ? *way->gateway : watch.errors_from;
  (seen.echo ? watch.echoes : watch.errors).fill(seen);
  if (seen.took_ms.empty()) co_return std::nullopt;
  co_return seen;
}

}  // namespace callready
