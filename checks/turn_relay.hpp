// Whether a TURN relay carries data, measured with nothing but this machine and the server.
#pragma once

#include <array>

#include "checks/stun_dial.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/turn_client.hpp"

namespace callready::checks {

// A packet to or from a relay is sent at most three times: when each try is given up, counted from
// the first.
inline constexpr std::array relay_waits{timeouts::udp_sends[1], timeouts::udp_sends[2],
                                        timeouts::relay_trip};

// What was measured, each direction separately; nothing: not measured.
struct RelayTrip {
  std::optional<bool> outbound;   // our second socket -> relayed address -> us, through the server
  std::optional<bool> inbound;    // us -> server -> relay -> our second socket
  Text not_measured;              // why: "the server refuses ... as a peer: 403 Forbidden"
  bool unanswered = false;        // no answer to the first request after the allocation
  std::optional<IcmpError> icmp;  // what came back to the second socket
  std::optional<Milliseconds> outbound_took, inbound_took;
  bool complete() const { return outbound.value_or(false) && inbound.value_or(false); }
};

// "403 Forbidden", or what went wrong if there is no such answer.
Text refusal_in_words(const TurnReply& reply);

// CreatePermission for our own mapped address; then a second UDP socket sends to the relayed
// address, and a Send indication comes back to it. This crosses the site's firewall by UDP to the
// relay's port, so a false need not be the relay's fault: see between_relays().
asio::awaitable<RelayTrip> trip_through_relay(Context& context, TurnClient& client);

// Sends from `from` to the relay until the server passes that on to us. Returns our address as the
// relay sees it, or timed_out.
asio::awaitable<Result<SocketAddress>> hear_at_relay(Context& context, TurnClient& client,
                                                     UdpSocket& from);

// Sends from the relay to `to` until it arrives at the socket `at`. `icmp`, if not null, gets the
// first ICMP error that arrives there.
asio::awaitable<Result<void>> hear_from_relay(Context& context, TurnClient& client, UdpSocket& at,
                                              SocketAddress to,
                                              std::optional<IcmpError>* icmp = nullptr);

// Data from one allocation to the other and back, which crosses only what relaying clients need.
// nullopt if it was not measured, and `why`: hardened servers do not let their relays talk to each
// other.
asio::awaitable<std::optional<bool>> between_relays(Context& context, TurnClient& first,
                                                    TurnClient& second, Text& why);

// What became of a relay that was held (timeouts::relay_hold) and carried small packets to itself:
// that tests only the way to the server, over the transport of the allocation.
struct RelayLife {
  Text not_measured;  // why
  int sent = 0, heard = 0;
  Milliseconds alive{0};  // until the last packet that came
  bool died = false;      // no more packets came, see timeouts::relay_quiet
  // Where it died: whether the server still answers on the same flow.
  std::optional<bool> server_answers;
};
asio::awaitable<RelayLife> hold_relay(Context& context, TurnClient& client);

}  // namespace callready::checks
