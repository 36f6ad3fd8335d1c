// What the page's program answers, through a real web server, with children that the test plays
// and a clock that it moves.
#include "probe/ui/pages.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/manual_clock.hpp"
#include "tests/ui/fakes.hpp"

namespace callready::ui::pages_test {
namespace {

using asio::ip::tcp;
using std::chrono::seconds;

struct Fixture {
  Fixture() {
    auto made = WebServer::start(loop.get_executor(), {IpAddress::v4({127, 0, 0, 1}), 0},
                                 {8, 1'000}, [this](WebRequest request, WebServer::Answer answer) {
                                   pages->handle(std::move(request), std::move(answer));
                                 });
    if (made.has_error()) throw std::runtime_error(made.error().text);
    server = std::move(*made);
    pages.emplace(loop.get_executor(), clock, children, Gate(server->local().port, keys),
                  Runs::Places{"/nowhere/own", "/nowhere/history", {}, {}}, [this] { ++over; });
  }
  ~Fixture() {
    pages->stop();
    server->stop();
    loop.run_for(seconds(5));
  }
  tcp::socket send(const std::string& method, const std::string& path,
                   const std::string& body = "") {
    tcp::socket socket(loop);
    socket.connect({asio::ip::address_v4::loopback(), server->local().port});
    const auto host = fmt::format("127.0.0.1:{}", server->local().port);
    asio::write(socket,
                asio::buffer(fmt::format(
                    "{} /{}/{} HTTP/1.1\r\nHost: {}\r\nOrigin: http://{}\r\nCookie: "
                    "callready={}\r\nContent-Type: application/json\r\nContent-Length: "
                    "{}\r\nConnection: close\r\n\r\n{}",
                    method, keys.folder, path, host, host, keys.cookie, body.size(), body)));
    return socket;
  }
  std::string read_until(tcp::socket& socket, const std::string& wanted) {
    std::string all;
    asio::async_read_until(socket, asio::dynamic_buffer(all), wanted,
                           [this](error_code, std::size_t) { loop.stop(); });
    loop.restart();
    loop.run_for(seconds(60));
    return all;
  }
  std::string ask(const std::string& method, const std::string& path,
                  const std::string& body = "") {
    auto socket = send(method, path, body);
    return read_until(socket, "never");
  }
  // Until the child of that request is started.
  FakeChildren::Started& child_of(std::size_t number) {
    for (int i = 0; i < 1'000 && children.all.size() < number; ++i) {
      loop.restart();
      loop.run_for(std::chrono::milliseconds(20));
    }
    return *children.all.at(number - 1);
  }

  asio::io_context loop{1};
  test::ManualClock clock;
  FakeChildren children;
  Keys keys = make_keys();
  int over = 0;
  std::unique_ptr<WebServer> server;
  std::optional<Pages> pages;
};

TEST(UiPages, EveryReplyHasItsPolicy) {
  Fixture f;
  for (const auto* path : {"", "style.css", "script.js", "icon.svg", "nowhere", "report?as=html"}) {
    const auto reply = f.ask("GET", path);
    for (const auto* field : {"Content-Security-Policy: default-src 'self';", "no-store", "nosniff",
                              "Referrer-Policy: no-referrer"}) {
      EXPECT_NE(reply.find(field), reply.npos) << path << '\n' << reply.substr(0, 500);
    }
  }
}

TEST(UiPages, WhatAChildPrintsIsTheReply) {
  Fixture f;
  auto socket = f.send("GET", "service?id=zoom");
  auto& child = f.child_of(1);
  EXPECT_EQ(child.arguments, (std::vector<std::string>{"show", "zoom", "--json"}));
  child.print("{\"id\": ");
  child.print("\"zoom\"}\n");
  child.exit(0, "");
  const auto reply = f.read_until(socket, "never");
  EXPECT_TRUE(reply.ends_with("\r\n\r\n{\"id\": \"zoom\"}\n")) << reply;
  EXPECT_NE(reply.find("Content-Type: application/json"), reply.npos);
  auto failing = f.send("GET", "services");
  f.child_of(2).exit(2, "callready: no\n");
  EXPECT_TRUE(f.read_until(failing, "never").starts_with("HTTP/1.1 500 "));
}

TEST(UiPages, NoOptionComesFromARequest) {
  Fixture f;
  for (const auto* path : {"service?id=--set=/etc/passwd", "service?id=../x", "service?id=",
                           "service", "report?as=--json", "report", "compare", "../services"}) {
    EXPECT_TRUE(f.ask("GET", path).starts_with("HTTP/1.1 404 ")) << path;
  }
  EXPECT_TRUE(f.ask("GET", "run").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(f.ask("POST", "services").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(f.ask("POST", "run", "{}").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(f.children.all.empty());
}

TEST(UiPages, EndsAMinuteAfterItsLastPage) {
  Fixture f;
  {
    auto page = f.send("GET", "events");
    EXPECT_NE(f.read_until(page, "\n\n").find("text/event-stream"), std::string::npos);
    f.clock.advance(std::chrono::hours(2));
    EXPECT_EQ(f.over, 0);
  }
  for (int i = 0; i < 1'000 && f.server->connections() != 0; ++i) {
    f.loop.restart();
    f.loop.run_for(std::chrono::milliseconds(20));
  }
  f.clock.advance(seconds(59));
  EXPECT_EQ(f.over, 0);
  f.clock.advance(seconds(2));
  EXPECT_EQ(f.over, 1);
}

TEST(UiPages, ARunIsToldToThePage) {
  Fixture f;
  auto page = f.send("GET", "events");
  auto first = f.read_until(page, "\"total\":0}\n\n");
  EXPECT_NE(first.find("\"state\":\"idle\""), first.npos) << first;
  EXPECT_TRUE(f.ask("POST", "run", R"({"service": "zoom"})").starts_with("HTTP/1.1 204 "));
  EXPECT_NE(f.read_until(page, "\n\n").find("\"state\":\"running\""), std::string::npos);
  EXPECT_TRUE(f.ask("POST", "run", R"({"service": "zoom"})").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(f.ask("POST", "stop").starts_with("HTTP/1.1 204 "));
  EXPECT_EQ(f.children.last().interrupted, 1);
}

}  // namespace
}  // namespace callready::ui::pages_test
