// What strangers may use of a server of ours. WHIP has others (call_peer.cpp).
#pragma once

#include "probe/net/clock.hpp"
#include "probe/net/service_timeouts.hpp"
#include "probe/web/open_connections.hpp"

namespace callready::serve {

struct Limits {
  // Connections that are open at once, and those of one address; more are turned away.
  std::size_t connections = 64, connections_of_address = 64;
  std::shared_ptr<OpenConnections> open{};  // counts them with those of others; null: alone
  std::size_t request_bytes = 8192;         // of one request; a longer one ends its connection
  int requests = 100;                       // of one connection; then it is closed
  milliseconds idle = timeouts::served_request;
  milliseconds connection = timeouts::served_connection;
  // Replies of one UDP socket, and of these to one network (a /24, a /64 in IPv6). Beyond them, a
  // tenth as many say that it is busy, if the protocol has words for that.
  int datagrams_per_second = 1'000, datagrams_of_network = 1'000;
  bool replies_may_grow = true;  // false: a datagram larger than what it answers is not sent
};

}  // namespace callready::serve
