// A TURN server as a helper of other checks: its relays are far ends that answer, on ports and
// addresses of their own. Needs the run's credentials.
#pragma once

#include "checks/turn_relay.hpp"

namespace callready::checks {

// "turn.example.com" from "turn.example.com:3478/tcp".
std::string_view host_of_server(std::string_view server);

// The transport to reach it by, TCP if it names none; nothing: it names an unknown one.
std::optional<Transport> transport_of_server(std::string_view server);

// The host of the server that the probe asks for relays; empty: it asks none.
std::string_view relay_host(const Probe& probe);

// The credentials that the run has for that server ("host", "host:port/tls"), generated now if they
// are time-limited; an empty user name: none.
stun::Credential credential_for(Context& context, std::string_view server);

// "host:port" as an address of that family; "[2001:db8::1]:3478" too.
asio::awaitable<Result<SocketAddress>> find_endpoint(Context& context, std::string text, bool v6);

// Where to get relays, from a check's parameter `turn`: "host:port", or "host:port/tls" and the
// like; TCP by default, because what hurts UDP must not hurt the control connection.
struct RelayServer {
  Probe probe;
  std::optional<IpAddress> address;                // none: a proxy finds it, by its name
  std::optional<TurnClient::Challenge> challenge;  // of an earlier relay: saves a round trip
  bool v6 = false;                                 // the family of the relays
  std::vector<SocketAddress> redirected_by{};      // the servers that led here by an error 300
};
asio::awaitable<Result<RelayServer>> find_relay_server(Context& context, std::string text, bool v6);

// A server's error 300, "Try Alternate" (RFC 8489 section 10).
struct Redirect {
  bool followed = false;
  Detail fault;       // "bad_redirect", "redirect_loop": no client could follow it
  Evidence evidence;  // "alternate_server", with the fact `not_measured` where it is not followed
};
// If it is followed, `server` becomes the one that it names: over TLS its certificate has to be for
// ALTERNATE-DOMAIN, or else for the previous name. At most two in a row are followed, and none that
// leads inside: from a public address to a private one, or to this computer or link.
Redirect follow_redirect(RelayServer& server, const stun::Message& message);

// An allocation. If there is a client, call client->deallocate(cleanup) even if `why` is set.
struct Relay {
  std::unique_ptr<TurnClient> client;  // null: the server was not reached
  Text why;                            // empty: granted; else what went wrong, for a person
  int code = 0;                        // the server's error code
};
// Keeps in `server` its challenge, and where it redirects to, for the next ones. Meanwhile nobody
// else may use that object.
asio::awaitable<Relay> open_relay(Context& context, RelayServer& server);

}  // namespace callready::checks
