// A small web server: HTTP/1.1 over TCP or TLS (Boost.Beast). What strangers may take of it is
// bounded: connections, sizes, times. What a request may see, its handler decides.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/net/clock.hpp"
#include "probe/net/failure.hpp"

namespace callready {

struct WebRequest {
  std::string method, target;  // as they stand in the request
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  SocketAddress client, local;  // of the connection

  // The values of this field, whatever its case.
  std::vector<std::string_view> all(std::string_view name) const;
  // Its value; "" where it is absent, or there more than once.
  std::string_view field(std::string_view name) const;
};

// A reply that goes on, until somebody ends it: each text takes the place of one that has not gone
// out yet, so that a slow reader gets the newest.
class LiveReply {
 public:
  // `gone`: once, when nobody reads it any more.
  explicit LiveReply(const asio::any_io_executor& executor, std::function<void()> gone);
  void send(std::string text);
  void end();

 private:
  friend struct LiveConnection;
  void reader_has_gone();
  asio::steady_timer wake_;  // used as a condition
  std::optional<std::string> next_;
  std::function<void()> gone_;
  bool ended_ = false;
};

struct WebReply {
  unsigned status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> fields;
  std::shared_ptr<LiveReply> live;  // null: the body is all
};

struct WebServerCore;

class WebServer {
 public:
  using Answer = std::function<void(WebReply)>;
  // Calls `answer` once, now or later.
  using Handler = std::function<void(WebRequest, Answer)>;
  using Tls = std::shared_ptr<asio::ssl::context>;

  struct Options {
    std::size_t most_connections = 128;
    std::size_t most_body = 0;          // bytes of a request
    std::function<Tls()> tls{};         // for each connection; null: none
    std::size_t most_of_address = 128;  // connections
  };

  // Listens there from now on. Failure: the address cannot be bound.
  static Result<std::unique_ptr<WebServer>> start(const asio::any_io_executor& executor,
                                                  const SocketAddress& address, Options options,
                                                  Handler handler);
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  SocketAddress local() const;
  std::size_t connections() const;
  // No new connection, and the open ones end. `ended` is told when they have, or that they take too
  // long: once, by the executor.
  void stop(std::function<void()> ended = {});

 private:
  explicit WebServer(std::shared_ptr<WebServerCore> core) : core_(std::move(core)) {}
  std::shared_ptr<WebServerCore> core_;
};

}  // namespace callready
