// An HTTP proxy for CONNECT (RFC 9110 section 9.3.6) to a few endpoints and to no others: never an
// open proxy.
#pragma once

#include "probe/serve/stream_service.hpp"

namespace callready::serve {

struct ProxyOptions {
  // The address of each "host:port" in lower case, as clients ask for it. Nothing is resolved.
  std::map<std::string, SocketAddress> allowed;
  std::string user, password;          // for Basic (RFC 7617); empty user: no login
  std::size_t tunnel_bytes = 1 << 24;  // of one tunnel, both ways; then it ends
  Limits limits;                       // `connection` is also the longest life of a tunnel
};

// 200 and the tunnel; 403 for endpoints that are not allowed, 405 for other methods, 407 without
// the right credentials, 502 and 504 if the endpoint refuses or does not answer, 400 for what is
// not a request.
class ProxyServer {
 public:
  // Failure: the address cannot be bound.
  static Result<std::shared_ptr<ProxyServer>> start(const asio::any_io_executor& executor,
                                                    const SocketAddress& bind,
                                                    ProxyOptions options);
  SocketAddress local() const { return service_->local(); }
  int connections() const { return service_->connections(); }
  void stop() { service_->stop(); }

 private:
  explicit ProxyServer(std::shared_ptr<StreamService> service) : service_(std::move(service)) {}
  std::shared_ptr<StreamService> service_;
};

}  // namespace callready::serve
