// Replies of web servers and proxies (RFC 9112), read by libcurl over loopback: the first byte says
// whether the peer is a server, or a proxy that is asked for a tunnel.
#include <openssl/ssl.h>

#include "probe/net/http.hpp"
#include "probe/util/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready::fuzz {
namespace {

// Nothing here speaks TLS: reading the system's trust store would take most of the time.
const bool no_trust_store = setenv("SSL_CERT_FILE", "/dev/null", 1) == 0;

struct Exchange {
  test::Loop loop;
  std::unique_ptr<TlsContext> tls = *TlsContext::create({});
  HttpClient client{loop.executor(), *tls};
  test::Bytes reply;
  test::ScriptedTcp peer{loop.context,
                         [this](test::ScriptedTcp::Connection& connection, const test::Bytes& got) {
                           if (got.empty()) return;
                           connection.send(reply);
                           connection.close();
                         }};
};

void readable(const std::vector<std::pair<std::string, std::string>>& headers) {
  for (const auto& [name, value] : headers) {
    FUZZ_REQUIRE(!find_invalid_utf8(name) && !find_invalid_utf8(value));
    FUZZ_REQUIRE(!has_control_characters(name) && !has_control_characters(value));
  }
}

void check(const HttpReply& reply) {
  readable(reply.headers);
  readable(reply.proxy_headers);
  FUZZ_REQUIRE(reply.body.size() <= HttpClient::body_limit);
  FUZZ_REQUIRE(reply.status >= 0 && reply.status <= 999);
  FUZZ_REQUIRE(reply.failure || reply.status != 0 || reply.connect_status != 0);
}

}  // namespace

void http_reply(Input input) {
  if (input.empty()) return;
  // Anew now and then: the scripted server keeps what it needs for each connection. The last one
  // goes at the program's end, before OpenSSL, which has come before it.
  static const bool openssl = OPENSSL_init_ssl(0, nullptr) == 1;
  FUZZ_REQUIRE(openssl);
  static std::unique_ptr<Exchange> kept;
  static int uses = 0;
  if (uses++ % 200 == 0) kept = std::make_unique<Exchange>();
  auto& exchange = *kept;
  exchange.reply.assign(input.begin() + 1, input.end());
  if (exchange.reply.empty()) exchange.reply.push_back('\n');
  const auto port = exchange.peer.address().port;
  const auto deadline = exchange.loop.soon(milliseconds(2'000));
  const auto here = IpAddress::v4({127, 0, 0, 1});

  HttpRequest request;
  request.user_agent = "callready/fuzz";
  if ((input[0] & 1) == 0) {
    request.url = "http://www.example.com:" + std::to_string(port) + "/";
    request.pins = {{"www.example.com", port, here}};
    check(exchange.loop.run(exchange.client.request(request, exchange.loop.scope, deadline)));
  } else {
    request.url = "http://www.example.com:443";
    request.pins = {{"proxy.example.com", port, here}};
    request.proxy = HttpProxy();
    request.proxy->url = "http://proxy.example.com:" + std::to_string(port);
    const auto tunnel =
        exchange.loop.run(exchange.client.connect(request, exchange.loop.scope, deadline));
    check(tunnel.reply);
    FUZZ_REQUIRE(!tunnel.stream || tunnel.reply.connect_status / 100 == 2);
  }
}

}  // namespace callready::fuzz
