#include "probe/serve/http_server.hpp"

#include <fmt/format.h>

#include "probe/serve/certificates.hpp"
#include "probe/serve/http_head.hpp"
#include "tests/serve/raw.hpp"

namespace callready::serve {
namespace {

std::string get(const std::string& target, const std::string& more = {},
                const std::string& method = "GET") {
  return fmt::format("{} {} HTTP/1.1\r\nHost: www.demo.callready.test\r\n{}\r\n", method, target,
                     more);
}

struct HttpServerTest : testing::Test {
  test::Loop loop;
  HttpOptions options;
  std::shared_ptr<HttpServer> server;

  void start() {
    options.pages["/ncsi.txt"].body = ncsi;
    auto& moved = options.pages["/moved"];
    moved.status = 302;
    moved.location = "/ncsi.txt";
    options.websocket_paths = {"/websocket"};
    server = *HttpServer::start(loop.executor(), any_port, options);
  }
  // The whole of what comes for `text` until the server closes.
  std::string exchange(const std::string& text) {
    RawTcp client(loop, server->local());
    client.send(text);
    client.finish();
    const auto all = client.receive_all();
    EXPECT_TRUE(all);
    return text_of(all.value_or(Bytes()));
  }
};

TEST_F(HttpServerTest, ServesItsPagesAndNoOthers) {
  start();
  const auto page = exchange(get("/ncsi.txt?x=1"));
  EXPECT_TRUE(page.starts_with("HTTP/1.1 200 OK\r\n")) << page;
  EXPECT_TRUE(has(page, "\r\nContent-Length: 14\r\n"));
  EXPECT_TRUE(has(page, "\r\nContent-Type: text/plain\r\n"));
  EXPECT_TRUE(has(page, "\r\nDate: "));
  EXPECT_TRUE(page.ends_with("\r\n\r\n" + ncsi));
  EXPECT_TRUE(exchange(get("/secret")).starts_with("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_TRUE(exchange(get("/../etc/passwd")).starts_with("HTTP/1.1 404"));
  const auto moved = exchange(get("/moved"));
  EXPECT_TRUE(moved.starts_with("HTTP/1.1 302 Found\r\n"));
  EXPECT_TRUE(has(moved, "\r\nLocation: /ncsi.txt\r\n"));
  const auto head = exchange(get("/ncsi.txt", "", "HEAD"));
  EXPECT_TRUE(has(head, "\r\nContent-Length: 14\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  const auto post = exchange(get("/ncsi.txt", "Content-Length: 3\r\n", "POST"));
  EXPECT_TRUE(post.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_TRUE(has(post, "\r\nAllow: GET, HEAD\r\n"));
}

TEST_F(HttpServerTest, KeepsConnectionsAsAsked) {
  start();
  const auto both = exchange(get("/ncsi.txt") + get("/none") +
                             get("/ncsi.txt", "Connection: close\r\n") + get("/never"));
  EXPECT_TRUE(has(both, "HTTP/1.1 404"));
  EXPECT_TRUE(has(both, "Connection: close\r\n"));
  EXPECT_TRUE(both.ends_with(ncsi));
  const auto old = exchange("GET /ncsi.txt HTTP/1.0\r\n\r\nGET /ncsi.txt HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(has(old, "Connection: close\r\n"));
  EXPECT_EQ(old.find(ncsi), old.size() - ncsi.size());  // once
  options.limits.requests = 2;
  start();
  const auto bounded = exchange(get("/ncsi.txt") + get("/none") + get("/none"));
  EXPECT_EQ(bounded.find("404"), bounded.rfind("404 "));
}

TEST_F(HttpServerTest, UpgradesToWebSocket) {
  start();
  // The key and its answer are RFC 6455's own, section 1.3.
  const std::string fields =
      "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  RawTcp client(loop, server->local());
  const auto reply = text_of(*client.ask(bytes_of(get("/websocket", fields))));
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 101 Switching Protocols\r\n")) << reply;
  EXPECT_TRUE(has(reply, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")) << reply;
  EXPECT_FALSE(has(reply, "Content-Length"));
  client.send(Bytes{0x81, 0x80, 1, 2, 3, 4});  // an empty text frame
  EXPECT_EQ(client.receive_all(), (Bytes{0x88, 0x02, 0x03, 0xe8}));
  const auto plain = exchange(get("/websocket"));
  EXPECT_TRUE(plain.starts_with("HTTP/1.1 426 Upgrade Required\r\n")) << plain;
  const auto no_key = exchange(get("/websocket", "Upgrade: websocket\r\nConnection: Upgrade\r\n"));
  EXPECT_TRUE(no_key.starts_with("HTTP/1.1 426"));
}

TEST_F(HttpServerTest, RefusesWhatIsNotARequest) {
  options.limits.request_bytes = 2'000;
  start();
  const std::string bad[] = {
      "GARBAGE\r\n\r\n",
      "GET / HTTP/3.0\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",                        // no Host
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",  // two
      "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
      std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28),
      "\x16\x03\x01\x02\x00\x01",
  };
  for (const auto& text : bad) {
    const auto reply = exchange(text);
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 400 Bad Request\r\n")) << text << reply;
    EXPECT_TRUE(has(reply, "Connection: close\r\n"));
  }
  RawTcp endless(loop, server->local());
  endless.send("GET / HTTP/1.1\r\nX: " + std::string(3'000, 'x'));
  const auto reply = endless.receive();
  EXPECT_TRUE(text_of(*reply).starts_with("HTTP/1.1 431 ")) << text_of(*reply);
  EXPECT_EQ(exchange(get("/ncsi.txt").substr(0, 20)), "");  // cut: nothing to answer
}

TEST_F(HttpServerTest, ServesOverTlsWithItsChain) {
  CertificateOptions authority;
  authority.common_name = "Demo Root";
  authority.authority = true;
  const auto root = Certificate::self_signed(authority);
  authority.common_name = "Demo Intermediate";
  const auto intermediate = root.issue(authority);
  CertificateOptions leaf;
  leaf.names = {"www.demo.callready.test"};
  options.tls = server_context(intermediate.issue(leaf), {intermediate});
  start();
  const auto context = *TlsContext::create({});
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context->native().native_handle()), root.x509());
  auto client = loop.run(dial_tls(loop, *context, server->local(), "www.demo.callready.test"));
  ASSERT_TRUE(client.stream);
  EXPECT_EQ(client.info.verify_code, 0) << client.info.verify_text;
  EXPECT_TRUE(client.info.name_matches);
  EXPECT_EQ(client.info.chain.size(), 2u);
  const auto reply = loop.run(ask_stream(loop, *client.stream, bytes_of(get("/ncsi.txt"))));
  EXPECT_TRUE(text_of(*reply).ends_with(ncsi));
  const auto other = loop.run(dial_tls(loop, *context, server->local(), "other.callready.test"));
  EXPECT_FALSE(other.info.name_matches);
}

TEST_F(HttpServerTest, HeadsAreReadStrictly) {
  const auto parse = [](const std::string& text) { return parse_http_head(bytes_of(text)); };
  const auto head = parse("CONNECT a.test:443 HTTP/1.1\r\nhost: a.test:443\r\nX-Y:  z \r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "CONNECT");
  EXPECT_EQ(head->target, "a.test:443");
  EXPECT_EQ(head->field("x-y"), "z");
  EXPECT_FALSE(head->has_body);
  EXPECT_TRUE(parse(get("/", "Transfer-Encoding: chunked\r\n"))->has_body);
  EXPECT_TRUE(parse(get("/", "Upgrade: h2c, WebSocket\r\n"))->lists("Upgrade", "websocket"));
  EXPECT_FALSE(parse(get("/", "Upgrade: websocketx\r\n"))->lists("Upgrade", "websocket"));
  // Every byte changed: no crash, and what is parsed is still of this version.
  const auto whole = get("/ncsi.txt", "Connection: keep-alive\r\n");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      auto changed = whole;
      changed[at] = static_cast<char>(value);
      const auto parsed = parse(changed);
      if (parsed) {
        EXPECT_TRUE(parsed->version == 10 || parsed->version == 11);
      }
    }
  }
}

}  // namespace
}  // namespace callready::serve
