// Replies that go on, with real sockets. What else the server does, tests/exporter/server_test.cpp
// sees.
#include "probe/web/web_server.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

using asio::ip::tcp;
using std::chrono::seconds;

struct Fixture {
  Fixture() {
    auto made = WebServer::start(loop.get_executor(), {IpAddress::v4({127, 0, 0, 1}), 0}, {2, 10},
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
  EXPECT_EQ(f.read_until(three, "never"), "");
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
  EXPECT_EQ(reply_to(two, here), "");
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

TEST(WebServer, HasEndedWithoutConnections) {
  Fixture f;
  bool told = false;
  f.server->stop([&] { told = true; });
  f.run();
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace callready
