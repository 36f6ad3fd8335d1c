// An HTTP proxy on loopback that answers CONNECT as the test says, and then carries bytes.
#pragma once

#include <charconv>

#include "tests/support/stream_server.hpp"

namespace callready::test {

class ConnectProxy {
 public:
  // The answer to one request head (to the blank line); one that starts with "HTTP/1.1 200" opens
  // the tunnel, an empty one is silence.
  using Answer = std::function<std::string(const std::string& head)>;

  ConnectProxy(Loop& loop, Answer answer)
      : loop_(loop),
        answer_(std::move(answer)),
        server_(loop, [this](asio::ip::tcp::socket& peer) { return serve(peer); }) {}

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  std::vector<std::string> heads;  // as they came
  // Where the tunnels go, whatever CONNECT names.
  std::optional<SocketAddress> target;
  // The first head with this text is answered only once another connection has ended.
  std::string late;

  static std::string established() { return "HTTP/1.1 200 Connection established\r\n\r\n"; }
  static std::string status(const std::string& line, const std::string& headers = {}) {
    return "HTTP/1.1 " + line + "\r\n" + headers + "Content-Length: 0\r\n\r\n";
  }

 private:
  using Socket = asio::ip::tcp::socket;

  asio::awaitable<void> serve(Socket& peer) {
    std::string buffer;
    const auto ended = ended_;  // the last connection may outlive the proxy
    for (;;) {
      const auto [error, size] = co_await asio::async_read_until(
          peer, asio::dynamic_buffer(buffer), "\r\n\r\n", asio::as_tuple(asio::use_awaitable));
      if (error) {
        ended.deliver(true);
        co_return;
      }
      const auto head = buffer.substr(0, size);
      buffer.erase(0, size);
      heads.push_back(head);
      if (!late.empty() && head.find(late) != head.npos) {
        late.clear();
        co_await ended_.wait(loop_.scope, loop_.soon(milliseconds(10'000)));
      }
      const auto reply = answer_(head);
      co_await asio::async_write(peer, asio::buffer(reply), asio::as_tuple(asio::use_awaitable));
      if (reply.starts_with("HTTP/1.1 200") && target) break;
    }
    auto up = std::make_shared<Socket>(loop_.context);
    auto down = std::make_shared<Socket>(std::move(peer));
    const auto endpoint = to_endpoint<asio::ip::tcp>(*target);
    const auto [refused] =
        co_await up->async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
    if (refused) co_return;
    asio::co_spawn(loop_.context, carry(up, down), asio::detached);
    co_await carry(down, up);
  }

  static asio::awaitable<void> carry(std::shared_ptr<Socket> from, std::shared_ptr<Socket> to) {
    std::array<char, 16'384> buffer{};
    for (;;) {
      const auto [error, size] =
          co_await from->async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
      if (error) break;
      const auto [failed, written] = co_await asio::async_write(
          *to, asio::buffer(buffer.data(), size), asio::as_tuple(asio::use_awaitable));
      if (failed || written != size) break;
    }
    error_code ignored;
    to->shutdown(Socket::shutdown_send, ignored);
  }

  Loop& loop_;
  Answer answer_;
  OneShot<bool> ended_{loop_.executor()};
  TcpServer server_;
};

}  // namespace callready::test
