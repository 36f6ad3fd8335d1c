#include "checks/turn_tunnel.hpp"

#include "checks/certificate_evidence.hpp"

namespace callready::checks {

using asio::ip::tcp;

namespace {

constexpr std::size_t most_connections = 16;  // libnice makes one for each address of this computer

}  // namespace

TurnTunnel::TurnTunnel(Context& context)
    : context_(context), acceptor_(context.executor), tasks_(context.executor) {}

Result<SocketAddress> TurnTunnel::open(const RelayServer& server, bool v6) {
  server_ = server;
  const tcp::endpoint at(v6 ? asio::ip::address(asio::ip::address_v6::loopback())
                            : asio::ip::address(asio::ip::address_v4::loopback()),
                         0);
  error_code error;
  acceptor_.open(at.protocol(), error);
  if (!error) acceptor_.bind(at, error);
  if (!error) acceptor_.listen(tcp::socket::max_listen_connections, error);
  const auto bound = error ? at : acceptor_.local_endpoint(error);
  if (error) return classify(error);
  const auto work = [this] { return accept(); };
  tasks_.start(work);
  return from_endpoint(bound);
}

asio::awaitable<void> TurnTunnel::close() {
  error_code ignored;
  acceptor_.close(ignored);
  stop_.stop();
  co_await tasks_.join();
}

asio::awaitable<void> TurnTunnel::accept() {
  for (std::size_t count = 0; count < most_connections; ++count) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    tasks_.start([&] { return carry(std::move(socket)); });
  }
}

asio::awaitable<void> TurnTunnel::carry(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  TcpStream client(std::move(socket));
  const Job job{server_.probe, server_.address};
  const DialOptions wanted{.tls = true};
  Observation unseen;
  auto dialled = co_await dial(context_, job, wanted, unseen);
  if (!dialled.stream || !certificate_fault(dialled.tls).empty() || stop_.stopped()) co_return;
  // When one direction ends, so does the other.
  StopSignal end;
  const auto handle = stop_.subscribe([&end] { end.stop(); });
  TaskGroup ways(context_.executor);
  ways.start([&] { return pump(client, *dialled.stream, end); });
  ways.start([&] { return pump(*dialled.stream, client, end); });
  const auto thrown = co_await ways.ended();
  stop_.unsubscribe(handle);
  if (thrown) std::rethrow_exception(thrown);
}

asio::awaitable<void> TurnTunnel::pump(Stream& from, Stream& to, StopSignal& end) {
  const Scope scope{context_.scope.clock, end};
  const auto deadline = context_.deadline + timeouts::deallocate + timeouts::drain;
  std::vector<std::uint8_t> buffer(4'096);
  for (;;) {
    const auto size = co_await from.read_some(buffer, scope, deadline);
    if (size.has_error()) break;
    const auto bytes = std::span(buffer).first(*size);
    const auto written = co_await to.write(bytes, scope, deadline);
    if (written.has_error()) break;
  }
  end.stop();
}

}  // namespace callready::checks
