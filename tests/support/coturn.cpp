#include "tests/support/coturn.hpp"

#include <sys/socket.h>

#include <stdexcept>

#include "probe/net/stun.hpp"

namespace callready::test {
namespace {

using asio::ip::tcp;

bool accepts(asio::io_context& context, const SocketAddress& address) {
  tcp::socket socket(context);
  error_code error;
  socket.connect(to_endpoint<tcp>(address), error);
  return !error;
}

// Its UDP threads start listening after its TCP threads.
bool answers_binding(asio::io_context& context, const SocketAddress& address) {
  asio::ip::udp::socket socket(context);
  socket.connect(to_endpoint<asio::ip::udp>(address));
  const timeval patience{0, 100'000};
  ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  stun::Builder builder(stun::Class::request, stun::Method::binding, stun::new_transaction_id());
  error_code error;
  socket.send(asio::buffer(builder.finish()), 0, error);
  // Not Asio's receive, which ignores SO_RCVTIMEO.
  std::array<std::uint8_t, 2'048> reply;
  return ::recv(socket.native_handle(), reply.data(), reply.size(), 0) > 0;
}

}  // namespace

Coturn::Coturn(asio::io_context& context, const CoturnOptions& options)
    : address_(*IpAddress::parse(options.v6 ? "::1" : "127.0.0.1")) {
  // A port that is free for UDP and TCP, and its neighbour, which coturn uses for RFC 5780.
  for (int tries = 0; tries < 20 && port_ == 0; ++tries) {
    const auto port = free_tcp_port(context);
    error_code udp_error;
    asio::ip::udp::socket probe(context);
    probe.open(asio::ip::udp::v4());
    probe.bind({asio::ip::address_v4::loopback(), port}, udp_error);
    if (!udp_error) port_ = port;
  }
  tls_port_ = free_tcp_port(context);
  std::vector<std::string> command = {installed("turnserver"),
                                      "-n",
                                      "--listening-ip=" + address_.to_string(),
                                      "--relay-ip=" + address_.to_string(),
                                      "--listening-port=" + std::to_string(port_),
                                      "--tls-listening-port=" + std::to_string(tls_port_),
                                      "--no-cli",
                                      "--no-dtls",
                                      "--realm=callready.test",
                                      "--log-file=stdout",
                                      "--userdb=" + folder_.path() + "/turndb",
                                      "--pidfile=" + folder_.path() + "/pid"};
  if (options.tls) {
    serve::CertificateOptions authority;
    authority.common_name = "Test Root";
    authority.authority = true;
    const auto root = serve::Certificate::self_signed(authority);
    serve::CertificateOptions server;
    server.common_name = "localhost";
    server.names = {"localhost", "127.0.0.1"};
    const auto leaf = root.issue(server);
    folder_.write("ca.pem", root.pem());
    command.push_back("--cert=" + folder_.write("cert.pem", leaf.pem()));
    command.push_back("--pkey=" + folder_.write("key.pem", leaf.key_pem()));
  } else {
    command.push_back("--no-tls");
  }
  if (options.allow_loopback_peers) command.push_back("--allow-loopback-peers");
  command.insert(command.end(), options.arguments.begin(), options.arguments.end());
  process_ = std::make_unique<ChildProcess>(command, folder_.path() + "/log");
  const auto listens = [&] {
    return !process_->running() ||
           (accepts(context, address()) && (!options.tls || accepts(context, tls_address())) &&
            answers_binding(context, address()));
  };
  if (!eventually(listens, std::chrono::seconds(5)) || !process_->running()) {
    throw std::runtime_error("coturn does not start:\n" + process_->log());
  }
}

}  // namespace callready::test
