// What strangers may take of a server of ours. Every server keeps all of them.
#pragma once

#include "probe/net/clock.hpp"
#include "probe/net/service_timeouts.hpp"

namespace callready::serve {

struct Limits {
  int connections = 64;              // open at once; more are closed as they come
  int connections_of_address = 64;   // of these, from one address
  std::size_t request_bytes = 8192;  // of one request; a longer one ends its connection
  int requests = 100;                // of one connection; then it is closed
  milliseconds idle = timeouts::served_request;
  milliseconds connection = timeouts::served_connection;
  int datagrams_per_second = 1'000;  // replies of one UDP socket; beyond them, silence
  bool replies_may_grow = true;      // false: a datagram larger than what it answers is not sent
};

}  // namespace callready::serve
