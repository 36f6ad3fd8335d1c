// TURN over TLS for libnice, which speaks it over UDP and TCP only (its NICE_RELAY_TYPE_TURN_TLS is
// plain TCP in RFC 5245 mode): a port on this computer's loopback, from which each connection goes
// on over TLS to the server. A server whose certificate a browser would refuse is not talked to.
#pragma once

#include "checks/relay_server.hpp"

namespace callready::checks {

class TurnTunnel {
 public:
  explicit TurnTunnel(Context& context);
  TurnTunnel(const TurnTunnel&) = delete;
  TurnTunnel& operator=(const TurnTunnel&) = delete;

  // Where libnice is to go, of that family; failure: no port can be had. Once. What goes through
  // outlasts the stop of the run, so that relays can be given back: close() must be waited for.
  Result<SocketAddress> open(const RelayServer& server, bool v6);
  asio::awaitable<void> close();

 private:
  asio::awaitable<void> accept();
  asio::awaitable<void> carry(asio::ip::tcp::socket client);
  asio::awaitable<void> pump(Stream& from, Stream& to, StopSignal& end);

  Context& context_;
  RelayServer server_;
  asio::ip::tcp::acceptor acceptor_;
  StopSignal stop_;
  TaskGroup tasks_;
};

}  // namespace callready::checks
