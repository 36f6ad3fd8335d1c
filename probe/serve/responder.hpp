// The far end that an administrator sets up outside: what calls need, each on ports of the
// administrator's choice, and the target set that asks for all of it.
#pragma once

#include "probe/serve/call_peer.hpp"
#include "probe/serve/http_server.hpp"
#include "probe/serve/responder_set.hpp"
#include "probe/serve/sip_server.hpp"
#include "probe/serve/stamp_server.hpp"
#include "probe/serve/stun_server.hpp"
#include "probe/serve/udp_echo.hpp"

namespace callready::serve {

// Ports of 0 are the kernel's choice.
struct ResponderOptions {
  std::string name;  // by which clients reach it: a name or an address
  IpAddress bind = IpAddress::v4({0, 0, 0, 0});
  // A second address of this machine, for behaviour discovery (RFC 5780); then `bind` is one, too.
  std::optional<IpAddress> other_address;
  std::uint16_t udp_port = 0;  // of the stream like a call's
  std::vector<PortRange> media_ports, tcp_ports, tls_ports{{0, 0}};
  std::optional<std::uint16_t> stun_port, sip_port, sips_port;  // nothing: not served
  std::uint16_t call_port = 0;  // of WebRTC calls, which are made at the first of the TLS ports
  media::stamp::Bytes key;      // not empty
  std::string today;            // YYYY-MM-DD
  std::function<void(std::string_view)> complain{};  // that clients with the key go unanswered
  media::ReflectorLimits limits;
  media::EchoLimits echo_limits;
};

// The most ports of all services together: each has a socket.
inline constexpr unsigned most_served_ports = 3'000;

class Responder {
 public:
  // Failure: a port cannot be bound; the text begins with which.
  static Result<std::unique_ptr<Responder>> start(const asio::any_io_executor& executor,
                                                  const ResponderOptions& options);

  // Open ones of all ports together, of which no client gets more than a quarter; 128 at first.
  void allow_connections(std::size_t all);

  // As YAML (targets/README.md). No secret is in it.
  const std::string& target_set() const { return target_set_; }
  const ResponderPorts& ports() const { return ports_; }
  SocketAddress stamp() const { return stamp_->local(); }
  SocketAddress tls() const { return calls_->https(); }   // the first TLS port, where there is one
  const CallPeer* calls() const { return calls_.get(); }  // null: there is no TLS port

 private:
  Responder() = default;
  Result<void> start_all(const asio::any_io_executor& executor, const ResponderOptions& options);
  Result<void> start_tls(const asio::any_io_executor& executor, const ResponderOptions& options,
                         const std::shared_ptr<asio::ssl::context>& tls);
  std::shared_ptr<OpenConnections> open_;  // over all ports
  std::shared_ptr<StampServer> stamp_;
  std::shared_ptr<media::EchoKeeper> keeper_;
  std::vector<std::shared_ptr<UdpEcho>> echoes_;
  std::vector<std::shared_ptr<StreamService>> tcp_;
  std::shared_ptr<CallPeer> calls_;                 // its HTTPS is the first TLS listener, too
  std::vector<std::shared_ptr<HttpServer>> https_;  // the others
  std::shared_ptr<StunServer> stun_;
  std::shared_ptr<SipServer> sip_;
  ResponderPorts ports_;
  std::string target_set_;
};

}  // namespace callready::serve
