#include "checks/relay_server.hpp"

#include <algorithm>
#include <cctype>

#include "checks/certificate_evidence.hpp"
#include "probe/util/text.hpp"

namespace callready::checks {
namespace {

constexpr std::size_t most_redirects = 2;

// What ALTERNATE-DOMAIN has to be. OpenSSL would check no name at all for an empty one, and accept
// subdomains for one that begins with a dot.
bool is_dns_name(const std::string& text) {
  return !text.empty() && text.size() <= 255 && text.front() != '.' && !IpAddress::parse(text) &&
         std::ranges::all_of(
             text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.'; });
}

bool is_internal(const IpAddress& address) { return address.is_private() || address.is_shared(); }

}  // namespace

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
    // An hour tolerates a clock that is half an hour off.
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

Redirect follow_redirect(RelayServer& server, const stun::Message& message) {
  Redirect redirect;
  auto& [followed, fault, evidence] = redirect;
  evidence.kind = EvidenceKind::alternate_server;
  auto& target = server.probe.target;
  const SocketAddress here{server.address.value_or(IpAddress{}), target.port()};
  const auto& to = message.alternate_server;
  const bool renamed = target.transport == Transport::tls && message.alternate_domain;
  if (!to || to->port == 0 || to->address.is_unspecified() || to->address.is_multicast() ||
      (renamed && !is_dns_name(*message.alternate_domain))) {
    fault = DetailCode::bad_redirect;
    evidence.text = phrase("the server redirects, but names no server that can be used");
    return redirect;
  }
  evidence.facts = {{Fact::address, to->address.to_string()}, {Fact::port, to->port}};
  if (renamed) evidence.facts[Fact::name] = *message.alternate_domain;
  const auto other = to->to_string();
  Text why_not;
  // The family that a proxy reaches its server by is not known.
  if (target.route.direct() && to->address.is_v6() != here.address.is_v6()) {
    fault = DetailCode::bad_redirect;
    why_not = phrase("its address is of another family");
  } else if (*to == here || contains(server.redirected_by, *to)) {
    fault = DetailCode::redirect_loop;
    why_not = phrase("it redirected before");
  } else if (server.redirected_by.size() == most_redirects) {
    why_not = phrase("two redirects are followed, and no more");
  } else if (!may_be_sent_to(*to, here) ||
             (is_internal(to->address) && !is_internal(here.address))) {
    why_not = phrase("its address is internal, of another kind than the server's");
  }
  if (!why_not.empty()) {
    evidence.facts[Fact::not_measured] = why_not.string();
    evidence.text =
        phrase("the server redirects to {}, which was not followed: {}", other, why_not);
    return redirect;
  }
  followed = true;
  evidence.text = phrase("the server redirects to {}", other);
  server.redirected_by.push_back(here);
  server.address = to->address;
  target.ports = {to->port, to->port};
  if (renamed) server.probe.with["server_name"] = *message.alternate_domain;
  return redirect;
}

asio::awaitable<Relay> open_relay(Context& context, RelayServer& server) {
  for (;;) {
    Relay relay;
    Observation seen;
    const Job job{server.probe, server.address};
    auto dialled = co_await dial_stun(context, job, seen);
    const auto fault = certificate_fault(dialled.tls);
    const bool wrong = !server.redirected_by.empty() && !fault.empty();
    const auto& host = server.probe.target.host;
    const auto name = server.redirected_by.empty() ? host : job.remote().to_string();
    if (wrong) seen.detail = fault;
    if (wrong || !dialled.channel) {
      relay.why = phrase("{} was not reached ({})", name, seen.detail.text());
      co_return relay;
    }
    auto credential = credential_for(context, host);
    relay.client =
        std::make_unique<TurnClient>(std::move(dialled.channel), std::move(credential), server.v6);
    if (server.challenge) relay.client->begin_with(*server.challenge);
    const auto reply = co_await relay.client->allocate(context.scope);
    if (relay.client->challenge()) server.challenge = relay.client->challenge();
    if (reply.status == TurnStatus::granted) co_return relay;
    relay.code = reply.code;
    relay.why = phrase("{} grants no relay ({})", name, refusal_in_words(reply));
    const bool redirects = reply.status == TurnStatus::refused && reply.code == 300;
    if (!redirects || !fault.empty()) co_return relay;
    const auto redirect = follow_redirect(server, reply.answer->message);
    if (!redirect.followed) {
      relay.why = phrase("{} grants no relay ({})", name, redirect.evidence.text);
      co_return relay;
    }
  }
}

}  // namespace callready::checks
