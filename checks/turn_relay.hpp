// Whether a TURN relay carries data, measured with nothing but this machine and the server.
#pragma once

#include <array>

#include "checks/stun_dial.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/turn_client.hpp"

namespace callready::checks {

// A packet to or from a relay is sent three times at most. How long after the first one each is
// given up.
inline constexpr std::array relay_waits{timeouts::udp_sends[1], timeouts::udp_sends[2],
                                        timeouts::relay_trip};

// What was measured, each apart; nothing: not measured.
struct RelayTrip {
  std::optional<bool> outbound;   // our second socket -> relayed address -> us, through the server
  std::optional<bool> inbound;    // us -> server -> relay -> our second socket
  Text not_measured;              // why: "the server refuses ... as a peer: 403 Forbidden"
  std::optional<IcmpError> icmp;  // what came back to the second socket
  std::optional<Milliseconds> outbound_took, inbound_took;
  bool complete() const { return outbound.value_or(false) && inbound.value_or(false); }
};

// "403 Forbidden"; what went wrong where there is no such answer.
Text refusal_in_words(const TurnReply& reply);

// CreatePermission for our own mapped address; then a second UDP socket sends to the relayed
// address, and a Send indication comes back to it. This crosses the site's firewall by UDP to the
// relay's port, so that a false is not the relay's fault yet: see between_relays().
asio::awaitable<RelayTrip> trip_through_relay(Context& context, TurnClient& client);

// What `from` sends to the relay, until the server tells us of it: our address as the relay sees
// it, or timed_out.
asio::awaitable<Result<SocketAddress>> hear_at_relay(Context& context, TurnClient& client,
                                                     UdpSocket& from);

// Sends from the relay to `to`, until it comes out at the socket. The first ICMP error that comes
// there is noted, where that is wanted.
asio::awaitable<Result<void>> hear_from_relay(Context& context, TurnClient& client, UdpSocket& at,
                                              SocketAddress to,
                                              std::optional<IcmpError>* icmp = nullptr);

// From one allocation to the other and back: crosses only what clients that relay need. nullopt
// where it was not measured, and `why`: hardened servers do not let their relays talk to each
// other.
asio::awaitable<std::optional<bool>> between_relays(Context& context, TurnClient& first,
                                                    TurnClient& second, Text& why);

// What became of a relay that was held (timeouts::relay_hold) and carried small packets to itself:
// only the way to the server matters then, over the transport that it was allocated by.
struct RelayLife {
  Text not_measured;  // why
  int sent = 0, heard = 0;
  Milliseconds alive{0};  // until the last packet that came
  bool died = false;      // nothing came any more, see timeouts::relay_quiet
  // Where it died: whether the server still answers on the same flow.
  std::optional<bool> server_answers;
};
asio::awaitable<RelayLife> hold_relay(Context& context, TurnClient& client);

}  // namespace callready::checks
