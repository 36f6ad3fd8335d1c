// Whether this computer itself answers connection requests in the far end's name: its own firewall
// with a reset, or a program that accepts the connections itself.
#pragma once

#include <optional>
#include <string>

#include "probe/net/stream.hpp"

namespace callready {

// True if a connection request that cannot leave this computer is reset. False if nothing answers
// it, and where the system does not allow this test. Sends no packet to the network.
asio::awaitable<bool> is_reset_here(asio::any_io_executor executor, Scope scope,
                                    SocketAddress remote);

// Who accepts connections near to us.
struct Taker {
  bool taken = false;  // false: nobody does
  // By a program of this computer: the system's table of sockets says so. Nothing: it does not say.
  std::optional<bool> here;
  bool for_nobody = false;  // one to nobody's address was accepted as well
  // For that one, and for a packet to the first router and back; where both are known.
  std::optional<Milliseconds> round_trip, router;

  bool on_this_computer() const;  // the system says so
  bool sooner_than_the_router() const;
};

// Makes a connection to `remote` with that TTL, and up to two more if the system's table does not
// have it. Only where the system does not say who took it, it makes another one, to nobody's
// address, and sends a few packets that end at the first router.
asio::awaitable<Taker> who_takes(asio::any_io_executor executor, Scope scope, SocketAddress remote,
                                 std::string interface, int ttl);

}  // namespace callready
