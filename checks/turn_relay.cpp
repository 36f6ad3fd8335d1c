#include "checks/turn_relay.hpp"

#include <fmt/format.h>

#include <set>

namespace callready::checks {
namespace {

// What we send: recognisable in a capture, and unique.
stun::Bytes new_token() {
  const std::string_view name = "callready ";
  stun::Bytes token(name.begin(), name.end());
  const auto id = stun::new_transaction_id();
  token.insert(token.end(), id.begin(), id.end());
  return token;
}

// Only a timeout is a finding (false): a stop, a packet that this computer does not let out, or a
// broken control connection is not.
std::optional<bool> verdict(const std::optional<Failure>& failure) {
  if (!failure) return true;
  if (failure->kind == FailureKind::timed_out) return false;
  return std::nullopt;
}

Text why_not_measured(const Context& context, const Failure& failure) {
  if (context.scope.stop.stopped()) return stopped().text;
  const bool told = is_of_this_computer(failure) || failure.kind == FailureKind::timed_out;
  if (told) return failure.text;
  return phrase("the connection to the relay broke");
}

// Waits for data that is one of `awaited`, and removes it from there.
asio::awaitable<Result<void>> hear_one_of(TurnClient& client, std::set<stun::Bytes>& awaited,
                                          Scope scope, Instant deadline) {
  auto& channel = client.channel();
  for (int seen = 0; seen < most_foreign; ++seen) {
    auto message = co_await channel.next_indication(scope, deadline);
    if (message.has_error()) co_return message.error();
    if (!message->is(stun::Class::indication, stun::Method::data) || !message->data) continue;
    const stun::Bytes data(message->data->begin(), message->data->end());
    if (awaited.erase(data) > 0) co_return Result<void>();
  }
  co_return flooded();
}

}  // namespace

Text refusal_in_words(const TurnReply& reply) {
  if (reply.status == TurnStatus::no_answer) return reply.failure.text;
  if (!reply.answer || reply.code == 0) return phrase("malformed answer");
  return fmt::format("{} {}", reply.code, stun::printable(reply.answer->message.reason));
}

asio::awaitable<Result<SocketAddress>> hear_at_relay(Context& context, TurnClient& client,
                                                     UdpSocket& from) {
  from.set_remote(client.relayed());
  const auto token = new_token();
  const auto start = context.scope.clock.now();
  for (const auto wait : relay_waits) {
    const auto sent = from.send(token);
    if (sent.has_error()) co_return sent.error();
    const auto until = start + wait;
    auto heard = co_await client.hear(token, context.scope, until);
    if (heard.has_value() || heard.error().kind != FailureKind::timed_out) co_return heard;
  }
  co_return timed_out();
}

asio::awaitable<Result<void>> hear_from_relay(Context& context, TurnClient& client, UdpSocket& at,
                                              SocketAddress to, std::optional<IcmpError>* icmp) {
  const auto token = new_token();
  const UdpMatch is_token = [&](const Datagram& datagram) { return datagram.bytes == token; };
  const auto start = context.scope.clock.now();
  for (const auto wait : relay_waits) {
    const auto sent = co_await client.send(to, token, context.scope);
    if (sent.has_error()) co_return sent.error();
    const auto until = start + wait;
    const auto heard = co_await receive_matching(at, context.scope, until, is_token, icmp);
    if (heard.has_value()) co_return Result<void>();
    if (heard.error().kind != FailureKind::timed_out) co_return heard.error();
  }
  co_return timed_out();
}

asio::awaitable<RelayTrip> trip_through_relay(Context& context, TurnClient& client) {
  RelayTrip trip;
  auto peer = open_udp(context, client.relayed());
  if (peer.has_error()) {
    trip.not_measured = phrase("no route from here to the relayed address: {}", peer.error().text);
    co_return trip;
  }
  // Permissions are by address: any port of ours will do (RFC 8656 section 9).
  SocketAddress self = peer->local();
  // An IPv6 relay of a server that we reach by IPv4 sees us by IPv6.
  const bool same_family =
      client.mapped() && client.mapped()->address.is_v6() == self.address.is_v6();
  if (same_family) self.address = client.mapped()->address;
  if (self.address.is_v6() != client.relayed().address.is_v6()) {
    trip.not_measured = phrase("the relay's address family differs from this computer's");
    co_return trip;
  }
  const auto permission = co_await client.create_permission(self, context.scope);
  trip.unanswered = permission.status == TurnStatus::no_answer &&
                    permission.failure.kind == FailureKind::timed_out;
  if (trip.unanswered) {
    trip.not_measured = phrase("the server granted a relay, and answered nothing more");
    co_return trip;
  }
  if (permission.status != TurnStatus::granted) {
    trip.not_measured = phrase("the server refuses this computer's own address as a peer: {}",
                               refusal_in_words(permission));
    co_return trip;
  }
  const auto start = context.scope.clock.now();
  const auto heard = co_await hear_at_relay(context, client, *peer);
  std::optional<Failure> failure;
  if (heard.has_error()) failure = heard.error();
  trip.outbound = verdict(failure);
  if (heard.has_value()) {
    trip.outbound_took = elapsed(start, context.scope.clock.now());
    self = *heard;
  }
  // If the server did not hear us, it cannot tell us our port: without a NAT, or with one that
  // keeps ports, it is the same as here.
  const auto turned = context.scope.clock.now();
  const auto came = co_await hear_from_relay(context, client, *peer, self, &trip.icmp);
  std::optional<Failure> back;
  if (came.has_error()) back = came.error();
  trip.inbound = verdict(back);
  if (came.has_value()) trip.inbound_took = elapsed(turned, context.scope.clock.now());
  if (!trip.outbound || !trip.inbound) {
    const auto& why = trip.outbound ? back : failure;
    trip.not_measured = why_not_measured(context, *why);
  }
  co_return trip;
}

asio::awaitable<std::optional<bool>> between_relays(Context& context, TurnClient& first,
                                                    TurnClient& second, Text& why) {
  const auto first_address = first.relayed(), second_address = second.relayed();
  const auto there = co_await first.create_permission(second_address, context.scope);
  const auto back = co_await second.create_permission(first_address, context.scope);
  for (const auto* reply : {&there, &back}) {
    if (reply->status == TurnStatus::granted) continue;
    why = reply->status == TurnStatus::no_answer
              ? why_not_measured(context, reply->failure)
              : phrase("the server does not let its relays talk to each other");
    co_return std::nullopt;
  }
  TurnClient* ends[] = {&first, &second};
  for (int turn = 0; turn < 2; ++turn) {
    auto& from = *ends[turn];
    auto& to = *ends[1 - turn];
    const auto token = new_token();
    const auto start = context.scope.clock.now();
    bool arrived = false;
    for (const auto wait : relay_waits) {
      const auto target = to.relayed();
      const auto sent = co_await from.send(target, token, context.scope);
      if (sent.has_error()) {
        why = why_not_measured(context, sent.error());
        co_return std::nullopt;
      }
      const auto until = start + wait;
      const auto heard = co_await to.hear(token, context.scope, until);
      if (heard.has_error() && heard.error().kind != FailureKind::timed_out) {
        why = why_not_measured(context, heard.error());
        co_return std::nullopt;
      }
      arrived = heard.has_value();
      if (arrived) break;
    }
    if (!arrived) co_return false;
  }
  co_return true;
}

asio::awaitable<RelayLife> hold_relay(Context& context, TurnClient& client) {
  RelayLife life;
  const auto itself = client.relayed();
  const auto permission = co_await client.create_permission(itself, context.scope);
  if (permission.status != TurnStatus::granted) {
    life.not_measured =
        phrase("the server does not let a relay send to itself: {}", refusal_in_words(permission));
    co_return life;
  }
  const auto start = context.scope.clock.now();
  const auto end = start + timeouts::relay_hold;
  auto last = start, sent_at = start;
  // Late packets have come, too: any of these counts.
  std::set<stun::Bytes> awaited;
  stun::Bytes token;
  for (auto now = start; now < end; now = context.scope.clock.now()) {
    token = new_token();
    sent_at = now;
    const auto sent = co_await client.send(itself, token, context.scope);
    std::optional<Failure> failure;
    if (sent.has_error()) failure = sent.error();
    if (!failure) {
      ++life.sent;
      awaited.insert(token);
      const auto until = now + timeouts::relay_quiet / 3;
      const auto heard = co_await hear_one_of(client, awaited, context.scope, until);
      if (heard.has_error()) failure = heard.error();
    }
    if (context.scope.stop.stopped()) {
      life.not_measured = stopped().text;
      co_return life;
    }
    if (failure && is_of_this_computer(*failure)) {
      life.not_measured = failure->text;
      co_return life;
    }
    const bool broke = failure && failure->kind != FailureKind::timed_out;
    if (!failure) {
      ++life.heard;
      last = context.scope.clock.now();
    }
    life.died = broke || context.scope.clock.now() - last >= timeouts::relay_quiet;
    if (!life.died) {
      const bool going_on =
          co_await sleep_until(context.executor, context.scope, now + timeouts::relay_beat);
      if (going_on) continue;
      life.not_measured = stopped().text;
      co_return life;
    }
    if (life.heard == 0) {
      life.died = false;
      life.not_measured = phrase("the server does not pass on what a relay sends to itself");
      if (broke) life.not_measured = phrase("the connection to the relay broke");
      co_return life;
    }
    life.server_answers = false;
    if (!broke) {
      const auto reply = co_await client.create_permission(itself, context.scope);
      life.server_answers = reply.status != TurnStatus::no_answer;
    }
    break;
  }
  while (!life.died && awaited.contains(token)) {
    const auto until = sent_at + timeouts::relay_trip;
    const auto heard = co_await hear_one_of(client, awaited, context.scope, until);
    if (heard.has_error()) break;
    ++life.heard;
    last = context.scope.clock.now();
  }
  life.alive = elapsed(start, last);
  co_return life;
}

}  // namespace callready::checks
