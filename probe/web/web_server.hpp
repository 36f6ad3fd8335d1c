// A small web server: HTTP/1.1 over TCP or TLS (Boost.Beast). Connections, sizes and times are
// limited for strangers. What a request may see is up to its handler.
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
#include "probe/net/service_timeouts.hpp"
#include "probe/web/open_connections.hpp"
#include "probe/web/shared_text.hpp"

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
  SharedText body;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> fields;
  std::shared_ptr<LiveReply> live;  // null: the body is all; not over TLS
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
    std::size_t most_body = 0;                // bytes of a request
    std::function<Tls()> tls{};               // for each connection; null: none
    std::size_t most_of_address = 48;         // connections; less than half
    std::shared_ptr<OpenConnections> open{};  // counts them with those of others; null: alone
    // Of one connection, no matter how busy, except for a reply that goes on.
    milliseconds connection = timeouts::web_connection;
    // For replies that are on their way, each text once, no matter how many read it.
    std::size_t most_in_flight = 64 << 20;
    // Connections count against the user who made them, if the system says who: on this computer,
    // one user has all addresses.
    bool by_user = false;
  };

  // Listens there from now on. Failure: the address cannot be bound.
  static Result<std::unique_ptr<WebServer>> start(const asio::any_io_executor& executor,
                                                  const SocketAddress& address, Options options,
                                                  Handler handler);
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  SocketAddress local() const;
  std::size_t connections() const;  // open ones, of all that are counted with them
  // No new connection, and the open ones end. `ended` is called when they have, or when they take
  // too long: once, by the executor.
  void stop(std::function<void()> ended = {});

 private:
  explicit WebServer(std::shared_ptr<WebServerCore> core) : core_(std::move(core)) {}
  std::shared_ptr<WebServerCore> core_;
};

}  // namespace callready
