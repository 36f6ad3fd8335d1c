// The exporter's web server: HTTP/1.1 over TCP or TLS (Boost.Beast), with logins if the web
// configuration wants them. What strangers may use is limited.
#pragma once

#include <memory>
#include <string>

#include "probe/exporter/pages.hpp"
#include "probe/exporter/web_config.hpp"
#include "probe/net/guard.hpp"

namespace callready::exporter {

struct ServerCore;

class Server {
 public:
  using Handler = std::function<void(const Request&, Pages::Answer)>;

  // Listens there from now on. Failure: the address cannot be bound.
  static Result<std::unique_ptr<Server>> start(const asio::any_io_executor& executor, Scope scope,
                                               const SocketAddress& address, WebConfig web,
                                               Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  SocketAddress local() const;
  // For connections and requests from now on.
  void use(WebConfig web);
  // As WebServer::stop().
  void stop(std::function<void()> ended = {});

 private:
  explicit Server(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}
  std::shared_ptr<ServerCore> core_;
};

}  // namespace callready::exporter
