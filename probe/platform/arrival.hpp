// When and how a datagram came, as the system noted it: a program that is late to read it measures
// itself, and not the network. One file per system; where a system cannot tell, nothing is said.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace callready::platform {

struct Arrival {
  // For how long it has lain in the socket.
  std::optional<std::chrono::nanoseconds> waited;
  std::optional<int> traffic_class;  // of its IP header: DSCP and ECN
  std::optional<int> ttl;            // what is left of its TTL or hop limit
  // Datagrams for which the socket had no room, since it was made.
  std::optional<std::uint32_t> dropped;
};

// The system notes from now on when datagrams arrive at this socket. False where it does not.
bool note_arrivals(int socket);

// The same for what their IP headers say, and for how many had no room. `v6`: the socket's family.
bool note_headers(int socket, bool v6);

// Of the next datagram, which stays there. Nothing where there is none, or where an error comes
// before it (which is left for whoever reads).
Arrival next_arrival(int socket);

// DSCP and ECN of what the socket sends from now on. False where the system does not let it.
bool set_traffic_class(int socket, bool v6, int traffic_class);

}  // namespace callready::platform
