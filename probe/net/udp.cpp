#include "probe/net/udp.hpp"

#include "probe/net/in_thread.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/platform/arrival.hpp"
#include "probe/platform/icmp.hpp"
#include "probe/platform/path.hpp"

namespace callready {

namespace {
using asio::ip::udp;

using Router = std::optional<IpAddress>;

// Who sent the "time exceeded", as far as an echo with the same TTL tells: the system did not say.
asio::awaitable<Router> ask_for_router(asio::any_io_executor executor, IpAddress target,
                                       IpAddress source, int ttl, Scope scope) {
  std::function<Router()> work = [=] {
    return platform::router_at(target, source, ttl, timeouts::icmp_reply);
  };
  const auto until = scope.clock.now() + timeouts::icmp_reply;
  const auto router = co_await in_thread(executor, std::move(work), scope, until);
  if (router.has_error()) co_return std::nullopt;
  co_return *router;
}

class SystemCarrier final : public DatagramCarrier {
 public:
  explicit SystemCarrier(udp::socket socket, bool v6) : socket_(std::move(socket)), v6_(v6) {}

  error_code send(std::span<const std::uint8_t> bytes, const SocketAddress& to) override {
    const auto buffer = asio::buffer(bytes.data(), bytes.size());
    error_code error, peer;
    socket_.remote_endpoint(peer);
    if (!peer) {
      socket_.send(buffer, 0, error);
    } else {
      socket_.send_to(buffer, to_endpoint<udp>(to), 0, error);
    }
    return error;
  }
  error_code send_from(const IpAddress& own, std::span<const std::uint8_t> bytes,
                       const SocketAddress& to) override {
    return {platform::send_from(socket_.native_handle(), own, bytes, to),
            boost::system::system_category()};
  }
  void set_ttl(int ttl) override { platform::set_ttl(socket_.native_handle(), v6_, ttl); }
  bool set_traffic_class(int traffic_class) override {
    return platform::set_traffic_class(socket_.native_handle(), v6_, traffic_class);
  }
  int path_mtu() const override {
    auto& socket = const_cast<udp::socket&>(socket_);  // Asio has no way to ask a constant one
    return platform::path_mtu(socket.native_handle(), v6_).value_or(0);
  }
  std::optional<UdpEvent> take(const Clock& clock, Failure& failure) override;
  void when_readable(std::function<void()> callback) override {
    socket_.async_wait(udp::socket::wait_read,
                       [callback = std::move(callback)](error_code) { callback(); });
  }
  void cancel() override {
    error_code ignored;
    socket_.cancel(ignored);
  }
  SocketAddress local() const override { return local_end_of(socket_); }

 private:
  udp::socket socket_;
  bool v6_;
};

}  // namespace

Result<std::unique_ptr<DatagramCarrier>> open_by_system(const asio::any_io_executor& executor,
                                                        const SocketAddress& remote,
                                                        const UdpOptions& options) {
  error_code error;
  udp::socket socket(executor);
  const bool v6 = remote.address.is_v6();
  socket.open(v6 ? udp::v6() : udp::v4(), error);
  if (error) return classify(error);
  socket.non_blocking(true, error);
  if (error) return classify(error);
  const auto native = socket.native_handle();
  platform::enable_icmp_errors(native, v6);
  platform::note_arrivals(native);  // where that fails, the time of reading must do
  if (options.fragments) platform::allow_fragments(native, v6);
  if (options.whole) platform::forbid_fragments(native, v6);
  if (options.headers) platform::note_headers(native, v6);
  error_code less;  // room than was asked for
  if (options.room > 0)
    socket.set_option(asio::socket_base::receive_buffer_size(options.room), less);
  if (options.ttl != 0) platform::set_ttl(native, v6, options.ttl);
  if (!options.interface.empty() &&
      !platform::bind_to_interface(native, options.interface.c_str())) {
    return classify(error_code(errno, boost::system::system_category()));
  }
  if (options.bind) {
    if (options.bind->address.is_unspecified()) platform::note_destinations(native, v6);
    socket.bind(to_endpoint<udp>(*options.bind), error);
  } else if (options.connect) {
    socket.connect(to_endpoint<udp>(remote), error);
  } else {
    socket.bind(udp::endpoint(v6 ? udp::v6() : udp::v4(), 0), error);
  }
  if (error) return classify_first(error);
  return std::unique_ptr<DatagramCarrier>(std::make_unique<SystemCarrier>(std::move(socket), v6));
}

std::optional<UdpEvent> SystemCarrier::take(const Clock& clock, Failure& failure) {
  if (auto icmp = platform::take_icmp_error(socket_.native_handle())) {
    return UdpEvent(std::move(*icmp));
  }
  // One for all sockets, which are read on one thread: a datagram then takes no more than it holds.
  static thread_local std::array<std::uint8_t, 65'536> buffer;
  const auto noted = platform::next_arrival(socket_.native_handle());
  const auto arrived = noted.waited ? clock.ago(*noted.waited) : clock.now();
  udp::endpoint from;
  error_code error;
  const auto size = socket_.receive_from(asio::buffer(buffer), from, 0, error);
  if (error) {
    // Windows calls it a reset if a datagram is refused.
    if (error == asio::error::connection_reset) error = asio::error::connection_refused;
    // An error that was already taken from the queue above may be reported once more.
    const bool told = error == asio::error::connection_refused && platform::icmp_supported();
    if (error != asio::error::would_block && !told) failure = classify(error);
    return std::nullopt;
  }
  Datagram datagram;
  datagram.bytes.assign(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
  datagram.from = from_endpoint(from);
  datagram.arrived = arrived;
  datagram.traffic_class = noted.traffic_class;
  datagram.ttl = noted.ttl;
  datagram.dropped = noted.dropped;
  datagram.to = noted.to;
  return UdpEvent(std::move(datagram));
}

void throw_exception_from_error(const UdpFailure& failure, const boost::source_location& where) {
  throw_exception_from_error(failure.failure, where);
}

Result<UdpSocket> UdpSocket::open(const asio::any_io_executor& executor,
                                  const SocketAddress& remote, const Options& options) {
  auto* const source = source_in_memory(executor);
  auto carrier = source != nullptr ? source->open_udp(remote, options)
                                   : open_by_system(executor, remote, options);
  if (carrier.has_error()) return carrier.error();
  return UdpSocket(executor, std::move(*carrier), remote, options.ttl);
}

std::optional<IpAddress> own_address_towards(const asio::any_io_executor& executor,
                                             const IpAddress& remote) {
  const auto socket = UdpSocket::open(executor, {remote, 9}, {});
  if (socket.has_error()) return std::nullopt;
  return socket->local().address;
}

Result<void> UdpSocket::send(std::span<const std::uint8_t> bytes) {
  return send_to(bytes, remote_);
}

Result<void> UdpSocket::send_to(std::span<const std::uint8_t> bytes, const SocketAddress& to,
                                const std::optional<IpAddress>& own) {
  error_code error;
  if (ttl_ != 0) ends_after_ = ttl_;
  // An ICMP error that is pending on the socket is reported by the next call and consumed by it;
  // it stays in the error queue, where receive() finds it: send again.
  for (int tries = 0; tries < 3; ++tries) {
    error = own ? carrier_->send_from(*own, bytes, to) : carrier_->send(bytes, to);
    if (!error) return {};
    // No ICMP error is reported like this: it is this computer's firewall.
    if (error == boost::system::errc::operation_not_permitted) return classify(error);
  }
  // A full buffer is a packet lost on the way out: the next transmission makes up for it.
  if (error == asio::error::would_block) return {};
  return classify_first(error);
}

void UdpSocket::set_ttl(int ttl) {
  ttl_ = ttl;
  carrier_->set_ttl(ttl);
}

bool UdpSocket::set_traffic_class(int traffic_class) {
  return carrier_->set_traffic_class(traffic_class);
}

std::optional<Result<UdpEvent>> UdpSocket::poll(const Clock& clock) {
  Failure failure;
  failure.text.clear();
  auto event = carrier_->take(clock, failure);
  if (event) {
    if (auto* icmp = std::get_if<IcmpError>(&*event)) {
      icmp->own = said_by_this_computer(*icmp, local().address, remote_.address);
    }
    return Result<UdpEvent>(std::move(*event));
  }
  // An ICMP error says the same, with its sender.
  const bool told_apart =
      failure.kind == FailureKind::unreachable || failure.kind == FailureKind::no_route;
  if (failure.text.empty() || told_apart) return std::nullopt;
  return Result<UdpEvent>(std::move(failure));
}

void UdpSocket::when_readable(std::function<void()> callback) {
  carrier_->when_readable(std::move(callback));
}

void UdpSocket::cancel() { carrier_->cancel(); }

void UdpSocket::take_datagrams(const Clock& clock, int most,
                               const std::function<void(const Datagram&)>& take) {
  for (int count = 0; count < most; ++count) {
    const auto event = poll(clock);
    if (!event) return;
    if (event->has_error()) continue;
    if (const auto* datagram = std::get_if<Datagram>(&**event)) take(*datagram);
  }
}

// Not a coroutine: g++ 12 does not keep what a lambda in one captures.
asio::awaitable<void> UdpSocket::readable() {
  const auto begin = [this](auto handler) {
    const auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    when_readable([shared] { std::move (*shared)(); });
  };
  return asio::async_initiate<const asio::use_awaitable_t<>&, void()>(begin, asio::use_awaitable);
}

asio::awaitable<Result<UdpEvent>> UdpSocket::receive(Scope scope, Instant deadline) {
  Guard guard(scope, deadline, [this] { cancel(); });
  for (;;) {
    auto event = poll(scope.clock);
    const bool nameless = event && event->has_error() && ends_after_ != 0 &&
                          event->error().kind == FailureKind::ttl_exceeded;
    if (nameless) {
      const auto where = executor();
      const auto target = remote_.address, source = local().address;
      const auto router = co_await ask_for_router(where, target, source, ends_after_, scope);
      if (!router) co_return std::move(*event);
      IcmpError icmp;
      icmp.kind = IcmpKind::time_exceeded;
      icmp.sender = *router;
      co_return UdpEvent(std::move(icmp));
    }
    if (event) co_return std::move(*event);
    if (guard.over()) co_return guard.failure();
    co_await readable();
  }
}

asio::awaitable<Result<IcmpError>> UdpSocket::receive_icmp(Scope scope, Instant deadline) {
  for (int seen = 0; seen < most_foreign; ++seen) {
    auto event = co_await receive(scope, deadline);
    if (event.has_error()) co_return event.error();
    if (auto* icmp = std::get_if<IcmpError>(&*event)) co_return std::move(*icmp);
  }
  co_return flooded();
}

SocketAddress UdpSocket::local() const { return carrier_->local(); }

asio::awaitable<Result<Datagram>> receive_matching(UdpSocket& socket, Scope scope, Instant deadline,
                                                   const UdpMatch& matches,
                                                   std::optional<IcmpError>* icmp) {
  for (int seen = 0; seen < most_foreign; ++seen) {
    auto event = co_await socket.receive(scope, deadline);
    if (event.has_error()) co_return event.error();
    if (auto* datagram = std::get_if<Datagram>(&*event)) {
      if (matches(*datagram)) co_return std::move(*datagram);
    } else if (icmp != nullptr && !*icmp) {
      *icmp = std::move(std::get<IcmpError>(*event));
    }
  }
  co_return flooded();
}

UdpPatience patience_with(std::optional<Milliseconds> round_trip) {
  if (!round_trip || *round_trip > timeouts::near_round_trip) return {};
  return {3, timeouts::udp_near_reply};
}

asio::awaitable<UdpOutcome> udp_request(UdpSocket& socket, Scope scope,
                                        std::span<const std::uint8_t> request,
                                        const UdpMatch& matches, UdpPatience patience) {
  const auto start = scope.clock.now();
  const auto give_up = start + patience.reply;
  UdpFailure failure;
  Instant sent = start;
  if (scope.stop.stopped()) {
    failure.failure = stopped();
    co_return failure;
  }
  for (;;) {
    const auto attempt = static_cast<std::size_t>(failure.attempts);
    const bool more = attempt < patience.sends;
    if (more && scope.clock.now() >= start + timeouts::udp_sends[attempt]) {
      sent = scope.clock.now();  // the reply may be here before send() returns to us
      const auto result = socket.send(request);
      if (result.has_error()) {
        failure.failure = result.error();
        co_return failure;
      }
      ++failure.attempts;
      continue;
    }
    const auto until = more ? start + timeouts::udp_sends[attempt] : give_up;
    auto event = co_await socket.receive(scope, until);
    if (event.has_error()) {
      if (event.error().kind == FailureKind::timed_out && until < give_up) continue;
      failure.failure = event.error();
      co_return failure;
    }
    auto* icmp = std::get_if<IcmpError>(&*event);
    const bool passing = icmp != nullptr && (icmp->kind == IcmpKind::time_exceeded ||
                                             icmp->kind == IcmpKind::fragmentation_needed);
    if (icmp != nullptr && !passing) {
      failure.failure = classify(asio::error::connection_refused, std::move(*icmp));
      co_return failure;
    }
    const bool accepted = !passing && matches(std::get<Datagram>(*event));
    if (!accepted) {
      if (++failure.ignored < most_foreign) continue;
      failure.failure = flooded();
      co_return failure;
    }
    auto& datagram = std::get<Datagram>(*event);
    UdpReply reply;
    reply.attempts = failure.attempts;
    // The two clocks may differ by a little.
    datagram.arrived = std::max(datagram.arrived, failure.attempts == 1 ? sent : start);
    reply.since_first = elapsed(start, datagram.arrived);
    if (failure.attempts == 1) reply.round_trip = elapsed(sent, datagram.arrived);
    reply.datagram = std::move(datagram);
    co_return reply;
  }
}

}  // namespace callready
