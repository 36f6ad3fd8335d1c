#include "checks/nat_parts.hpp"

namespace callready::checks::nat {

Property known(DetailCode value, std::string method, Text text) {
  auto property = known(std::string(to_string(value)), std::move(method), std::move(text));
  property.code = value;
  return property;
}

Property known(std::string value, std::string method, Text text) {
  Property property;
  property.value = std::move(value);
  property.method = std::move(method);
  property.text = std::move(text);
  return property;
}

Property unknown(Text reason) {
  Property property;
  property.reason = std::move(reason);
  return property;
}

void add(Observation& observation, EvidenceKind kind, const Property& property, FactMap facts) {
  if (property.measured()) {
    facts[Fact::value] = property.value;
    if (!property.method.empty()) facts[Fact::method] = property.method;
    add_evidence(observation, kind, property.text, std::move(facts));
  } else {
    facts[Fact::value] = std::string(to_string(DetailCode::not_measured));
    facts[Fact::not_measured] = property.reason.string();
    add_evidence(observation, kind, phrase("not measured: {}", property.reason), std::move(facts));
  }
}

Result<UdpSocket> fresh_socket(Context& context, const SocketAddress& server) {
  return open_udp(context, server, {.connect = false});
}

asio::awaitable<Result<BindingReply>> ask(Context& context, UdpSocket& socket, SocketAddress to,
                                          Change change, UdpPatience patience) {
  const auto id = stun::new_transaction_id();
  stun::Builder builder(stun::Class::request, stun::Method::binding, id);
  stun::add_software(builder, context.settings.user_agent);
  if (change.ip || change.port) stun::add_change_request(builder, change.ip, change.port);
  const auto request = builder.finish();
  BindingReply reply;
  const UdpMatch matches = [&](const Datagram& datagram) {
    auto parsed = stun::parse(datagram.bytes);
    if (parsed.has_error() || !parsed->answers(stun::Method::binding, id)) return false;
    reply.message = std::move(*parsed);
    reply.from = datagram.from;
    return true;
  };
  socket.set_remote(to);
  const auto outcome = co_await udp_request(socket, context.scope, request, matches, patience);
  if (outcome.has_error()) co_return outcome.error().failure;
  reply.round_trip = outcome->round_trip;
  reply.attempts = outcome->attempts;
  co_return reply;
}

asio::awaitable<Result<SocketAddress>> mapped_by(Context& context, UdpSocket& socket,
                                                 SocketAddress server, UdpPatience patience) {
  const Change nothing;
  const auto reply = co_await ask(context, socket, server, nothing, patience);
  if (reply.has_error()) co_return reply.error();
  const auto mapped = reply->message.mapped();
  if (!mapped || reply->from != server) co_return malformed("unmapped");
  co_return *mapped;
}

Text reason_of(const std::optional<Failure>& failure, Text silence) {
  const bool ours =
      failure && (is_of_this_computer(*failure) || failure->kind == FailureKind::stopped);
  return ours ? Text(failure->text) : silence;
}

asio::awaitable<Result<Sample>> new_sample(Context& context, SocketAddress server) {
  auto socket = fresh_socket(context, server);
  if (socket.has_error()) co_return socket.error();
  Sample sample;
  sample.socket = std::make_unique<UdpSocket>(std::move(*socket));
  const auto mapped = co_await mapped_by(context, *sample.socket, server);
  if (mapped.has_error()) co_return mapped.error();
  if (!may_be_sent_to(*mapped, server)) co_return malformed("unmapped");
  sample.mapped = *mapped;
  co_return sample;
}

std::optional<Failure> failure_of(const Result<Sample>& first, const Result<Sample>& second) {
  if (first.has_error()) return first.error();
  if (second.has_error()) return second.error();
  return std::nullopt;
}

}  // namespace callready::checks::nat
