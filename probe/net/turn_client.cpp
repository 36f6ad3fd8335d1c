#include "probe/net/turn_client.hpp"

#include <algorithm>

#include "probe/util/text.hpp"

namespace callready {
namespace {

// Of one request: a challenge, a stale nonce from another client's challenge, one that expired
// since.
constexpr int most_rounds = 4;

// RFC 8656 section 7.2; a server from before IPv6 relays does not know the attribute.
bool has_no_ipv6_relays(const TurnReply& reply) {
  if (reply.status != TurnStatus::refused) return false;
  constexpr auto family = static_cast<std::uint16_t>(stun::Attribute::requested_address_family);
  const auto& unknown = reply.answer->message.unknown_attributes;
  return reply.code == 440 || contains(unknown, family);
}

// The server did it, whatever is wrong with its signature.
bool is_granted(const TurnReply& reply) {
  return reply.status == TurnStatus::granted || reply.status == TurnStatus::wrong_integrity;
}

}  // namespace

TurnClient::TurnClient(std::unique_ptr<StunChannel> channel, stun::Credential credential, bool v6)
    : channel_(std::move(channel)), credential_(std::move(credential)), v6_(v6) {}

void TurnClient::begin_with(Challenge challenge) {
  key_ = stun::long_term_key(credential_.username, challenge.realm, credential_.password);
  challenge_ = std::move(challenge);
  challenge_is_own_ = false;
}

asio::awaitable<TurnReply> TurnClient::ask(stun::Method method, const Fill& fill, Scope scope,
                                           int rounds) {
  TurnReply reply;
  for (int round = 0; round < rounds; ++round) {
    const auto id = stun::new_transaction_id();
    stun::Builder builder(stun::Class::request, method, id);
    fill(builder);
    if (!key_.empty()) {
      builder.add_text(stun::Attribute::username, credential_.username)
          .add_text(stun::Attribute::realm, challenge_->realm)
          .add_text(stun::Attribute::nonce, challenge_->nonce);
    }
    const auto request = builder.finish(key_);
    if (request.empty()) {
      reply.status = TurnStatus::no_answer;
      reply.failure = Failure{FailureKind::oversized, "realm and nonce are too large", 0, {}};
      co_return reply;
    }
    auto exchange = co_await channel_->request(request, scope);
    reply.attempts = exchange.attempts;
    if (exchange.answer.has_error()) {
      reply.status = TurnStatus::no_answer;
      reply.failure = exchange.answer.error();
      co_return reply;
    }
    reply.answer = std::move(*exchange.answer);
    const auto& message = reply.answer->message;
    reply.code = message.error_code;
    if (message.message_class == stun::Class::success) {
      const bool sound = key_.empty() || stun::integrity_matches(reply.answer->bytes, key_);
      reply.status = sound ? TurnStatus::granted : TurnStatus::wrong_integrity;
      co_return reply;
    }
    const bool wants_credentials = message.error_code == 401;
    const bool stale = message.error_code == 438 && !key_.empty();
    reply.status = TurnStatus::refused;
    if (!wants_credentials && !stale) co_return reply;
    if (wants_credentials && !has_credential()) {
      reply.status = TurnStatus::challenged;
      co_return reply;
    }
    // A 401 in spite of the right realm and nonce is about the credentials (RFC 8489 section
    // 9.2.5).
    if (wants_credentials && challenge_is_own_) co_return reply;
    if (!message.nonce || (wants_credentials && !message.realm)) {
      reply.status = TurnStatus::bad_challenge;
      co_return reply;
    }
    Challenge next;
    next.nonce = *message.nonce;
    next.realm = message.realm ? *message.realm : challenge_->realm;
    key_ = stun::long_term_key(credential_.username, next.realm, credential_.password);
    challenge_ = std::move(next);
    challenge_is_own_ = true;
    reply.status = wants_credentials ? TurnStatus::challenged : TurnStatus::stale_nonce;
  }
  co_return reply;
}

asio::awaitable<TurnReply> TurnClient::allocate(Scope scope) {
  const int rounds = challenge_is_own_ ? most_rounds - 1 : most_rounds;
  auto reply = co_await ask_to_allocate(scope, rounds);
  co_return reply;
}

asio::awaitable<TurnReply> TurnClient::ask_for_challenge(Scope scope) {
  auto reply = co_await ask_to_allocate(scope, 1);
  co_return reply;
}

asio::awaitable<TurnReply> TurnClient::ask_to_allocate(Scope scope, int rounds) {
  const Fill fill = [this](stun::Builder& builder) {
    builder.add_u32(stun::Attribute::requested_transport, 17u << 24);  // UDP
    if (v6_) builder.add_u32(stun::Attribute::requested_address_family, 2u << 24);
  };
  auto reply = co_await ask(stun::Method::allocate, fill, scope, rounds);
  if (v6_ && has_no_ipv6_relays(reply)) {
    v6_ = false;  // an IPv4 relay is better than none
    reply = co_await ask(stun::Method::allocate, fill, scope, rounds);
  }
  if (reply.status == TurnStatus::no_answer) {
    // The request may have arrived all the same. Where we only just asked without credentials and
    // the server is silent, it is far more likely that nothing did.
    allocated_ = authenticated() || reply.failure.kind == FailureKind::stopped;
    allocated_ = allocated_ && reply.attempts > 0;
  }
  allocated_ |= is_granted(reply);
  if (reply.status != TurnStatus::granted) co_return reply;
  const auto& message = reply.answer->message;
  mapped_ = message.mapped();
  lifetime_ = message.lifetime.value_or(0);
  if (message.xor_relayed_address &&
      may_be_sent_to(*message.xor_relayed_address, channel_->remote())) {
    relayed_ = *message.xor_relayed_address;
  } else {
    reply.status = TurnStatus::no_relay;
  }
  co_return reply;
}

asio::awaitable<TurnReply> TurnClient::create_permission(SocketAddress peer, Scope scope) {
  const Fill fill = [&](stun::Builder& builder) {
    builder.add_xor_address(stun::Attribute::xor_peer_address, peer);
  };
  auto reply = co_await ask(stun::Method::create_permission, fill, scope, most_rounds);
  co_return reply;
}

asio::awaitable<Result<void>> TurnClient::send(SocketAddress peer,
                                               std::span<const std::uint8_t> data, Scope scope) {
  const auto id = stun::new_transaction_id();
  stun::Builder builder(stun::Class::indication, stun::Method::send, id);
  builder.add_xor_address(stun::Attribute::xor_peer_address, peer)
      .add_bytes(stun::Attribute::data, data);
  const auto bytes = builder.finish();
  auto sent = co_await channel_->send(bytes, scope);
  co_return sent;
}

asio::awaitable<Result<SocketAddress>> TurnClient::hear(std::span<const std::uint8_t> data,
                                                        Scope scope, Instant deadline) {
  for (int seen = 0; seen < most_foreign; ++seen) {
    auto message = co_await channel_->next_indication(scope, deadline);
    if (message.has_error()) co_return message.error();
    if (!message->is(stun::Class::indication, stun::Method::data)) continue;
    const bool ours = message->data && std::equal(message->data->begin(), message->data->end(),
                                                  data.begin(), data.end());
    if (ours && message->xor_peer_address) co_return *message->xor_peer_address;
  }
  co_return flooded();
}

asio::awaitable<TurnReply> TurnClient::bind_channel(std::uint16_t channel, SocketAddress peer,
                                                    Scope scope) {
  channel_->expect_channel_data();
  const Fill fill = [&](stun::Builder& builder) {
    builder.add_u32(stun::Attribute::channel_number, std::uint32_t{channel} << 16)
        .add_xor_address(stun::Attribute::xor_peer_address, peer);
  };
  auto reply = co_await ask(stun::Method::channel_bind, fill, scope, most_rounds);
  co_return reply;
}

asio::awaitable<Result<void>> TurnClient::send_data(std::uint16_t channel,
                                                    std::span<const std::uint8_t> data,
                                                    Scope scope) {
  const auto frame = stun::channel_data_frame(channel, data);
  auto sent = co_await channel_->send(frame, scope);
  co_return sent;
}

asio::awaitable<Result<ChannelData>> TurnClient::next_data(Scope scope, Instant deadline) {
  auto data = co_await channel_->next_data(scope, deadline);
  co_return data;
}

asio::awaitable<bool> TurnClient::deallocate(Scope scope) {
  if (!allocated_) co_return true;
  allocated_ = false;
  const Fill fill = [](stun::Builder& builder) { builder.add_u32(stun::Attribute::lifetime, 0); };
  const auto reply = co_await ask(stun::Method::refresh, fill, scope, most_rounds);
  // 437: there is no allocation (any more).
  co_return is_granted(reply) || reply.code == 437;
}

}  // namespace callready
