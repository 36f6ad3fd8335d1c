// One DNS question to one server, with what the path there reveals (RFC 1035, 6891, 7766). Separate
// from AresChannel, which hides who answered and what ICMP said.
#pragma once

#include "probe/net/dns_records.hpp"
#include "probe/net/guard.hpp"

namespace callready::dns {

struct Question {
  SocketAddress server;
  std::string name;
  std::uint16_t type = type_a;
  bool tcp = false;
  std::string interface;  // by name; empty: the system's choice
};

struct Exchange {
  Result<Message> reply = Failure{};
  std::optional<SocketAddress> local;
  // One round trip to the server where it is known: over UDP without retransmission, or TCP's
  // handshake.
  std::optional<Milliseconds> round_trip;
  std::optional<Instant> ended;  // when the reply over UDP came, however late it was read
  Milliseconds took{0};          // from the first packet to the reply's arrival or to giving up
  int attempts = 0;              // packets with the question
  bool without_edns = false;     // the reply came only when asked without EDNS
  bool retried_by_tcp = false;   // the answer over UDP was truncated
};

// Over UDP, a question whose answer is truncated is asked again over TCP, as every resolver does; a
// server that does not understand EDNS is asked again without it, and one that has not answered
// after timeouts::dns_plain is asked both ways. Replies that do not belong to the question are
// ignored; if only malformed ones came, the failure is `malformed`. All of this ends within
// timeouts::check.
asio::awaitable<Exchange> ask(asio::any_io_executor executor, Scope scope, Question question);

}  // namespace callready::dns
