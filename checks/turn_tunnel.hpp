// TURN over TLS for libnice, which speaks it over UDP and TCP only (its NICE_RELAY_TYPE_TURN_TLS is
// plain TCP in RFC 5245 mode): a loopback port whose connections are passed on to the server over
// TLS. A server whose certificate a browser would refuse is not used.
#pragma once

#include "checks/relay_server.hpp"

namespace callready::checks {

class TurnTunnel {
 public:
  explicit TurnTunnel(Context& context);
  TurnTunnel(const TurnTunnel&) = delete;
  TurnTunnel& operator=(const TurnTunnel&) = delete;

  // The address that libnice is to use, of that family; fails if no port is free. Call it once. The
  // tunnel outlasts the stop of the run, so that relays can be released: close() must be awaited.
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
