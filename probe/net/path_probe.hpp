// Packets of a chosen size: what a path does to them (RFC 1191, RFC 8201, RFC 8899).
#pragma once

#include <functional>
#include <vector>

#include "probe/net/stream.hpp"

namespace callready {

// What came of a datagram that must not be fragmented.
struct SizedReply {
  bool answered = false;
  std::optional<Milliseconds> round_trip;  // of a reply to the only transmission
  // The router that says that it is too large for what comes next, and what would not be.
  std::optional<IcmpError> too_large;
  std::optional<Failure> failure;  // neither of the two came: timed_out, or why it was not sent
  SocketAddress local;
  int own_mtu = 0;  // of this computer's interface on that way; 0: the system does not say
  int attempts = 0;
};

struct SizedRequest {
  SocketAddress remote;
  std::string interface;  // by name; empty: the system's choice
  // The payload for an interface with that MTU.
  std::function<std::vector<std::uint8_t>(int own_mtu)> payload;
  std::function<bool(std::span<const std::uint8_t>)> is_reply;
};

// Sends it at timeouts::udp_sends and waits until timeouts::udp_reply after the first.
asio::awaitable<SizedReply> ask_sized(asio::any_io_executor executor, SizedRequest request,
                                      Scope scope);

}  // namespace callready
