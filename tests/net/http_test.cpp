#include "probe/net/http.hpp"

#include "probe/net/http_exchange.hpp"
#include "tests/support/few_descriptors.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/stream_server.hpp"
#include "tests/support/temporary_file.hpp"

namespace callready {
namespace {

using test::Bytes;
using test::Loop;
using test::ScriptedTcp;

const IpAddress loopback = IpAddress::v4({127, 0, 0, 1});

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }
std::string text_of(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

// Answers the first bytes of each connection with a fixed text, and remembers what came.
struct Server {
  std::vector<std::string> received;
  ScriptedTcp tcp;
  Server(Loop& loop, std::string reply, bool close = true)
      : tcp(loop.context, [this, reply, close](ScriptedTcp::Connection& peer, const Bytes& bytes) {
          if (bytes.empty()) return;
          received.push_back(text_of(bytes));
          peer.send(bytes_of(reply));
          if (close) peer.close();
        }) {}
  std::uint16_t port() const { return tcp.address().port; }
};

class Http : public testing::Test {
 protected:
  Loop loop;
  std::unique_ptr<TlsContext> tls = std::move(*TlsContext::create({}));
  HttpClient client{loop.executor(), *tls};

  HttpRequest to(std::uint16_t port, const std::string& scheme = "http") {
    HttpRequest request;
    request.url = scheme + "://www.example.com:" + std::to_string(port) + "/path";
    request.pins = {{"www.example.com", port, loopback}};
    request.user_agent = "callready/test";
    return request;
  }
  HttpRequest through(std::uint16_t proxy_port, const std::string& url) {
    HttpRequest request;
    request.url = url;
    request.pins = {{"proxy.example.com", proxy_port, loopback}};
    request.proxy = HttpProxy();
    request.proxy->url = "http://proxy.example.com:" + std::to_string(proxy_port);
    return request;
  }
  HttpReply get(HttpRequest request, milliseconds within = milliseconds(5'000)) {
    return loop.run(client.request(std::move(request), loop.scope, loop.soon(within)));
  }
  HttpReply answered_by(const std::string& reply) {
    Server server(loop, reply, true);
    return get(to(server.port()));
  }
  HttpReply unanswered() {
    Server server(loop, "", false);
    return get(to(server.port()), milliseconds(500));
  }
  HttpTunnel tunnel(HttpRequest request, milliseconds within = milliseconds(5'000)) {
    return loop.run(client.connect(std::move(request), loop.scope, loop.soon(within)));
  }
};

TEST_F(Http, SaysWhereARedirectLeads) {
  const auto moved = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ";
  const auto relative = answered_by(moved + std::string("../other?a=1\r\n\r\n")).redirect;
  EXPECT_TRUE(relative.starts_with("http://www.example.com:")) << relative;
  EXPECT_TRUE(relative.ends_with("/other?a=1")) << relative;
  EXPECT_EQ(answered_by(moved + std::string("https://b.example/x\r\n\r\n")).redirect,
            "https://b.example/x");
  EXPECT_EQ(answered_by("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").redirect, "");
}

TEST_F(Http, ReadsAReply) {
  Server server(loop,
                "HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nX-Odd:  a\x01z \r\n"
                "Content-Length: 5\r\n\r\nhello");
  const auto reply = get(to(server.port()));
  EXPECT_FALSE(reply.failure) << reply.failure->text;
  EXPECT_TRUE(reply.connected);
  EXPECT_EQ(reply.status, 302);
  EXPECT_EQ(reply.version, "HTTP/1.1");
  EXPECT_EQ(reply.header("location"), "http://portal.example/");
  EXPECT_EQ(reply.header("X-Odd"), "a?z");
  EXPECT_EQ(reply.header("Date"), std::nullopt);
  EXPECT_EQ(reply.body, "hello");
  EXPECT_FALSE(reply.body_cut);
  EXPECT_EQ(reply.remote, (SocketAddress{loopback, server.port()}));
  EXPECT_EQ(reply.local->address, loopback);
  EXPECT_TRUE(reply.timing_ms.contains(Timing::connect));
  EXPECT_TRUE(reply.timing_ms.contains(Timing::reply));
  EXPECT_EQ(server.tcp.connections(), 1) << "a redirect is not followed";
  ASSERT_EQ(server.received.size(), 1u);
  EXPECT_TRUE(server.received[0].starts_with("GET /path HTTP/1.1\r\nHost: www.example.com:"));
  EXPECT_NE(server.received[0].find("\r\nUser-Agent: callready/test\r\n"), std::string::npos);
}

// libcurl would have it that nobody answered.
TEST_F(Http, WithoutASocketTheServerIsNotToBlame) {
  if (test::sanitizer_needs_descriptors) GTEST_SKIP() << "UBSan has none left";
  Server server(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  // The thread that reads the trust store has files open until the first one ends.
  EXPECT_FALSE(get(to(server.port())).failure);
  {
    const test::NoDescriptorsLeft none;
    const auto reply = get(to(server.port()));
    ASSERT_TRUE(reply.failure);
    EXPECT_EQ(to_string(reply.failure->kind), "out_of_resources") << reply.failure->text;
    const auto tunnelled = tunnel(through(server.port(), "http://www.example.com:443"));
    ASSERT_TRUE(tunnelled.reply.failure);
    EXPECT_EQ(to_string(tunnelled.reply.failure->kind), "out_of_resources");
  }
  EXPECT_FALSE(get(to(server.port())).failure);
}

// libcurl takes 0 for "no limit".
TEST_F(Http, NoTimeLeftIsNotAllTime) {
  Server server(loop, "", false);
  HttpExchange exchange(to(server.port()), nullptr, nullptr);
  exchange.prepare(false);
  EXPECT_EQ(exchange.block(milliseconds(0)), CURLE_OPERATION_TIMEDOUT);
}

TEST_F(Http, SendsOtherMethodsAndHeaders) {
  Server server(loop, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
  auto request = to(server.port());
  request.method = "HEAD";
  request.headers = {"X-Test: yes"};
  const auto reply = get(request);
  EXPECT_FALSE(reply.failure);
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(server.received[0].starts_with("HEAD /path"));
  EXPECT_NE(server.received[0].find("\r\nX-Test: yes\r\n"), std::string::npos);
}

TEST_F(Http, ASwitchOfProtocolsEndsIt) {
  Server server(loop, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello",
                false);
  const auto reply = get(to(server.port()));
  EXPECT_FALSE(reply.failure) << reply.failure->text;
  EXPECT_EQ(reply.status, 101);
  EXPECT_EQ(reply.header("upgrade"), "websocket");
}

TEST_F(Http, InterimRepliesAreNotTheReply) {
  const auto reply = answered_by(
      "HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\nHTTP/1.1 204 No Content\r\nY: 2\r\n\r\n");
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.header("X"), std::nullopt);
  EXPECT_EQ(reply.header("Y"), "2");
}

TEST_F(Http, HeadersThatEndAfterAnInterimReplyAreNoReply) {
  const auto reply =
      answered_by("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n");
  ASSERT_TRUE(reply.failure);
  EXPECT_EQ(reply.failure->kind, FailureKind::closed_by_peer);
  EXPECT_EQ(reply.status, 0);
}

TEST_F(Http, CutsALongBody) {
  const auto reply =
      answered_by("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x'));
  EXPECT_FALSE(reply.failure);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body.size(), HttpClient::body_limit);
  EXPECT_TRUE(reply.body_cut);
}

TEST_F(Http, EndlessHeadersAreTooMany) {
  ScriptedTcp server(loop.context, [](ScriptedTcp::Connection& peer, const Bytes& bytes) {
    if (bytes.empty()) return;
    peer.send(bytes_of("HTTP/1.1 200 OK\r\n"));
    peer.send_endlessly(bytes_of("X-Again: " + std::string(900, 'x') + "\r\n"));
  });
  const auto reply = get(to(server.address().port));
  ASSERT_TRUE(reply.failure);
  EXPECT_EQ(reply.failure->kind, FailureKind::oversized);
  EXPECT_EQ(reply.status, 0);
}

TEST_F(Http, AnEndlessHeaderLineIsTooMuch) {
  ScriptedTcp server(loop.context, [](ScriptedTcp::Connection& peer, const Bytes& bytes) {
    if (bytes.empty()) return;
    peer.send(bytes_of("HTTP/1.1 200 OK\r\nX-Long: "));
    peer.send_endlessly(Bytes(10'000, 'x'));
  });
  const auto reply = get(to(server.address().port));
  ASSERT_TRUE(reply.failure);
  EXPECT_NE(reply.failure->kind, FailureKind::timed_out);
}

TEST_F(Http, FailsOfWhatIsNoHttp) {
  auto reply = answered_by("SSH-2.0-OpenSSH_9.2\r\n");
  ASSERT_TRUE(reply.failure);
  EXPECT_EQ(reply.failure->kind, FailureKind::malformed);
  EXPECT_TRUE(reply.connected);
  reply = answered_by("");
  ASSERT_TRUE(reply.failure);
  EXPECT_EQ(reply.failure->kind, FailureKind::closed_by_peer);
  reply = answered_by("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
  ASSERT_TRUE(reply.failure);
  EXPECT_EQ(reply.failure->kind, FailureKind::closed_by_peer);
  EXPECT_EQ(reply.status, 200) << "what came before counts";
}

TEST_F(Http, FailsOfAReset) {
  ScriptedTcp server(loop.context, [](ScriptedTcp::Connection& peer, const Bytes& bytes) {
    if (!bytes.empty()) peer.reset();
  });
  const auto reply = get(to(server.address().port));
  ASSERT_TRUE(reply.failure);
  EXPECT_EQ(reply.failure->kind, FailureKind::connection_reset);
}

TEST_F(Http, EndsWithItsScope) {
  auto reply = unanswered();
  ASSERT_TRUE(reply.failure);
  EXPECT_EQ(reply.failure->kind, FailureKind::timed_out);
  EXPECT_TRUE(reply.connected);
  loop.stop.stop();
  reply = unanswered();
  ASSERT_TRUE(reply.failure);
  EXPECT_EQ(reply.failure->kind, FailureKind::stopped);
}

TEST_F(Http, IsRefusedByAClosedPort) {
  const auto reply = get(to(test::free_tcp_port(loop.context)));
  ASSERT_TRUE(reply.failure);
  EXPECT_EQ(reply.failure->kind, FailureKind::connection_refused);
  EXPECT_FALSE(reply.connected);
}

TEST_F(Http, WritesDownWhatTlsShows) {
  const auto authority = test::make_authority("Test Root");
  test::TlsServerOptions options;
  options.chain = {test::make_leaf("www.example.com", authority)};
  const test::TlsServer::Serve serve = [](test::TlsServerStream& peer) -> asio::awaitable<void> {
    std::array<char, 4'096> buffer{};
    co_await peer.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
    const std::string reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    co_await asio::async_write(peer, asio::buffer(reply), asio::as_tuple(asio::use_awaitable));
    co_await peer.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
  };
  test::TlsServer server(loop, options, serve);
  auto reply = get(to(server.address().port, "https"));
  EXPECT_FALSE(reply.failure) << reply.failure->text;
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "ok");
  ASSERT_EQ(reply.tls.chain.size(), 1u);
  EXPECT_EQ(reply.tls.chain[0].subject, "CN=www.example.com");
  EXPECT_EQ(reply.tls.version, "TLSv1.3");
  EXPECT_NE(reply.tls.verify_code, 0) << "unknown here, and yet the reply came";
  EXPECT_TRUE(reply.tls.name_matches);
  EXPECT_TRUE(reply.timing_ms.contains(Timing::tls));
  EXPECT_EQ(server.names_asked, std::vector<std::string>{"www.example.com"});

  const test::TemporaryFile root(authority.pem());
  const auto trusting = std::move(*TlsContext::create({root.path()}));
  HttpClient second(loop.executor(), *trusting);
  reply = loop.run(second.request(to(server.address().port, "https"), loop.scope, loop.soon()));
  EXPECT_EQ(reply.tls.verify_code, 0) << reply.tls.verify_text;
  auto other = to(server.address().port, "https");
  other.url = "https://mail.example.com:" + std::to_string(server.address().port) + "/";
  other.pins[0].host = "mail.example.com";
  reply = loop.run(second.request(other, loop.scope, loop.soon()));
  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(reply.tls.name_matches);
  other.check_name = false;
  reply = loop.run(second.request(other, loop.scope, loop.soon()));
  EXPECT_TRUE(reply.tls.name_matches);
}

TEST_F(Http, TellsWhatIsNoTls) {
  Server server(loop, "HTTP/1.1 400 Bad Request\r\n\r\n");
  const auto reply = get(to(server.port(), "https"));
  ASSERT_TRUE(reply.failure);
  EXPECT_EQ(reply.failure->kind, FailureKind::tls_protocol);
  EXPECT_EQ(reply.tls.not_tls, "HTTP/");
}

TEST_F(Http, AsksAProxyForTheWholeUrl) {
  Server proxy(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const auto reply = get(through(proxy.port(), "http://www.example.com/x"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.connect_status, 0);
  EXPECT_TRUE(proxy.received[0].starts_with("GET http://www.example.com/x HTTP/1.1\r\n"));
}

TEST_F(Http, MakesATunnel) {
  ScriptedTcp proxy(loop.context, [](ScriptedTcp::Connection& peer, const Bytes& bytes) {
    if (bytes.empty()) return;
    const auto text = text_of(bytes);
    if (text.starts_with("CONNECT")) {
      // The first bytes of the server may come with the proxy's answer.
      peer.send(bytes_of("HTTP/1.1 200 Connection established\r\nVia: 1.1 box\r\n\r\nhello"));
    } else {
      peer.send(bytes_of("you said " + text));
    }
  });
  auto made = tunnel(through(proxy.address().port, "http://sip.example.com:5061"));
  EXPECT_FALSE(made.reply.failure) << made.reply.failure->text;
  EXPECT_EQ(made.reply.connect_status, 200);
  EXPECT_EQ(made.reply.proxy_header("via"), "1.1 box");
  EXPECT_EQ(made.reply.status, 0);
  ASSERT_TRUE(made.stream);
  EXPECT_EQ(made.stream->remote(), proxy.address());
  Bytes buffer(100);
  auto got = loop.run(made.stream->read_some(buffer, loop.scope, loop.soon()));
  EXPECT_EQ(text_of(Bytes(buffer.begin(), buffer.begin() + 5)), "hello");
  EXPECT_EQ(*got, 5u);
  const auto words = bytes_of("hi");
  EXPECT_FALSE(loop.run(made.stream->write(words, loop.scope, loop.soon())).has_error());
  got = loop.run(made.stream->read_some(buffer, loop.scope, loop.soon()));
  EXPECT_EQ(*got, 11u);
  EXPECT_EQ(proxy.connections(), 1);
}

// libcurl goes on where a line begins as its end does; a status that only we still waited for would
// be a tunnel through a proxy that never answered.
TEST_F(Http, AgreesWithLibcurlOnWhereHeadersEnd) {
  for (const auto* headers : {"\r;\n", "\nX: y\r\n", "X: y\r\n folded\r\n\t\r\n\r\n"}) {
    Server proxy(loop, std::string("HTTP/1.1 200 Connection established\r\n") + headers);
    const auto made = tunnel(through(proxy.port(), "http://sip.example.com:5061"));
    EXPECT_FALSE(made.reply.failure) << made.reply.failure->text;
    EXPECT_EQ(made.reply.connect_status, 200);
    EXPECT_TRUE(made.stream);
  }
}

TEST_F(Http, TakesNoHeaderAndNoTrailerForAStatus) {
  Server server(loop,
                "HTTP/1.1 103 Early Hints\r\nHTTP/ov 1994: x\r\n\r\n"
                "HTTP/1.1 200 OK\r\nHTTP/1.1 404: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "2\r\nok\r\n0\r\nHTTP/1.1 500: x\r\n\r\n");
  const auto reply = get(to(server.port()));
  EXPECT_FALSE(reply.failure) << reply.failure->text;
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "ok");
}

TEST_F(Http, TellsWhatTheProxyOffers) {
  Server proxy(loop,
               "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: NTLM\r\n"
               "Proxy-Authenticate: Basic realm=\"corp\"\r\nContent-Length: 4\r\n\r\nno!!");
  const auto refused = tunnel(through(proxy.port(), "http://sip.example.com:5061"));
  EXPECT_FALSE(refused.stream);
  EXPECT_EQ(refused.reply.connect_status, 407);
  EXPECT_EQ(refused.reply.proxy_schemes,
            (std::vector<ProxyAuth>{ProxyAuth::basic, ProxyAuth::ntlm}));
  ASSERT_EQ(proxy.received.size(), 1u);
  EXPECT_TRUE(proxy.received[0].starts_with("CONNECT sip.example.com:5061 HTTP/1.1\r\n"));
  EXPECT_EQ(proxy.received[0].find("Authorization"), std::string::npos);
}

// libcurl reads all of it before it says that the proxy refused.
TEST_F(Http, ARefusalWithAnEndlessPageEnds) {
  ScriptedTcp proxy(loop.context, [](ScriptedTcp::Connection& peer, const Bytes& bytes) {
    if (bytes.empty()) return;
    peer.send(
        bytes_of("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"corp\"\r\n"
                 "Content-Length: 1000000000000\r\n\r\n"));
    peer.send_endlessly(Bytes(10'000, 'x'));
  });
  const auto begin = loop.clock.now();
  const auto refused =
      tunnel(through(proxy.address().port, "http://sip.example.com:5061"), milliseconds(60'000));
  EXPECT_FALSE(refused.stream);
  EXPECT_EQ(refused.reply.connect_status, 407);
  EXPECT_EQ(refused.reply.proxy_schemes, std::vector<ProxyAuth>{ProxyAuth::basic});
  EXPECT_LT(elapsed(begin, loop.clock.now()), milliseconds(30'000));
}

TEST_F(Http, LogsInAsTold) {
  Server proxy(loop, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  auto request = through(proxy.port(), "http://sip.example.com:5061");
  request.proxy->user = "alice";
  request.proxy->password = "s:cret";
  auto reply = tunnel(request).reply;
  EXPECT_EQ(proxy.received[0].find("Authorization"), std::string::npos) << "none means none";
  request.proxy->auth = ProxyAuth::basic;
  reply = tunnel(request).reply;
  EXPECT_EQ(reply.connect_status, 403);
  EXPECT_NE(proxy.received[1].find("\r\nProxy-Authorization: Basic YWxpY2U6czpjcmV0\r\n"),
            std::string::npos);
  request.proxy->auth = ProxyAuth::ntlm;
  reply = tunnel(request).reply;
  EXPECT_NE(proxy.received[2].find("\r\nProxy-Authorization: NTLM "), std::string::npos);
}

TEST_F(Http, NegotiatesOnAThread) {
  Server proxy(loop,
               "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n");
  auto request = through(proxy.port(), "http://sip.example.com:5061");
  request.pins.clear();
  request.proxy->url = "http://127.0.0.1:" + std::to_string(proxy.port());
  request.proxy->auth = ProxyAuth::negotiate;
  const auto refused = tunnel(request);
  EXPECT_FALSE(refused.stream);
  ASSERT_TRUE(refused.reply.failure) << "there is no ticket here";
  EXPECT_NE(refused.reply.failure->kind, FailureKind::timed_out);
}

TEST_F(Http, ASilentProxyTimesOut) {
  Server proxy(loop, "", false);
  auto limit = milliseconds(300);
  auto made = tunnel(through(proxy.port(), "http://sip.example.com:5061"), limit);
  // A machine under load may need longer to connect.
  while (!made.reply.connected && (limit *= 4) < milliseconds(20'000))
    made = tunnel(through(proxy.port(), "http://sip.example.com:5061"), limit);
  EXPECT_FALSE(made.stream);
  EXPECT_TRUE(made.reply.connected);
  EXPECT_EQ(made.reply.failure->kind, FailureKind::timed_out);
  EXPECT_EQ(made.reply.connect_status, 0);
}

TEST(ProxyUrl, IsRead) {
  const auto read = [](std::string_view url) {
    const auto endpoint = parse_proxy_url(url);
    if (!endpoint) return std::string("nothing");
    return std::string(endpoint->https ? "https " : "http ") +
           authority(endpoint->host, endpoint->port);
  };
  EXPECT_EQ(read("http://proxy.example.com:3128"), "http proxy.example.com:3128");
  EXPECT_EQ(read("http://proxy.example.com:3128/"), "http proxy.example.com:3128");
  EXPECT_EQ(read("HTTP://proxy:3128"), "http proxy:3128");
  EXPECT_EQ(read("Https://proxy"), "https proxy:443");
  EXPECT_EQ(read("http://proxy"), "http proxy:80");
  EXPECT_EQ(read("https://proxy"), "https proxy:443");
  EXPECT_EQ(read("http://[2001:db8::1]:8080"), "http [2001:db8::1]:8080");
  for (const auto* url :
       {"", "proxy:3128", "socks5://proxy:1080", "http://", "http://:3128",
        "http://proxy:", "http://proxy:0", "http://proxy:65536", "http://proxy:x",
        "http://user:secret@proxy:3128", "http://proxy:3128/path", "http://proxy:3128?x",
        "http://[::1", "http://[proxy]:1", "http://a b:1"}) {
    EXPECT_EQ(read(url), "nothing") << url;
  }
}

TEST(Authority, LeavesOutTheUsualPort) {
  EXPECT_EQ(authority("example.com", 443, 443), "example.com");
  EXPECT_EQ(authority("example.com", 8443, 443), "example.com:8443");
  EXPECT_EQ(authority("2001:db8::1", 80, 80), "[2001:db8::1]");
  EXPECT_EQ(authority("2001:db8::1", 8080, 80), "[2001:db8::1]:8080");
}

TEST(WebSocket, AcceptsAsRfc6455Says) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace callready
