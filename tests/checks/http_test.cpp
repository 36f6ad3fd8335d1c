#include "tests/support/check_runner.hpp"
#include "tests/support/connect_proxy.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/temporary_file.hpp"

namespace callready {
namespace {

using test::Bytes;
using test::ConnectProxy;
using test::fact;
using test::ScriptedTcp;
using Parameters = std::map<std::string, std::string>;

std::string ok(const std::string& body, const std::string& headers = {}) {
  return "HTTP/1.1 200 OK\r\nServer: nginx\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The value of a header in a request.
std::string header(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == head.npos) return {};
  const auto start = at + name.size() + 4;
  return head.substr(start, head.find("\r\n", start) - start);
}

std::string switched(const std::string& head) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         websocket_accept(header(head, "Sec-WebSocket-Key")) + "\r\n\r\n";
}

class HttpCheck : public testing::Test {
 protected:
  using Answer = std::function<std::string(const std::string& head)>;
  static test::Certificate& authority() {
    static test::Certificate made = test::make_authority("Test Root");
    return made;
  }
  test::TemporaryFile root{authority().pem()};
  test::CheckRunner runner{{root.path()}};
  std::vector<std::string> heads;

  Observation over_tcp(const Answer& answer, Parameters with = {}) {
    ScriptedTcp server(runner.loop.context, [&](ScriptedTcp::Connection& peer, const Bytes& bytes) {
      if (bytes.empty()) return;
      heads.emplace_back(bytes.begin(), bytes.end());
      const auto reply = answer(heads.back());
      peer.send(Bytes(reply.begin(), reply.end()));
      peer.close();
    });
    return runner.run(CheckKind::http, Transport::tcp, "www.example.com", server.address(),
                      std::move(with));
  }
  Observation replied(const std::string& reply, Parameters with = {}) {
    return over_tcp([&](const std::string&) { return reply; }, std::move(with));
  }

  test::TlsServer::Serve serving(const Answer& answer) {
    return [this, answer](test::TlsServerStream& peer) -> asio::awaitable<void> {
      std::string buffer;
      co_await asio::async_read_until(peer, asio::dynamic_buffer(buffer), "\r\n\r\n",
                                      asio::as_tuple(asio::use_awaitable));
      heads.push_back(buffer);
      const auto reply = answer(buffer);
      co_await asio::async_write(peer, asio::buffer(reply), asio::as_tuple(asio::use_awaitable));
      std::array<char, 100> rest{};
      co_await peer.async_read_some(asio::buffer(rest), asio::as_tuple(asio::use_awaitable));
    };
  }
  test::TlsServerOptions chain(const test::Certificate& issuer) {
    test::TlsServerOptions options;
    options.chain = {test::make_leaf("www.example.com", issuer)};
    return options;
  }
  Observation over_tls(const test::TlsServerOptions& options, const Answer& answer,
                       Parameters with = {}) {
    test::TlsServer server(runner.loop, options, serving(answer));
    return runner.run(CheckKind::http, Transport::tls, "www.example.com", server.address(),
                      std::move(with));
  }
  Observation through(const std::string& proxy, Transport transport, Parameters with = {}) {
    Probe probe;
    probe.check = CheckKind::http;
    probe.target.host = "www.example.com";
    probe.target.ports = {8080, 8080};
    probe.target.transport = transport;
    probe.target.route.proxy = proxy;
    probe.with = std::move(with);
    return runner.run(probe, std::nullopt);
  }
};

TEST_F(HttpCheck, AnyStatusIsAnAnswer) {
  auto seen = replied(ok("hello"), {{"path", "/api?x=1"}});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(200));
  ASSERT_TRUE(seen.round_trip);
  EXPECT_TRUE(seen.timing_ms.contains(Timing::reply));
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::http_reply, Fact::status), 200);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::http_reply, Fact::server), "nginx");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::http_reply, Fact::redirect_host), std::nullopt);
  ASSERT_EQ(heads.size(), 1u);
  EXPECT_TRUE(heads[0].starts_with("GET /api?x=1 HTTP/1.1\r\nHost: www.example.com:"));
  EXPECT_EQ(header(heads[0], "User-Agent"), "callready");
  seen = replied("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(404));
}

TEST_F(HttpCheck, HoldsStatusAndBodyAgainstWhatIsExpected) {
  EXPECT_EQ(replied(ok("Microsoft Connect Test"), {{"body", "Connect Test"}}).detail,
            Detail::status(200));
  auto seen = replied(ok("<html>Please log in"), {{"body", "Connect Test"}});
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::unexpected_body);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::http_reply, Fact::body_matches), false);
  EXPECT_EQ(replied(ok(""), {{"status", "200"}}).detail, Detail::status(200));
  seen = replied(ok(""), {{"status", "204"}});
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::unexpected_status);
}

TEST_F(HttpCheck, ABodyThatDidNotComeIsNotAnotherOne) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n";
  auto seen = replied(head, {{"body", "Connect Test"}});
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::closed_by_peer);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::http_reply, Fact::status), 200);
  EXPECT_FALSE(fact<bool>(seen, EvidenceKind::http_reply, Fact::body_matches));
  seen = replied(head, {{"body", "Connect Test"}, {"status", "204"}});
  EXPECT_EQ(seen.detail, DetailCode::unexpected_status);
  EXPECT_EQ(replied(head + "<html>", {{"body", "Connect Test"}}).detail,
            DetailCode::unexpected_body);
}

TEST_F(HttpCheck, NotesARedirectToAnotherHost) {
  const auto to = [&](const std::string& location) {
    const auto seen =
        replied("HTTP/1.1 302 Found\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(seen.detail, Detail::status(302));
    return fact<std::string>(seen, EvidenceKind::http_reply, Fact::redirect_host).value_or("");
  };
  EXPECT_EQ(to("http://Portal.example:8080/login?next=x"), "portal.example");
  EXPECT_EQ(to("https://user@portal.example/"), "portal.example");
  EXPECT_EQ(to("//portal.example"), "portal.example");
  EXPECT_EQ(to("http://[2001:db8::1]:80/"), "2001:db8::1");
  EXPECT_EQ(to("https://WWW.example.com/"), "") << "the same host, by TLS";
  EXPECT_EQ(to("/login"), "");
  EXPECT_EQ(to("/login?next=https://app.example/"), "");
  EXPECT_EQ(to("login?next=https://app.example/"), "");
  EXPECT_EQ(to("//portal.example/?from=https://www.example.com/"), "portal.example");
}

TEST_F(HttpCheck, ReadsTheServersClock) {
  const auto seen = replied(ok("", "Date: Fri, 31 Dec 1999 23:59:59 GMT\r\n"));
  const auto offset = fact<double>(seen, EvidenceKind::http_reply, Fact::date_offset_s);
  ASSERT_TRUE(offset);
  EXPECT_LT(*offset, -25.0 * 365 * 86'400);
  const auto far_off = replied(ok("", "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n"));
  EXPECT_GT(fact<double>(far_off, EvidenceKind::http_reply, Fact::date_offset_s),
            7'900.0 * 365 * 86'400);
  EXPECT_FALSE(fact<double>(replied(ok("", "Date: soon\r\n")), EvidenceKind::http_reply,
                            Fact::date_offset_s));
  EXPECT_FALSE(fact<double>(replied(ok("")), EvidenceKind::http_reply, Fact::date_offset_s));
}

TEST_F(HttpCheck, FailsOfWhatIsNoReply) {
  EXPECT_EQ(replied("SSH-2.0-OpenSSH_9.2\r\n").detail, DetailCode::malformed);
  const auto seen = replied("");
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::closed_by_peer);
}

TEST_F(HttpCheck, IsRefusedByAClosedPort) {
  const SocketAddress closed{IpAddress::v4({127, 0, 0, 1}),
                             test::free_tcp_port(runner.loop.context)};
  for (const auto transport : {Transport::tcp, Transport::tls}) {
    const auto seen = runner.run(CheckKind::http, transport, "www.example.com", closed);
    EXPECT_EQ(seen.outcome, Outcome::refused);
    EXPECT_EQ(seen.detail, DetailCode::connection_refused);
  }
}

TEST_F(HttpCheck, WorksOverTls) {
  const auto seen =
      over_tls(chain(authority()), [](const std::string&) { return ok("hi"); }, {{"body", "hi"}});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(200));
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::certificate, Fact::issuer), "CN=Test Root");
  EXPECT_TRUE(test::find_evidence(seen, EvidenceKind::tls_handshake));
}

TEST_F(HttpCheck, DoesNotTrustStrangers) {
  const auto stranger = test::make_authority("Inspection Device Root");
  const auto seen = over_tls(chain(stranger), [](const std::string&) { return ok("hi"); });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::untrusted);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::http_reply, Fact::status), 200)
      << "the evidence has both";
}

TEST_F(HttpCheck, ACLientCertificateThatIsWantedIsAnAnswer) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto options = chain(authority());
    options.client_certificate = true;
    options.version = version;
    const auto seen = over_tls(options, [](const std::string&) { return ok(""); });
    EXPECT_EQ(seen.outcome, Outcome::answered) << version;
    EXPECT_EQ(seen.detail, DetailCode::client_certificate_wanted) << version;
  }
}

TEST_F(HttpCheck, FindsAServerOfOldVersionsOnly) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    auto options = chain(authority());
    options.version = version;
    const auto seen = over_tls(options, [](const std::string&) { return ok(""); });
    EXPECT_EQ(seen.outcome, Outcome::failed) << version;
    EXPECT_EQ(seen.detail, DetailCode::tls_version) << version;
  }
}

TEST_F(HttpCheck, PlainHttpIsNotTls) {
  ScriptedTcp server(runner.loop.context, [](ScriptedTcp::Connection& peer, const Bytes& bytes) {
    const auto reply = ok("");
    if (!bytes.empty()) peer.send(Bytes(reply.begin(), reply.end()));
  });
  const auto seen =
      runner.run(CheckKind::http, Transport::tls, "www.example.com", server.address());
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::not_tls);
}

TEST_F(HttpCheck, SwitchesToWebSocket) {
  const Parameters with = {{"upgrade", "websocket"}, {"path", "/ws"}};
  auto seen = over_tls(chain(authority()), switched, with);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(101));
  EXPECT_EQ(header(heads.back(), "Upgrade"), "websocket");
  EXPECT_EQ(header(heads.back(), "Connection"), "Upgrade");
  EXPECT_EQ(header(heads.back(), "Sec-WebSocket-Version"), "13");
  EXPECT_EQ(header(heads.back(), "Sec-WebSocket-Key").size(), 24u);
  seen = over_tcp(switched, with);
  EXPECT_EQ(seen.detail, Detail::status(101));
  seen = over_tcp([](const std::string&) { return ok("a page"); }, with);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::no_upgrade) << "stripped on the way";
  seen = over_tcp(
      [](const std::string&) {
        return std::string(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
      },
      with);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::bad_upgrade) << "an answer to another key";
  const auto forbidden = [](const std::string&) {
    return std::string("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  };
  EXPECT_EQ(over_tls(chain(authority()), forbidden, with).outcome, Outcome::answered);
  EXPECT_EQ(over_tcp(forbidden, with).detail, DetailCode::no_upgrade) << "in clear, anybody's word";
}

TEST_F(HttpCheck, RefusesPathsThatAreNone) {
  for (const auto* path : {"", "index.html", "/a b", "/a\r\nX: y", "/\xc3\xbc"}) {
    const auto seen = replied(ok(""), {{"path", path}});
    EXPECT_EQ(seen.outcome, Outcome::skipped) << path;
    EXPECT_EQ(seen.detail, DetailCode::bad_parameter) << path;
  }
  EXPECT_EQ(replied(ok(""), {{"upgrade", "h2c"}}).detail, DetailCode::bad_parameter);
  EXPECT_TRUE(heads.empty());
}

TEST_F(HttpCheck, AsksAProxy) {
  ConnectProxy proxy(runner.loop, [](const std::string&) { return ok("through"); });
  const auto seen = through(proxy.url(), Transport::tcp, {{"body", "through"}});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(200));
  ASSERT_EQ(proxy.heads.size(), 1u);
  EXPECT_TRUE(proxy.heads[0].starts_with("GET http://www.example.com:8080/ HTTP/1.1\r\n"));
}

TEST_F(HttpCheck, AsksThroughATunnel) {
  test::TlsServer server(runner.loop, chain(authority()), serving(switched));
  ConnectProxy proxy(runner.loop, [](const std::string&) { return ConnectProxy::established(); });
  proxy.target = server.address();
  auto seen = through(proxy.url(), Transport::tls, {{"upgrade", "websocket"}});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(101));
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::proxy_reply, Fact::status), 200);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::certificate, Fact::issuer), "CN=Test Root");
  // In clear a WebSocket goes by CONNECT too.
  ConnectProxy second(runner.loop,
                      [](const std::string&) { return ConnectProxy::status("403 Forbidden"); });
  seen = through(second.url(), Transport::tcp, {{"upgrade", "websocket"}});
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_TRUE(second.heads[0].starts_with("CONNECT www.example.com:8080"));
}

TEST_F(HttpCheck, TellsTheProxysWordFromTheServers) {
  const auto seen_with = [&](const std::string& reply, Transport transport) {
    ConnectProxy proxy(runner.loop, [&](const std::string&) { return reply; });
    return through(proxy.url(), transport);
  };
  const auto login = ConnectProxy::status("407 No", "Proxy-Authenticate: Basic realm=\"x\"\r\n");
  for (const auto transport : {Transport::tcp, Transport::tls}) {
    EXPECT_EQ(seen_with(login, transport).outcome, Outcome::denied);
    EXPECT_EQ(seen_with(login, transport).detail, Detail::status(407));
    EXPECT_EQ(seen_with(ConnectProxy::status("503 No"), transport).outcome, Outcome::failed);
  }
  const auto squid = ConnectProxy::status("403 No", "X-Squid-Error: ERR_ACCESS_DENIED 0\r\n");
  EXPECT_EQ(seen_with(squid, Transport::tcp).outcome, Outcome::denied);
  EXPECT_EQ(seen_with(ConnectProxy::status("403 No"), Transport::tcp).outcome, Outcome::answered)
      << "the server's own, as far as anybody can tell";
}

TEST_F(HttpCheck, LogsInToTheProxy) {
  ConnectProxy proxy(runner.loop, [](const std::string& head) {
    return header(head, "Proxy-Authorization") == "Basic YWxpY2U6c2VjcmV0"
               ? ok("in")
               : ConnectProxy::status("407 No", "Proxy-Authenticate: Basic realm=\"x\"\r\n");
  });
  runner.settings.credentials.proxies[proxy.url()] = {"alice", "secret"};
  const auto seen = through(proxy.url(), Transport::tcp);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(proxy.heads.size(), 2u);
  EXPECT_EQ(header(proxy.heads[0], "Proxy-Authorization"), "");
}

TEST_F(HttpCheck, SendsTheProxysLoginToNoServerBehindATunnel) {
  const Answer wanting = [](const std::string&) {
    return ConnectProxy::status("407 No", "Proxy-Authenticate: Basic realm=\"x\"\r\n");
  };
  test::TlsServer server(runner.loop, chain(authority()), serving(wanting));
  ConnectProxy proxy(runner.loop, [](const std::string&) { return ConnectProxy::established(); });
  proxy.target = server.address();
  runner.settings.credentials.proxies[proxy.url()] = {"alice", "secret"};
  const auto seen = through(proxy.url(), Transport::tls);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(407));
  ASSERT_EQ(proxy.heads.size(), 1u) << "the proxy has asked for nothing";
  EXPECT_EQ(header(proxy.heads[0], "Proxy-Authorization"), "");
}

// Digest takes two requests, and so two connections to the proxy.
TEST_F(HttpCheck, LogsInToAnHttpsProxyByDigest) {
  test::CertificateOptions named;
  named.addresses = {"127.0.0.1"};
  test::TlsServerOptions options;
  options.chain = {test::make_certificate(named, &authority())};
  const Answer answer = [](const std::string& head) {
    if (header(head, "Proxy-Authorization").starts_with("Digest ")) return ok("in");
    return ConnectProxy::status(
        "407 No", "Proxy-Authenticate: Digest realm=\"x\", nonce=\"abc\"\r\nConnection: close\r\n");
  };
  test::TlsServer proxy(runner.loop, options, serving(answer));
  const auto url = "https://" + proxy.address().to_string();
  runner.settings.credentials.proxies[url] = {"alice", "secret"};
  const auto seen = through(url, Transport::tcp);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(200));
}

TEST(SlowHttpCheck, SilenceAfterTcpIsAFailure) {
  for (const auto transport : {Transport::tcp, Transport::tls}) {
    test::CheckRunner runner({}, test::Time::by_hand);
    ScriptedTcp server(runner.loop.context, [](ScriptedTcp::Connection&, const Bytes&) {});
    const auto seen = runner.run(CheckKind::http, transport, "www.example.com", server.address());
    EXPECT_EQ(seen.outcome, Outcome::failed);
    EXPECT_EQ(seen.detail,
              transport == Transport::tcp ? DetailCode::http_timed_out : DetailCode::tls_timed_out);
  }
}

}  // namespace
}  // namespace callready
