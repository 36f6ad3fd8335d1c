#include "tests/support/fake_turn.hpp"

#include <algorithm>

namespace callready::test {

using stun::Attribute;
using stun::Class;
using stun::Method;

FakeTurn::FakeTurn(asio::io_context& context, FakeTurnOptions options)
    : context_(context),
      options_(std::move(options)),
      control_(context,
               [this](ScriptedUdp&, const Bytes& bytes, const SocketAddress& from) {
                 on_request(bytes, from);
               },
               {options_.address, 0}) {}

bool FakeTurn::is_relay(const SocketAddress& address) const {
  return std::any_of(relays_.begin(), relays_.end(),
                     [&](const auto& entry) { return entry.second->address() == address; });
}

void FakeTurn::refuse(const stun::Message& request, const SocketAddress& to, int code,
                      bool challenge) {
  stun::Builder builder(Class::error, static_cast<Method>(request.method), request.id);
  builder.add_error(code, "as told");
  if (challenge) {
    builder.add_text(Attribute::realm, options_.realm);
    if (!options_.leave_out_nonce) {
      builder.add_text(Attribute::nonce, "nonce" + std::to_string(nonce_));
    }
  }
  if (code == 300) builder.add_address(Attribute::alternate_server, *redirect_to);
  if (code == 420) {
    builder.add_u32(Attribute::unknown_attributes, 0x0017'0017);  // REQUESTED-ADDRESS-FAMILY
  }
  control_.send(builder.finish(), to);
}

void FakeTurn::on_request(const Bytes& bytes, const SocketAddress& from) {
  const auto parsed = stun::parse(bytes);
  if (parsed.has_error()) return;
  if (parsed->is(Class::indication, Method::send)) return on_send(*parsed, from);
  const int method = parsed->method;
  requests_.push_back(parsed->has_integrity ? -method : method);
  if (before && !before(*parsed)) return;
  if (options_.ask_for_credentials) {
    if (!parsed->has_integrity) return refuse(*parsed, from, 401, true);
    const auto key = stun::long_term_key(options_.user, options_.realm, options_.password);
    if (!stun::integrity_matches(bytes, key)) return refuse(*parsed, from, 401, true);
    if (options_.stale_nonces > 0) {
      --options_.stale_nonces;
      ++nonce_;
      return refuse(*parsed, from, 438, true);
    }
    if (parsed->nonce != "nonce" + std::to_string(nonce_)) return refuse(*parsed, from, 438, true);
  }
  if (method == static_cast<int>(Method::allocate) && options_.allocate_error != 0 &&
      options_.refused_allocates != 0) {
    --options_.refused_allocates;
    return refuse(*parsed, from, options_.allocate_error, false);
  }
  if (method == static_cast<int>(Method::allocate) && redirect_to && granted_ > 0) {
    return refuse(*parsed, from, 300, false);
  }
  const bool full = options_.most != 0 && allocations() >= options_.most;
  if (method == static_cast<int>(Method::allocate) && full && !relays_.contains(from)) {
    return refuse(*parsed, from, 486, false);
  }
  if (method == static_cast<int>(Method::create_permission) && options_.permission_error != 0) {
    return refuse(*parsed, from, options_.permission_error, false);
  }
  if (method == static_cast<int>(Method::refresh)) {
    if (options_.mute_refresh) return;
    const auto found = relays_.find(from);
    if (found == relays_.end()) return refuse(*parsed, from, 437, false);
    if (parsed->lifetime == 0u) {
      retired_.push_back(std::move(found->second));
      relays_.erase(found);
    }
  }
  grant(*parsed, from);
}

void FakeTurn::grant(const stun::Message& request, const SocketAddress& to) {
  stun::Builder builder(Class::success, static_cast<Method>(request.method), request.id);
  if (request.method == static_cast<int>(Method::allocate)) {
    auto& relay = relays_[to];
    if (!relay) {
      ++granted_;
      if (options_.deaf_every != 0 && granted_ % options_.deaf_every == 0) deaf_.insert(to);
      most_at_a_time_ = std::max(most_at_a_time_, allocations());
      numbers_[to] = granted_;
      relay = std::make_unique<ScriptedUdp>(
          context_,
          [this, to](ScriptedUdp&, const Bytes& data, const SocketAddress& peer) {
            on_peer(to, data, peer);
          },
          SocketAddress{options_.relay_address, 0});
    }
    if (options_.lose_allocate_answer) return;
    if (!options_.leave_out_relayed) {
      builder.add_xor_address(Attribute::xor_relayed_address,
                              options_.named_relay.value_or(relay->address()));
    }
    builder.add_xor_address(Attribute::xor_mapped_address, to).add_u32(Attribute::lifetime, 600);
  }
  const auto password = options_.wrong_integrity ? "another" : options_.password;
  const auto key = stun::long_term_key(options_.user, options_.realm, password);
  control_.send(options_.ask_for_credentials ? builder.finish(key) : builder.finish(), to);
}

void FakeTurn::on_send(const stun::Message& message, const SocketAddress& from) {
  const auto found = relays_.find(from);
  if (found == relays_.end() || !message.data || !message.xor_peer_address) return;
  if (options_.loses > 0) {
    --options_.loses;
    return;
  }
  if (options_.carries == 0) return;
  if (options_.carries > 0) --options_.carries;
  const auto& peer = *message.xor_peer_address;
  if (is_relay(peer) ? options_.between_relays : options_.inbound) {
    std::optional<SocketAddress> to = peer;
    if (options_.inside && !is_relay(peer)) to = options_.inside(peer, numbers_[from]);
    if (to) found->second->send(*message.data, *to);
  }
}

void FakeTurn::on_peer(const SocketAddress& client, const Bytes& data, const SocketAddress& peer) {
  const bool heard = options_.outbound && !deaf_.contains(client);
  if (!(is_relay(peer) ? options_.between_relays : heard)) return;
  stun::Builder builder(Class::indication, Method::data, stun::new_transaction_id());
  const auto seen =
      options_.outside && !is_relay(peer) ? options_.outside(peer, numbers_[client]) : peer;
  builder.add_xor_address(Attribute::xor_peer_address, seen).add_bytes(Attribute::data, data);
  const auto deliver = [this, client, bytes = builder.finish()] { control_.send(bytes, client); };
  options_.later ? options_.later(deliver) : deliver();
}

}  // namespace callready::test
