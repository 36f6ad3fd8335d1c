// The far end that an administrator sets up outside: a STAMP reflector, a TLS listener and who
// takes WebRTC calls, with the target set that asks for all of it.
#pragma once

#include "probe/serve/call_peer.hpp"
#include "probe/serve/http_server.hpp"
#include "probe/serve/stamp_server.hpp"

namespace callready::serve {

struct ResponderOptions {
  std::string name;  // by which clients reach it: a name or an address
  IpAddress bind = IpAddress::v4({0, 0, 0, 0});
  std::uint16_t udp_port = 0, tls_port = 0, call_port = 0;  // 0: the kernel's choice
  media::stamp::Bytes key;                                  // not empty
  std::string today;                                        // YYYY-MM-DD
  media::ReflectorLimits limits;
};

class Responder {
 public:
  // Failure: a port cannot be bound.
  static Result<std::unique_ptr<Responder>> start(const asio::any_io_executor& executor,
                                                  const ResponderOptions& options);

  // As YAML (targets/README.md). No secret is in it.
  const std::string& target_set() const { return target_set_; }
  SocketAddress stamp() const { return stamp_->local(); }
  SocketAddress tls() const { return calls_ ? calls_->https() : https_->local(); }
  const CallPeer* calls() const { return calls_.get(); }  // null: not in this program

 private:
  Responder() = default;
  std::shared_ptr<StampServer> stamp_;
  std::shared_ptr<CallPeer> calls_;    // its HTTPS is the TLS listener, too
  std::shared_ptr<HttpServer> https_;  // where there is no such
  std::string target_set_;
};

}  // namespace callready::serve
