// Replies that go on, with real sockets. What else the server does, tests/exporter/server_test.cpp
// sees.
#include "probe/web/web_server.hpp"

#include <gtest/gtest.h>

#include "tests/support/certificates.hpp"

namespace callready {
namespace {

using asio::ip::tcp;
using std::chrono::seconds;

struct Fixture {
  explicit Fixture(const WebServer::Tls& tls = nullptr) {
    WebServer::Options options{2, 10};
    if (tls) options.tls = [tls] { return tls; };
    auto made = WebServer::start(loop.get_executor(), {IpAddress::v4({127, 0, 0, 1}), 0}, options,
                                 [this](WebRequest request, WebServer::Answer answer) {
                                   WebReply reply{200, request.body, "text/event-stream"};
                                   if (request.target == "/live") reply.live = live = make();
                                   answer(std::move(reply));
                                 });
    if (made.has_error()) throw std::runtime_error(made.error().text);
    server = std::move(*made);
  }
  ~Fixture() {
    server->stop();
    loop.run_for(seconds(5));
  }
  std::shared_ptr<LiveReply> make() {
    return std::make_shared<LiveReply>(loop.get_executor(), [this] { ++gone; });
  }
  tcp::socket ask(const std::string& text) {
    tcp::socket socket(loop);
    socket.connect({asio::ip::address_v4::loopback(), server->local().port});
    asio::write(socket, asio::buffer(text));
    return socket;
  }
  // What comes until that is in it, or the connection ends.
  std::string read_until(tcp::socket& socket, const std::string& wanted) {
    std::string all;
    asio::async_read_until(socket, asio::dynamic_buffer(all), wanted,
                           [this](error_code, std::size_t) { loop.stop(); });
    run();
    return all;
  }
  void run() {
    loop.restart();
    loop.run_for(seconds(60));
  }

  asio::io_context loop{1};
  std::unique_ptr<WebServer> server;
  std::shared_ptr<LiveReply> live;
  int gone = 0;
};

TEST(WebServer, AReplyGoesOnUntilItIsEnded) {
  Fixture f;
  auto socket = f.ask("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto head = f.read_until(socket, "\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
  EXPECT_EQ(head.find("Content-Length"), head.npos) << head;
  ASSERT_TRUE(f.live);
  f.live->send("old\n\n");
  f.live->send("new\n\n");  // before the loop could write
  EXPECT_EQ(f.read_until(socket, "\n\n"), "new\n\n");
  f.live->send("last\n\n");
  f.live->end();
  EXPECT_EQ(f.read_until(socket, "never"), "last\n\n");
  EXPECT_EQ(f.gone, 1);
}

TEST(WebServer, SaysThatNobodyReadsIt) {
  Fixture f;
  {
    auto socket = f.ask("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
    f.read_until(socket, "\r\n\r\n");
    EXPECT_EQ(f.gone, 0);
    EXPECT_EQ(f.server->connections(), 1u);
  }
  for (int i = 0; i < 100 && f.server->connections() != 0; ++i) {
    f.loop.restart();
    f.loop.run_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(f.gone, 1);
  EXPECT_EQ(f.server->connections(), 0u);
}

// Its read would outlast the stream that it reads.
TEST(WebServer, NoReplyGoesOnOverTls) {
  const auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  const auto certificate = test::make_authority("localhost");
  SSL_CTX_use_certificate(tls->native_handle(), certificate.x509.get());
  SSL_CTX_use_PrivateKey(tls->native_handle(), certificate.key.get());
  Fixture f(tls);
  asio::ssl::context trusting(asio::ssl::context::tls_client);
  asio::ssl::stream<tcp::socket> client(f.loop, trusting);
  client.next_layer().connect({asio::ip::address_v4::loopback(), f.server->local().port});
  const std::string request = "GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  std::string all;
  client.async_handshake(asio::ssl::stream_base::client, [&](error_code) {
    asio::async_write(client, asio::buffer(request), [&](error_code, std::size_t) {
      asio::async_read_until(client, asio::dynamic_buffer(all), "\r\n\r\n",
                             [&](error_code, std::size_t) { f.loop.stop(); });
    });
  });
  f.run();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 500 ")) << all;
}

TEST(WebServer, ABodyIsBounded) {
  Fixture f;
  auto right = f.ask(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789");
  EXPECT_TRUE(f.read_until(right, "never").ends_with("\r\n\r\n0123456789"));
  auto large = f.ask(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nConnection: close\r\n\r\n0123456789a");
  EXPECT_TRUE(f.read_until(large, "never").starts_with("HTTP/1.1 400 "));
}

TEST(WebServer, ConnectionsAreBounded) {
  Fixture f;
  auto one = f.ask("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  f.read_until(one, "\r\n\r\n");
  auto two = f.ask("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  f.read_until(two, "\r\n\r\n");
  auto three = f.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(f.read_until(three, "never").starts_with("HTTP/1.1 503 callready is busy\r\n"));
}

struct Small {
  explicit Small(WebServer::Options options, SharedText text = "text") {
    server =
        *WebServer::start(loop.get_executor(), {IpAddress::v4({127, 0, 0, 1}), 0},
                          std::move(options), [text](WebRequest asked, WebServer::Answer answer) {
                            if (asked.target == "/204") return answer({204, ""});
                            answer({200, asked.target == "/" ? text : SharedText(asked.target)});
                          });
  }
  ~Small() {
    server->stop();
    loop.restart();
    loop.run_for(seconds(5));
  }
  tcp::socket connect(std::uint8_t from = 1) {
    tcp::socket socket(loop);
    socket.open(tcp::v4());
    socket.bind({asio::ip::address_v4({127, 0, 0, from}), 0});
    socket.connect({asio::ip::address_v4::loopback(), server->local().port});
    return socket;
  }
  void run_for(std::chrono::milliseconds time) {
    loop.restart();
    loop.run_for(time);
  }
  // The head of the reply; "": the connection is over.
  std::string ask(tcp::socket& socket, const std::string& target) {
    error_code gone;
    asio::write(socket, asio::buffer("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"), gone);
    std::string all;
    asio::async_read_until(socket, asio::dynamic_buffer(all), "\r\n\r\n",
                           [this](error_code, std::size_t) { loop.stop(); });
    run_for(seconds(60));
    return all;
  }
  asio::io_context loop{1};
  std::unique_ptr<WebServer> server;
};

TEST(WebServer, AConnectionHasItsTimeHoweverBusyItIs) {
  WebServer::Options options;
  options.connection = std::chrono::milliseconds(300);
  Small f(std::move(options));
  auto socket = f.connect();
  int answered = 0;
  for (; answered < 100 && !f.ask(socket, "/").empty(); ++answered) {
    f.run_for(std::chrono::milliseconds(20));
  }
  EXPECT_GT(answered, 0);
  EXPECT_LT(answered, 100);
  auto mute = f.connect();
  for (int i = 0; i < 100 && f.server->connections() > 0; ++i) {
    f.run_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(f.server->connections(), 0u);
}

TEST(WebServer, ManyReadersOfOneTextHaveItOnce) {
  const auto text = std::make_shared<const std::string>(8 << 20, 'x');
  WebServer::Options options;
  options.most_in_flight = 10 << 20;
  options.most_of_address = 64;
  Small f(std::move(options), text);
  std::vector<tcp::socket> readers;
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  for (int i = 0; i < 40; ++i) {
    readers.push_back(f.connect());
    asio::write(readers.back(), asio::buffer(request));
  }
  for (int i = 0; i < 200 && text.use_count() <= 40; ++i) {
    f.run_for(std::chrono::milliseconds(100));
  }
  EXPECT_GT(text.use_count(), 40) << "all of them are being served, by the same bytes";
  auto last = f.connect();
  EXPECT_TRUE(f.ask(last, "/").starts_with("HTTP/1.1 200 "));
}

TEST(WebServer, WhatIsOnItsWayIsBounded) {
  WebServer::Options options;
  options.most_in_flight = 8 << 20;
  Small f(std::move(options), std::string(8 << 20, 'x'));
  auto slow = f.connect();
  asio::write(slow, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
  // One connection each: what is asked later is answered as the slow reader leaves room for.
  const auto until = [&](const std::string& wanted) {
    for (int i = 0; i < 100; ++i) {
      auto other = f.connect();
      if (f.ask(other, "/another").starts_with(wanted)) return true;
      f.run_for(std::chrono::milliseconds(20));
    }
    return false;
  };
  EXPECT_TRUE(until("HTTP/1.1 503 "));
  slow.close();
  EXPECT_TRUE(until("HTTP/1.1 200 "));
}

TEST(WebServer, AReplyWithoutABodyHasNoLength) {
  Small f(WebServer::Options{});
  auto socket = f.connect();
  const auto head = f.ask(socket, "/204");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 204 ")) << head;
  EXPECT_EQ(head.find("Content-Length"), head.npos) << head;
  EXPECT_TRUE(f.ask(socket, "/").starts_with("HTTP/1.1 200 ")) << "the connection goes on";
}

TEST(WebServer, OneAddressHasItsPart) {
  asio::io_context loop{1};
  WebServer::Options options{.most_of_address = 1};
  const SocketAddress anywhere{IpAddress::v4({0, 0, 0, 0}), 0};
  auto server = *WebServer::start(loop.get_executor(), anywhere, std::move(options),
                                  [](WebRequest, WebServer::Answer answer) { answer({}); });
  // Replies without an end to the connection: HTTP/1.1 keeps it.
  const auto reply_to = [&](tcp::socket& socket, asio::ip::address_v4 from) {
    socket.open(tcp::v4());
    socket.bind({from, 0});
    socket.connect({asio::ip::address_v4::loopback(), server->local().port});
    asio::write(socket, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    std::string all;
    asio::async_read_until(socket, asio::dynamic_buffer(all), "\r\n\r\n",
                           [&](error_code, std::size_t) { loop.stop(); });
    loop.restart();
    loop.run_for(seconds(60));
    return all;
  };
  tcp::socket one(loop), two(loop), other(loop), again(loop);
  const asio::ip::address_v4 here({127, 0, 0, 1}), there({127, 0, 0, 2});
  EXPECT_NE(reply_to(one, here), "");
  EXPECT_TRUE(reply_to(two, here).starts_with("HTTP/1.1 503 "));
  EXPECT_NE(reply_to(other, there), "");
  one.close();
  for (int i = 0; i < 1'000 && server->connections() > 1; ++i) {
    loop.restart();
    loop.run_one_for(std::chrono::milliseconds(50));
  }
  EXPECT_NE(reply_to(again, here), "");
  server->stop();
  loop.restart();
  loop.run_for(seconds(5));
}

TEST(WebRequest, AFieldThatIsThereTwiceHasNoValue) {
  const WebRequest request{"GET", "/", {{"Host", "a"}, {"Origin", "b"}, {"HOST", "c"}}, ""};
  EXPECT_EQ(request.field("origin"), "b");
  EXPECT_EQ(request.field("Host"), "");
  EXPECT_EQ(request.all("host").size(), 2u);
  EXPECT_EQ(request.field("Cookie"), "");
}

TEST(WebServer, TellsThatItHasEndedWhenItsConnectionsHave) {
  Fixture f;
  auto socket = f.ask("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  f.read_until(socket, "\r\n\r\n");
  int told = 0;
  f.server->stop([&] {
    ++told;
    EXPECT_EQ(f.server->connections(), 0u);
    f.loop.stop();
  });
  EXPECT_EQ(told, 0) << "not before stop() has returned";
  f.run();
  EXPECT_EQ(told, 1);
}

// A page that is still being printed, say.
TEST(WebServer, EndsAtOnceWhereItsHandlerHasNotAnswered) {
  asio::io_context loop{1};
  std::vector<WebServer::Answer> unanswered;
  auto server = *WebServer::start(loop.get_executor(), {IpAddress::v4({127, 0, 0, 1}), 0}, {},
                                  [&](WebRequest, WebServer::Answer answer) {
                                    unanswered.push_back(std::move(answer));
                                    loop.stop();
                                  });
  tcp::socket socket(loop);
  socket.connect({asio::ip::address_v4::loopback(), server->local().port});
  asio::write(socket, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
  loop.run_for(seconds(60));
  ASSERT_EQ(unanswered.size(), 1u);
  bool told = false;
  server->stop([&] { told = true; });
  for (int i = 0; i < 10 && !told; ++i) {
    loop.restart();
    loop.poll();
  }
  EXPECT_TRUE(told) << "it waits for nobody";
}

TEST(WebServer, HasEndedWithoutConnections) {
  Fixture f;
  bool told = false;
  f.server->stop([&] { told = true; });
  f.run();
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace callready
