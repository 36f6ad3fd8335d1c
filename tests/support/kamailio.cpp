#include "tests/support/kamailio.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "probe/serve/certificates.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready::test {
namespace {

// Without auto_aliases=no, dns=no and rev_dns=no it waits for a resolver at the start.
constexpr std::string_view configuration = R"cfg(
auto_aliases=no
dns=no
rev_dns=no
dns_try_naptr=no
use_dns_cache=no
children=1
tcp_children=1
log_stderror=yes
server_header="Server: kamailio-under-test"
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
listen=tls:127.0.0.1:{tls_port}
enable_tls=yes
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "tls.so"
modparam("tls", "certificate", "{folder}/cert.pem")
modparam("tls", "private_key", "{folder}/key.pem")
modparam("tls", "tls_method", "TLSv1.2+")
request_route {{
  if ($rd == "silent.test") exit;
  if ($rd == "s403.test") {{ sl_send_reply("403", "As asked"); exit; }}
  if ($rd == "s404.test") {{ sl_send_reply("404", "As asked"); exit; }}
  if ($rd == "s500.test") {{ sl_send_reply("500", "As asked"); exit; }}
  if ($rd == "s603.test") {{ sl_send_reply("603", "As asked"); exit; }}
  sl_send_reply("200", "OK");
}}
)cfg";

bool accepts(asio::io_context& context, std::uint16_t port) {
  asio::ip::tcp::socket socket(context);
  error_code error;
  socket.connect({asio::ip::address_v4::loopback(), port}, error);
  return !error;
}

}  // namespace

Kamailio::Kamailio(asio::io_context& context) {
  // A port that is free for UDP and TCP.
  for (int tries = 0; tries < 20 && port_ == 0; ++tries) {
    const auto port = free_tcp_port(context);
    error_code error;
    asio::ip::udp::socket probe(context);
    probe.open(asio::ip::udp::v4());
    probe.bind({asio::ip::address_v4::loopback(), port}, error);
    if (!error) port_ = port;
  }
  tls_port_ = free_tcp_port(context);
  serve::CertificateOptions authority;
  authority.common_name = "Test Root";
  authority.authority = true;
  const auto root = serve::Certificate::self_signed(authority);
  serve::CertificateOptions server;
  server.common_name = "localhost";
  server.names = {"localhost"};
  const auto leaf = root.issue(server);
  folder_.write("ca.pem", root.pem());
  folder_.write("cert.pem", leaf.pem());
  folder_.write("key.pem", leaf.key_pem());
  const auto file =
      folder_.write("kamailio.cfg", fmt::format(configuration, fmt::arg("port", port_),
                                                fmt::arg("tls_port", tls_port_),
                                                fmt::arg("folder", folder_.path())));
  const std::vector<std::string> command = {installed("kamailio"), "-f", file, "-DD", "-E", "-Y",
                                            folder_.path(),        "-m", "32", "-M",  "8"};
  process_ = std::make_unique<ChildProcess>(command, folder_.path() + "/log");
  const auto listens = [&] {
    return !process_->running() || (accepts(context, port_) && accepts(context, tls_port_));
  };
  if (!eventually(listens, std::chrono::seconds(5)) || !process_->running()) {
    throw std::runtime_error("kamailio does not start:\n" + process_->log());
  }
}

SocketAddress Kamailio::address(Transport transport) const {
  return {IpAddress::v4({127, 0, 0, 1}), transport == Transport::tls ? tls_port_ : port_};
}

}  // namespace callready::test
