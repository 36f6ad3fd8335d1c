// Mapping and filtering of a NAT, measured with two relays of one TURN server: each is a stranger
// with a port of its own that says where it hears us from, and sends when we tell it to.
#include "checks/nat_parts.hpp"
#include "checks/relay_server.hpp"
#include "probe/net/timeouts.hpp"

namespace callready::checks::nat {
namespace {

constexpr auto by_relays = "relays";

ByRelays unknown_both(const Text& reason) {
  ByRelays both;
  both.mapping = unknown(reason);
  both.filtering = unknown(reason);
  return both;
}

// What two relays, `first` and `second`, showed with two sockets of ours. Nothing: not known.
struct Meeting {
  bool new_address = false;  // the relays' address is not the STUN server's
  // The socket that sends to both: as the STUN server and each relay sees it.
  SocketAddress here;
  std::optional<SocketAddress> first, second;
  // The socket that strangers send to.
  std::optional<bool> stranger_in;               // the first's packet, before we have sent to it
  std::optional<bool> other_port_in, answer_in;  // the second's, unasked; the first's, asked
  std::optional<Failure> failure;                // the last one, for what is not known
};

Property mapping_of(const Meeting& met) {
  if (!met.first) {
    return unknown(reason_of(met.failure, phrase("packets to the relays do not arrive")));
  }
  if (met.second && *met.first != *met.second) {
    return known(DetailCode::address_and_port_dependent, by_relays,
                 phrase("the NAT shows a different address to each port of one relay server"));
  }
  if (!met.new_address) return unknown(phrase("the relays are on the STUN server's own address"));
  if (*met.first == met.here) {
    return known(DetailCode::endpoint_independent, by_relays,
                 phrase("the NAT shows the same address to a STUN server and to relays"));
  }
  if (!met.second) {
    return known(DetailCode::destination_dependent, by_relays,
                 phrase("the NAT shows a different address to a relay than to a STUN server"));
  }
  return known(DetailCode::address_dependent, by_relays,
               phrase("the NAT shows a different address to each destination address"));
}

Property filtering_of(const Meeting& met) {
  if (met.stranger_in.value_or(false)) {
    return known(DetailCode::endpoint_independent, by_relays,
                 phrase("packets from any address reach a port that has sent a packet"));
  }
  // Silence is evidence only if the relay's packets do come in once we have sent to it.
  if (!met.answer_in.value_or(false)) {
    const auto silence = phrase("packets from the relays do not arrive, even when asked for");
    return unknown(met.answer_in ? silence : reason_of(met.failure, silence));
  }
  if (!met.other_port_in) {
    return unknown(reason_of(met.failure, phrase("the second relay did not send")));
  }
  if (!*met.other_port_in) {
    return known(DetailCode::address_and_port_dependent, by_relays,
                 phrase("only the exact address and port that was sent a packet gets through"));
  }
  if (!met.stranger_in) return unknown(phrase("the relays are on the STUN server's own address"));
  return known(DetailCode::address_dependent, by_relays,
               phrase("only hosts that were sent a packet get through, from any of their ports"));
}

asio::awaitable<std::optional<bool>> comes_in(Context& context, TurnClient& relay,
                                              UdpSocket& socket, SocketAddress to,
                                              std::optional<Failure>& failure) {
  const auto came = co_await hear_from_relay(context, relay, socket, to);
  if (came.has_value()) co_return true;
  if (came.error().kind == FailureKind::timed_out) co_return false;
  failure = came.error();
  co_return std::nullopt;
}

// A stranger's packet that comes before ours may take the place of our binding in a NAT on the way,
// and ours then gets another port: strangers must not send to the socket whose mapping we measure.
asio::awaitable<ByRelays> meet(Context& context, Job job, TurnClient& first, TurnClient& second) {
  const auto server = job.remote();
  auto filtered = co_await new_sample(context, server);
  auto mapped = co_await new_sample(context, server);
  if (const auto failure = failure_of(filtered, mapped)) {
    co_return unknown_both(reason_of(failure, phrase("the STUN server stopped answering")));
  }
  Meeting met;
  met.here = mapped->mapped;
  met.new_address = first.relayed().address != server.address;
  TurnClient* relays[] = {&first, &second};
  for (auto* relay : relays) {
    const auto allowed = co_await relay->create_permission(met.here, context.scope);
    if (allowed.status != TurnStatus::granted) {
      co_return unknown_both(
          phrase("the relay server refuses this computer's own address as a peer ({})",
                 refusal_in_words(allowed)));
    }
  }
  auto& hearing = *filtered->socket;
  if (met.new_address) {
    met.stranger_in = co_await comes_in(context, first, hearing, filtered->mapped, met.failure);
  }
  const auto opened = co_await hear_at_relay(context, first, hearing);
  if (opened.has_value()) {
    met.other_port_in = co_await comes_in(context, second, hearing, *opened, met.failure);
    met.answer_in = co_await comes_in(context, first, hearing, *opened, met.failure);
  }
  if (opened.has_error()) met.failure = opened.error();
  auto& sending = *mapped->socket;
  const auto at_first = co_await hear_at_relay(context, first, sending);
  if (at_first.has_value()) {
    met.first = *at_first;
    const auto at_second = co_await hear_at_relay(context, second, sending);
    if (at_second.has_value()) met.second = *at_second;
  }
  ByRelays both;
  both.filtering = filtering_of(met);
  if (at_first.has_error()) met.failure = at_first.error();
  both.mapping = mapping_of(met);
  co_return both;
}

}  // namespace

asio::awaitable<ByRelays> measure_by_relays(Context& context, Job job) {
  const auto where = job.parameter("turn");
  const bool v6 = job.remote().address.is_v6();
  auto server = co_await find_relay_server(context, where, v6);
  if (server.has_error())
    co_return unknown_both(phrase("the relay server: {}", server.error().text));
  CleanupScope after(context.scope, timeouts::deallocate);
  const auto patience = context.scope.clock.now() + timeouts::check;
  const auto place = co_await context.relays.enter(context.executor, context.scope, patience);
  const auto beside = co_await context.pairs.enter(context.executor, context.scope, patience);
  if (!place || !beside) co_return unknown_both(phrase("too many relays are in use"));
  auto first = co_await open_relay(context, *server);
  Relay second;
  if (first.why.empty()) second = co_await open_relay(context, *server);
  ByRelays both;
  if (!first.why.empty() || !second.why.empty()) {
    both = unknown_both(first.why.empty() ? second.why : first.why);
  } else {
    both = co_await meet(context, job, *first.client, *second.client);
  }
  const auto cleanup = after.scope();
  if (first.client) co_await first.client->deallocate(cleanup);
  if (second.client) co_await second.client->deallocate(cleanup);
  co_return both;
}

}  // namespace callready::checks::nat
