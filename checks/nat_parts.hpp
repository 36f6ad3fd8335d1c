// What the parts of the nat check share (one part per file): the questions, and how answers are
// recorded.
#pragma once

#include "checks/check.hpp"
#include "probe/net/stun.hpp"
#include "probe/net/udp.hpp"

namespace callready::checks::nat {

// A property of the NAT, or why it could not be known.
struct Property {
  std::string value;                           // empty: not measured
  DetailCode code = DetailCode::not_measured;  // the same, for mapping and filtering
  Text text;                                   // for a person
  std::string method;  // how: "other_address", "two_servers", "relays", "response_port"
  Text reason;         // where not measured
  bool measured() const { return !value.empty(); }
};
Property known(DetailCode value, std::string method, Text text);
Property known(std::string value, std::string method, Text text);
Property unknown(Text reason);

// Adds it as evidence of that kind, with the facts `value` and `method` or `not_measured`.
void add(Observation& observation, EvidenceKind kind, const Property& property, FactMap facts = {});

struct BindingReply {
  stun::Message message;
  SocketAddress from;
  std::optional<Milliseconds> round_trip;
  int attempts = 0;
};

// Not connected, so that it hears anybody.
Result<UdpSocket> fresh_socket(Context& context, const SocketAddress& server);

// One Binding request; the answer may come from any address. `change`: CHANGE-REQUEST (RFC 5780
// section 7.2).
struct Change {
  bool ip = false, port = false;
};
asio::awaitable<Result<BindingReply>> ask(Context& context, UdpSocket& socket, SocketAddress to,
                                          Change change, UdpPatience patience = {});

// Our mapped address, from the answer to a plain Binding request.
asio::awaitable<Result<SocketAddress>> mapped_by(Context& context, UdpSocket& socket,
                                                 SocketAddress server, UdpPatience patience = {});

// Why nobody answered: what kept this computer from asking or waiting, otherwise `silence`.
Text reason_of(const std::optional<Failure>& failure, Text silence);

struct Sample {
  std::unique_ptr<UdpSocket> socket;
  SocketAddress mapped;
};
// A socket with its mapped address.
asio::awaitable<Result<Sample>> new_sample(Context& context, SocketAddress server);
// Why one of the two failed; nothing if neither did.
std::optional<Failure> failure_of(const Result<Sample>& first, const Result<Sample>& second);

// Mapping and filtering, found with relays of the server in the parameter `turn` (nat_relays.cpp).
struct ByRelays {
  Property mapping, filtering;
};
asio::awaitable<ByRelays> measure_by_relays(Context& context, Job job);

// How long an idle binding lives (nat_lifetime.cpp); takes minutes.
asio::awaitable<Property> measure_lifetime(Context& context, Job job);

// How many NATs there are, judging by the routers on the way (nat_path.cpp).
asio::awaitable<Property> measure_translations(Context& context, SocketAddress server,
                                               SocketAddress local, SocketAddress mapped);

}  // namespace callready::checks::nat
