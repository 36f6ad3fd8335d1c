// A web server with fixed pages, over TCP or TLS, and with WebSocket endpoints that open and close
// and say nothing else. Also the plain TLS server of the demo.
#pragma once

#include "probe/serve/stream_service.hpp"

namespace callready::serve {

struct HttpPage {
  unsigned status = 200;
  std::string body;
  std::string content_type = "text/plain";
  std::string location;  // for redirects; empty: none
};

struct HttpOptions {
  std::map<std::string, HttpPage> pages;     // by path, without query; others: 404
  std::vector<std::string> websocket_paths;  // 101 (RFC 6455), or 426 without an upgrade
  std::string server = "callready";
  std::shared_ptr<asio::ssl::context> tls;  // null: plain
  Limits limits;
};

// GET and HEAD of HTTP/1.0 and 1.1 with keep-alive; 405 for other methods; 400, then closed, for
// what cannot be parsed. Requests with a body are answered and then closed: no body is ever read.
class HttpServer {
 public:
  // Failure: the address cannot be bound.
  static Result<std::shared_ptr<HttpServer>> start(const asio::any_io_executor& executor,
                                                   const SocketAddress& bind, HttpOptions options);
  SocketAddress local() const { return service_->local(); }
  int connections() const { return service_->connections(); }
  void stop() { service_->stop(); }

 private:
  explicit HttpServer(std::shared_ptr<StreamService> service) : service_(std::move(service)) {}
  std::shared_ptr<StreamService> service_;
};

}  // namespace callready::serve
