// Whether it is this computer that answers connection requests in the far end's name: a firewall of
// its own with a reset, or a program that takes connections for itself.
#pragma once

#include <optional>
#include <string>

#include "probe/net/stream.hpp"

namespace callready {

// True where a connection request is reset that cannot leave this computer. False where nothing
// answers it, and where the system lets nobody ask so. Sends no packet to the network.
asio::awaitable<bool> is_reset_here(asio::any_io_executor executor, Scope scope,
                                    SocketAddress remote);

// Who takes connections near to us.
struct Taker {
  bool taken = false;  // false: nobody does
  // A program of this computer: by the system's table of sockets. Nothing: the system does not say.
  std::optional<bool> here;
  bool for_nobody = false;  // one to nobody's address was taken as well
  // Of that, and of a packet to the first router and back; where both are known.
  std::optional<Milliseconds> round_trip, router;

  bool on_this_computer() const;  // the system says so
  bool sooner_than_the_router() const;
};

// Of a connection to there, that ends at that TTL at the latest. One more, to nobody's address, and
// a few packets that end at the first router, only where the system does not say.
asio::awaitable<Taker> who_takes(asio::any_io_executor executor, Scope scope, SocketAddress remote,
                                 std::string interface, int ttl);

}  // namespace callready
