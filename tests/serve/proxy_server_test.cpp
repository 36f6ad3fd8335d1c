#include "probe/serve/proxy_server.hpp"

#include "probe/serve/http_server.hpp"
#include "tests/serve/raw.hpp"

namespace callready::serve {
namespace {

std::string connect_to(const std::string& endpoint, const std::string& more = {}) {
  return "CONNECT " + endpoint + " HTTP/1.1\r\nHost: " + endpoint + "\r\n" + more + "\r\n";
}
const std::string page_request = "GET /ncsi.txt HTTP/1.0\r\n\r\n";

struct ProxyServerTest : testing::Test {
  test::Loop loop;
  ProxyOptions options;
  std::shared_ptr<HttpServer> web;
  std::shared_ptr<ProxyServer> proxy;

  void start() {
    HttpOptions pages;
    pages.pages["/ncsi.txt"].body = ncsi;
    web = *HttpServer::start(loop.executor(), any_port, pages);
    options.allowed["www.demo.callready.test:443"] = web->local();
    proxy = *ProxyServer::start(loop.executor(), any_port, options);
  }
  std::string first_reply(const std::string& request) {
    RawTcp client(loop, proxy->local());
    client.send(request);
    return text_of(client.receive().value_or(Bytes()));
  }
  void wait_until_idle() {
    for (int i = 0; i < 5'000 && (proxy->connections() > 0 || web->connections() > 0); ++i) {
      loop.context.restart();
      loop.context.run_one_for(milliseconds(1));
    }
    EXPECT_EQ(proxy->connections(), 0);
    EXPECT_EQ(web->connections(), 0);
  }
};

TEST_F(ProxyServerTest, CarriesBytesBothWaysAndEndsWithTheFarEnd) {
  start();
  RawTcp client(loop, proxy->local());
  const auto reply = text_of(*client.ask(bytes_of(connect_to("WWW.demo.callready.test:443"))));
  // Without Content-Length, which a tunnel's reply must not have (RFC 9110 section 9.3.6).
  EXPECT_EQ(reply, "HTTP/1.1 200 Connection established\r\n\r\n");
  client.send(page_request);
  EXPECT_TRUE(text_of(*client.receive_all()).ends_with(ncsi));
  wait_until_idle();
}

TEST_F(ProxyServerTest, CarriesWhatWasSentWithoutWaiting) {
  start();
  RawTcp client(loop, proxy->local());
  client.send(connect_to("www.demo.callready.test:443") + page_request);
  EXPECT_TRUE(text_of(*client.receive_all()).ends_with(ncsi));
}

TEST_F(ProxyServerTest, GoesNowhereElse) {
  start();
  EXPECT_TRUE(first_reply(connect_to("example.com:443")).starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(first_reply(connect_to("www.demo.callready.test:80")).starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(first_reply(connect_to(web->local().to_string())).starts_with("HTTP/1.1 403 "));
  const auto get = first_reply("GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n");
  EXPECT_TRUE(get.starts_with("HTTP/1.1 405 ")) << get;
  EXPECT_NE(get.find("\r\nAllow: CONNECT\r\n"), std::string::npos);
  EXPECT_TRUE(first_reply("garbage\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(first_reply("CONNECT a:1 HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(first_reply("CONNECT " + std::string(9'000, 'x')).starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(web->connections(), 0);
}

TEST_F(ProxyServerTest, WantsCredentialsWhereItHasThem) {
  options.user = "someone";
  options.password = "a secret";
  start();
  RawTcp client(loop, proxy->local());
  const auto endpoint = std::string("www.demo.callready.test:443");
  const std::string wrong[] = {
      "",
      "Proxy-Authorization: Basic c29tZW9uZTphIHNlY3JlVA==\r\n",
      "Proxy-Authorization: Digest c29tZW9uZTphIHNlY3JldA==\r\n",
      "Proxy-Authorization: Basic\r\n",
      "Proxy-Authorization: Basic \r\n",
  };
  for (const auto& field : wrong) {  // all over one connection, as browsers try again
    const auto reply = text_of(*client.ask(bytes_of(connect_to(endpoint, field))));
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 407 Proxy Authentication Required\r\n")) << reply;
    EXPECT_NE(reply.find("\r\nProxy-Authenticate: Basic realm=\"callready\"\r\n"),
              std::string::npos);
  }
  const auto right = "Proxy-Authorization: basic c29tZW9uZTphIHNlY3JldA==\r\n";
  const auto reply = text_of(*client.ask(bytes_of(connect_to(endpoint, right))));
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 ")) << reply;
}

TEST_F(ProxyServerTest, SaysThatTheEndpointIsClosed) {
  start();
  web->stop();
  settle(loop);
  const auto reply = first_reply(connect_to("www.demo.callready.test:443"));
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << reply;
}

TEST_F(ProxyServerTest, ATunnelEndsAfterItsBytesAndItsTime) {
  options.tunnel_bytes = 120;
  start();
  RawTcp client(loop, proxy->local());
  client.send(connect_to("www.demo.callready.test:443") + page_request);
  const auto all = client.receive_all();
  ASSERT_TRUE(all);
  const std::string head = "HTTP/1.1 200 Connection established\r\n\r\n";
  EXPECT_EQ(all->size(), head.size() + 120 - page_request.size());
  options.limits.connection = milliseconds(500);
  start();
  RawTcp idle(loop, proxy->local());
  idle.send(connect_to("www.demo.callready.test:443"));
  EXPECT_EQ(text_of(*idle.receive_all()), head);
  wait_until_idle();
}

TEST_F(ProxyServerTest, StopEndsTunnels) {
  start();
  RawTcp client(loop, proxy->local());
  EXPECT_FALSE(client.ask(bytes_of(connect_to("www.demo.callready.test:443")))->empty());
  proxy->stop();
  EXPECT_EQ(client.receive_all(), Bytes());
  wait_until_idle();
  web->stop();
  proxy.reset();
  loop.context.restart();
  loop.context.run_for(std::chrono::seconds(5));
  EXPECT_TRUE(loop.context.stopped());
}

}  // namespace
}  // namespace callready::serve
