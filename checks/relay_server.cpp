#include "checks/relay_server.hpp"

#include <algorithm>

#include "probe/util/text.hpp"

namespace callready::checks {

std::string_view host_of_server(std::string_view server) {
  std::string_view host;
  std::uint16_t port = 0;
  split_port(server.substr(0, server.find('/')), host, port);
  return host;
}

std::optional<Transport> transport_of_server(std::string_view server) {
  const auto slash = server.find('/');
  return slash == server.npos ? Transport::tcp : parse<Transport>(server.substr(slash + 1));
}

std::string_view relay_host(const Probe& probe) {
  if (probe.check == CheckKind::turn) return probe.target.host;
  return host_of_server(parameter_of(probe, "turn"));
}

stun::Credential credential_for(Context& context, std::string_view server) {
  const auto& given = context.settings.credentials;
  const bool meant = std::ranges::any_of(given.turn_hosts, [&](const std::string& host) {
    return is_same_but_for_case(host, host_of_server(server));
  });
  if (!meant) return {};
  if (!given.turn_secret.empty()) {
    const std::string user = given.turn_user.empty() ? "callready" : given.turn_user;
    // An hour bears a clock that is half an hour off.
    const auto expiry = context.scope.clock.wall_now() + std::chrono::hours(1);
    return stun::time_limited_credential(given.turn_secret, user, expiry);
  }
  return {given.turn_user, given.turn_password};
}

asio::awaitable<Result<SocketAddress>> find_endpoint(Context& context, std::string text, bool v6) {
  std::string_view host;
  std::uint16_t port = 0;
  if (!split_port(text, host, port) || port == 0) {
    co_return malformed("\"" + text + "\" is not host:port");
  }
  const std::string name(host);
  const auto family = v6 ? Family::v6 : Family::v4;
  const auto resolution = co_await context.resolver.resolve(name, family, context.scope);
  if (resolution.addresses.has_error()) co_return resolution.addresses.error();
  co_return SocketAddress{resolution.addresses->front(), port};
}

asio::awaitable<Result<RelayServer>> find_relay_server(Context& context, std::string text,
                                                       bool v6) {
  RelayServer server;
  server.probe.check = CheckKind::turn;
  auto& target = server.probe.target;
  const auto transport = transport_of_server(text);
  if (!transport) co_return malformed("\"" + text + "\" is not host:port/transport");
  target.transport = *transport;
  text = text.substr(0, text.find('/'));
  const auto found = co_await find_endpoint(context, text, v6);
  if (found.has_error()) co_return found.error();
  target.host = host_of_server(text);
  target.ports = {found->port, found->port};
  server.address = found->address;
  server.v6 = v6;
  co_return server;
}

asio::awaitable<Relay> open_relay(Context& context, RelayServer& server) {
  Relay relay;
  Observation unused;
  Job job{server.probe, server.address};
  auto dialled = co_await dial_stun(context, job, unused);
  if (!dialled.channel) {
    relay.why = phrase("{} was not reached ({})", server.probe.target.host, unused.detail.text());
    co_return relay;
  }
  auto credential = credential_for(context, server.probe.target.host);
  relay.client =
      std::make_unique<TurnClient>(std::move(dialled.channel), std::move(credential), server.v6);
  if (server.challenge) relay.client->begin_with(*server.challenge);
  const auto reply = co_await relay.client->allocate(context.scope);
  if (relay.client->challenge()) server.challenge = relay.client->challenge();
  if (reply.status == TurnStatus::granted) co_return relay;
  relay.code = reply.code;
  relay.why = phrase("{} grants no relay ({})", server.probe.target.host, refusal_in_words(reply));
  co_return relay;
}

}  // namespace callready::checks
