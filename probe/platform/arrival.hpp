// When and how a datagram came, as the system noted it: a program that is late to read it measures
// itself, not the network. Where a system cannot tell, the values are absent.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "probe/model/observation.hpp"

namespace callready::platform {

struct Arrival {
  // For how long it has waited in the socket.
  std::optional<std::chrono::nanoseconds> waited;
  std::optional<int> traffic_class;  // of its IP header: DSCP and ECN
  std::optional<int> ttl;            // what is left of its TTL or hop limit
  // Datagrams for which the socket had no room, since it was made.
  std::optional<std::uint32_t> dropped;
  std::optional<IpAddress> to;  // the address of this computer that it came to
};

// Has the system note from now on when datagrams arrive at this socket. False if it does not.
bool note_arrivals(int socket);

// The same for their IP headers, and for how many had no room. `v6`: the socket's family.
bool note_headers(int socket, bool v6);

// The same for the addresses of this computer that they come to: a socket that listens at all of
// them has to answer from the one that was asked. False if the system does not say.
bool note_destinations(int socket, bool v6);

// Sends from `own`, an address that was noted, no matter where the route leads. An errno; 0: sent.
int send_from(int socket, const IpAddress& own, std::span<const std::uint8_t> bytes,
              const SocketAddress& to);

// For the next datagram, which stays in the socket. Nothing if there is none, or if an error comes
// before it (which is left for the reader).
Arrival next_arrival(int socket);

// DSCP and ECN of what the socket sends from now on. False if the system does not allow that.
bool set_traffic_class(int socket, bool v6, int traffic_class);

}  // namespace callready::platform
