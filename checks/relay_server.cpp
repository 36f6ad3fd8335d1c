#include "checks/relay_server.hpp"

#include <algorithm>

#include "probe/util/text.hpp"

namespace callready::checks {

std::string_view host_of_server(std::string_view server) {
  server = server.substr(0, server.find('/'));
  if (server.starts_with('[')) return server.substr(1, server.find(']') - 1);
  const auto colon = server.find(':');
  if (colon == server.npos || server.find(':', colon + 1) != server.npos) return server;
  return server.substr(0, colon);
}

std::optional<Transport> transport_of_server(std::string_view server) {
  const auto slash = server.find('/');
  return slash == server.npos ? Transport::tcp : parse<Transport>(server.substr(slash + 1));
}

std::string_view relay_host(const Probe& probe) {
  if (probe.check == CheckKind::turn) return probe.target.host;
  const auto server = probe.with.find("turn");
  return server == probe.with.end() ? std::string_view() : host_of_server(server->second);
}

stun::Credential credential_for(Context& context, std::string_view server) {
  const auto& given = context.settings.credentials;
  const auto& hosts = given.turn_hosts;
  const bool meant = std::any_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
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
  const Failure failure{FailureKind::malformed, "\"" + text + "\" is not host:port", 0, {}};
  const auto colon = text.rfind(':');
  const auto port = PortRange::parse(colon == std::string::npos ? "" : text.substr(colon + 1));
  if (!port || !port->single()) co_return failure;
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  const auto family = v6 ? Family::v6 : Family::v4;
  const auto resolution = co_await context.resolver.resolve(host, family, context.scope);
  if (resolution.addresses.has_error()) co_return resolution.addresses.error();
  if (resolution.addresses->empty()) co_return failure;
  co_return SocketAddress{resolution.addresses->front(), port->first};
}

asio::awaitable<Result<RelayServer>> find_relay_server(Context& context, std::string text,
                                                       bool v6) {
  RelayServer server;
  server.probe.check = CheckKind::turn;
  auto& target = server.probe.target;
  const auto transport = transport_of_server(text);
  if (!transport) {
    co_return Failure{FailureKind::malformed, "\"" + text + "\" is not host:port/transport", 0, {}};
  }
  target.transport = *transport;
  text = text.substr(0, text.find('/'));
  const auto found = co_await find_endpoint(context, text, v6);
  if (found.has_error()) co_return found.error();
  target.host = host_of_server(text.substr(0, text.rfind(':')));
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
