// When a datagram came, as the system noted it: a program that is late to read it measures itself,
// and not the network. One file per system; where a system cannot tell, nothing is said.
#pragma once

#include <chrono>
#include <optional>

namespace callready::platform {

// The system notes from now on when datagrams arrive at this socket. False where it does not.
bool note_arrivals(int socket);

// For how long the next datagram has lain in the socket, which stays there. Nothing where there is
// none, where an error comes before it (which is left for whoever reads), or where it is not known.
std::optional<std::chrono::nanoseconds> since_arrival(int socket);

}  // namespace callready::platform
