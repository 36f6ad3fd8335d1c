// The checks of applications over IPv6: addresses in URIs, headers, proxies' URLs and resolvers.
#include <fmt/format.h>

#include "probe/net/dns_records.hpp"
#include "probe/serve/certificates.hpp"
#include "probe/serve/dns_server.hpp"
#include "probe/serve/http_server.hpp"
#include "probe/serve/ntp_server.hpp"
#include "probe/serve/proxy_server.hpp"
#include "probe/serve/sip_server.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/said.hpp"

namespace callready::over_ipv6_test {
namespace {

using test::fact;

const auto loopback = *IpAddress::parse("::1");
const SocketAddress any_port{loopback, 0};

bool has_ipv6() {
  asio::io_context context;
  asio::ip::udp::socket socket(context);
  error_code error;
  socket.open(asio::ip::udp::v6(), error);
  if (!error) socket.bind({asio::ip::address_v6::loopback(), 0}, error);
  return !error;
}

// Takes part in the loop as the real servers would, and has left it when a test ends.
class OverIpv6 : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_ipv6()) GTEST_SKIP() << "this machine has no IPv6";
  }
  test::CheckRunner runner;

  static void expect(const Observation& seen, test::Said detail) {
    EXPECT_EQ(to_string(seen.outcome), "answered") << seen.detail.text();
    EXPECT_EQ(seen.detail, detail);
    EXPECT_EQ(seen.address, loopback);
    EXPECT_EQ(seen.local.value_or(SocketAddress{loopback, 0}).address, loopback);
  }
};

TEST_F(OverIpv6, Sip) {
  serve::SipOptions options;
  options.identity.server = "six";
  const auto server = *serve::SipServer::start(runner.loop.executor(), any_port, options);
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    for (const auto* host : {"localhost", "::1"}) {
      const auto seen = runner.run(CheckKind::sip, transport, host, server->local());
      expect(seen, "200");
      EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_via, Fact::received), "::1");
      EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_via, Fact::rewritten), false);
      EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_via, Fact::translated), false);
    }
    expect(runner.run(CheckKind::sip_alg, transport, "::1", server->local()), "no_rewriting_seen");
  }
  server->stop();
}

TEST_F(OverIpv6, HttpAndTls) {
  serve::HttpOptions options;
  options.pages["/"] = {.status = 200, .body = "six"};
  options.websocket_paths = {"/ws"};
  serve::CertificateOptions names;
  names.names = {"localhost", "::1"};
  const auto root = serve::Certificate::self_signed({.common_name = "Root", .authority = true});
  const auto leaf = root.issue(names);
  const auto plain = *serve::HttpServer::start(runner.loop.executor(), any_port, options);
  options.tls = serve::server_context(leaf);
  const auto secure = *serve::HttpServer::start(runner.loop.executor(), any_port, options);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(runner.tls().native().native_handle()), root.x509());
  for (const auto* host : {"localhost", "::1"}) {
    expect(runner.run(CheckKind::http, Transport::tcp, host, plain->local(), {{"body", "six"}}),
           "200");
    expect(runner.run(CheckKind::http, Transport::tls, host, secure->local(), {{"body", "six"}}),
           "200");
    expect(runner.run(CheckKind::http, Transport::tls, host, secure->local(),
                      {{"path", "/ws"}, {"upgrade", "websocket"}}),
           "101");
    expect(runner.run(CheckKind::tls, Transport::tls, host, secure->local()), "trusted");
  }
  plain->stop();
  secure->stop();
}

TEST_F(OverIpv6, Ntp) {
  const auto server = *serve::NtpServer::start(runner.loop.executor(), any_port);
  expect(runner.run(CheckKind::ntp, Transport::udp, "::1", server->local()), "synchronised");
  server->stop();
}

TEST_F(OverIpv6, Dns) {
  serve::DnsZone zone;
  zone.apexes = {"example.test", "ip6.arpa"};
  zone.records = {
      {"a.example.test", *IpAddress::parse("2001:db8::7")},
      {dns::reverse_name(*IpAddress::parse("2001:db8::7")), serve::DnsName{"a.example.test"}}};
  const auto server = *serve::DnsServer::start(runner.loop.executor(), any_port, zone);
  runner.use_dns_servers({server->local().to_string()});
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    expect(runner.run(CheckKind::dns, transport, "a.example.test", {loopback, 53},
                      {{"type", "AAAA"}, {"expect", "2001:db8::/32"}}),
           "records");
    expect(runner.run(CheckKind::dns, transport, "2001:db8::7", {loopback, 53},
                      {{"type", "PTR"}, {"expect", "*.example.test"}}),
           "records");
    expect(runner.run(CheckKind::dns, transport, "::1", server->local(),
                      {{"server", "true"}, {"name", "a.example.test"}, {"type", "AAAA"}}),
           "records");
  }
  server->stop();
}

TEST_F(OverIpv6, Proxy) {
  serve::HttpOptions pages;
  pages.pages["/"] = {.status = 200, .body = "six"};
  const auto web = *serve::HttpServer::start(runner.loop.executor(), any_port, pages);
  serve::ProxyOptions options;
  const auto target = fmt::format("[2001:db8::7]:{}", web->local().port);
  options.allowed[target] = web->local();
  const auto proxy = *serve::ProxyServer::start(runner.loop.executor(), any_port, options);
  Probe probe;
  probe.check = CheckKind::proxy;
  probe.target.host = "2001:db8::7";
  probe.target.ports = {web->local().port, web->local().port};
  probe.target.transport = Transport::tcp;
  probe.target.route.proxy = "http://" + proxy->local().to_string();
  expect(runner.run(probe, std::nullopt), "200");
  probe.check = CheckKind::tcp;
  EXPECT_EQ(to_string(runner.run(probe, std::nullopt).outcome), "connected");
  probe.target.ports = {9, 9};
  probe.check = CheckKind::proxy;
  EXPECT_EQ(to_string(runner.run(probe, std::nullopt).outcome), "denied");
  proxy->stop();
  web->stop();
}

}  // namespace
}  // namespace callready::over_ipv6_test
