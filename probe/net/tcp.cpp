#include <algorithm>

#include "probe/net/sockets.hpp"
#include "probe/net/watched.hpp"
#include "probe/platform/descriptor.hpp"
#include "probe/platform/icmp.hpp"
#include "probe/platform/path.hpp"

namespace callready {

using asio::ip::tcp;

asio::awaitable<Result<std::size_t>> TcpStream::read_some(std::span<std::uint8_t> buffer,
                                                          Scope scope, Instant deadline) {
  Guard guard(scope, deadline, [this] { socket_.cancel(); });
  for (;;) {
    // What has arrived counts, even if we read it late.
    error_code error;
    const auto size = socket_.read_some(asio::buffer(buffer.data(), buffer.size()), error);
    if (!error) co_return size;
    if (error != asio::error::would_block) co_return classify_standing(error);
    if (guard.over()) co_return guard.failure();
    co_await socket_.async_wait(tcp::socket::wait_read, asio::as_tuple(asio::use_awaitable));
  }
}

asio::awaitable<Result<void>> TcpStream::write(std::span<const std::uint8_t> bytes, Scope scope,
                                               Instant deadline) {
  Guard guard(scope, deadline, [this] { socket_.cancel(); });
  if (guard.over()) co_return guard.failure();
  const auto source = asio::buffer(bytes.data(), bytes.size());
  const auto [error, size] =
      co_await asio::async_write(socket_, source, asio::as_tuple(asio::use_awaitable));
  if (!error) co_return Result<void>();
  if (guard.over()) co_return guard.failure();
  co_return classify_standing(error);
}

TcpStream::TcpStream(asio::ip::tcp::socket socket, Milliseconds took)
    : socket_(std::move(socket)), round_trip_(took), handshake_took_(took) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  const auto known = platform::connection_figures(socket_.native_handle());
  if (!known.round_trip) return;
  round_trip_ = std::min(took, Milliseconds(*known.round_trip));
  if (known.sent_again == 0) handshake_took_ = round_trip_;
}

int TcpStream::sent_again() const {
  // Asio has no const way to ask.
  auto& socket = const_cast<asio::ip::tcp::socket&>(socket_);
  return platform::connection_figures(socket.native_handle()).sent_again;
}

SocketAddress TcpStream::local() const { return local_end_of(socket_); }

SocketAddress TcpStream::remote() const { return remote_end_of(socket_); }

bool segments_can_be_sized() { return platform::can_set_segment_size(); }

std::optional<IcmpError> refusal_of_connection(int socket) {
  return platform::is_connected(socket) ? std::nullopt : platform::take_icmp_error(socket);
}

asio::awaitable<Result<std::unique_ptr<TcpStream>>> connect_tcp(asio::any_io_executor executor,
                                                                Scope scope, SocketAddress remote,
                                                                ConnectOptions options) {
  if (auto* const source = source_in_memory(executor)) {
    auto made = co_await source->connect_tcp(scope, remote, std::move(options));
    co_return made;
  }
  error_code error;
  tcp::socket socket(executor);
  const bool v6 = remote.address.is_v6();
  socket.open(v6 ? tcp::v6() : tcp::v4(), error);
  if (error) co_return classify(error);
  const auto native = socket.native_handle();
  platform::enable_icmp_errors(native, v6);
  if (options.ttl != 0) platform::set_ttl(native, v6, options.ttl);
  if (options.segment != 0) platform::set_segment_size(native, options.segment);
  if (!options.interface.empty() &&
      !platform::bind_to_interface(native, options.interface.c_str())) {
    co_return classify(error_code(errno, boost::system::system_category()));
  }
  const auto start = scope.clock.now();
  Guard guard(scope, start + options.timeout, [&socket] { socket.cancel(); });
  if (guard.over()) co_return guard.failure();
  const auto endpoint = to_endpoint<tcp>(remote);
  auto [connect_error] =
      co_await socket.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
  auto icmp = refusal_of_connection(native);
  if (icmp && !connect_error) connect_error = asio::error::host_unreachable;
  // A connection that was given up at the very moment when it was established, is established.
  if (!connect_error || (guard.over() && platform::is_connected(native))) {
    socket.set_option(tcp::no_delay(true), error);
    const auto took = elapsed(start, scope.clock.now());
    co_return std::make_unique<TcpStream>(std::move(socket), took);
  }
  if (guard.over()) {
    if (platform::connection_figures(native).kept_here) co_return kept_here();
    co_return guard.failure();
  }
  const auto own = socket.local_endpoint(error);
  if (icmp && !error) {
    icmp->own = said_by_this_computer(*icmp, from_endpoint(own).address, remote.address);
  }
  co_return classify_first(connect_error, std::move(icmp));
}

asio::awaitable<bool> keeps_syn_here(asio::any_io_executor executor, Scope scope,
                                     SocketAddress remote, std::string interface) {
  ConnectOptions options;
  options.interface = std::move(interface);
  options.ttl = 1;
  options.timeout = timeouts::syn_again;
  const auto connected = co_await connect_tcp(executor, scope, remote, options);
  co_return connected.has_error() && connected.error().kind == FailureKind::kept_here;
}

Result<SocketAddress> listen_at(tcp::acceptor& acceptor, const SocketAddress& address) {
  auto endpoint = to_endpoint<tcp>(address);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error == asio::error::address_family_not_supported && address.address.is_unspecified()) {
    endpoint = {tcp::v4(), address.port};
    acceptor.open(endpoint.protocol(), error);
  }
  if (!error) acceptor.set_option(OwnPort(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return classify(error);
  return local_end_of(acceptor);
}

}  // namespace callready
