#include "probe/serve/stun_message.hpp"

#include <algorithm>

#include "probe/net/far_end.hpp"
#include "probe/net/stun.hpp"
#include "probe/util/digest.hpp"

namespace callready::serve {
namespace {

using stun::Attribute;
using stun::Method;

// The comprehension-required attributes that a request may hold (RFC 8489 section 14); those of
// TURN and ICE change nothing in our answers.
constexpr Attribute plain_attributes[] = {Attribute::username,
                                          Attribute::message_integrity,
                                          Attribute::realm,
                                          Attribute::nonce,
                                          Attribute::channel_number,
                                          Attribute::lifetime,
                                          Attribute::xor_peer_address,
                                          Attribute::requested_address_family,
                                          Attribute::even_port,
                                          Attribute::requested_transport,
                                          Attribute::dont_fragment,
                                          Attribute::reservation_token,
                                          Attribute::priority,
                                          Attribute::use_candidate};
constexpr Attribute discovery_attributes[] = {Attribute::username, Attribute::message_integrity,
                                              Attribute::change_request, Attribute::response_port};

Bytes not_understood(std::span<const std::uint8_t> request, std::span<const Attribute> known) {
  Bytes types;
  for (const auto& one : stun::attributes_of(request)) {
    const bool optional = one.type >= 0x8000;
    if (optional || std::ranges::count(known, static_cast<Attribute>(one.type)) > 0) continue;
    types.push_back(static_cast<std::uint8_t>(one.type >> 8));
    types.push_back(static_cast<std::uint8_t>(one.type));
  }
  return types;
}

bool needs_credentials(const stun::Message& request) {
  constexpr Method of_turn[] = {Method::allocate, Method::refresh, Method::create_permission,
                                Method::channel_bind};
  return std::ranges::count(of_turn, static_cast<Method>(request.method)) > 0;
}

// RFC 5780 section 6.1.
void obey(const stun::Message& request, StunReply& reply) {
  reply.change_address = (request.change_request.value_or(0) & 4) != 0;
  reply.change_port = (request.change_request.value_or(0) & 2) != 0;
  reply.to.port = request.response_port.value_or(reply.to.port);
}

}  // namespace

StunReply answer_stun(const StunIdentity& identity, std::span<const std::uint8_t> bytes,
                      const StunArrival& arrival) {
  StunReply reply;
  reply.to = arrival.client;
  if (bytes.size() < stun::header_size) return reply;
  // Where the cookie is now, RFC 3489 had the first four bytes of its transaction id.
  Bytes modern(bytes.begin(), bytes.end());
  std::ranges::copy(stun::cookie_bytes, modern.begin() + 4);
  const bool has_cookie = std::ranges::equal(modern, bytes);
  const auto request = stun::parse(modern);
  if (request.has_error() || request->message_class != stun::Class::request) return reply;
  const bool is_binding = request->method == static_cast<std::uint16_t>(Method::binding);
  const bool is_turn = has_cookie && needs_credentials(*request);
  if (!is_binding && !is_turn) return reply;

  const auto begin = [&](stun::Class kind) {
    stun::Builder out(kind, static_cast<Method>(request->method), request->id);
    if (has_cookie && !identity.software.empty()) {
      out.add_text(Attribute::software, identity.software);
    }
    return out;
  };
  const auto unknown = not_understood(
      modern, arrival.other ? std::span<const Attribute>(discovery_attributes) : plain_attributes);
  if (identity.busy) {
    reply.bytes = begin(stun::Class::error).add_error(500, far_end::busy).finish();
  } else if (is_turn) {
    // Before anything else is looked at (RFC 8489 section 9.2.4, RFC 8656 section 7.2).
    reply.bytes = begin(stun::Class::error)
                      .add_error(401, "Unauthorized")
                      .add_text(Attribute::realm, identity.realm)
                      .add_text(Attribute::nonce, hex(random_bytes<12>()))
                      .finish();
  } else if (!unknown.empty()) {
    reply.bytes = begin(stun::Class::error)
                      .add_error(420, "Unknown Attribute")
                      .add_bytes(Attribute::unknown_attributes, unknown)
                      .finish();
  } else {
    auto out = begin(stun::Class::success);
    if (has_cookie) {
      out.add_xor_address(Attribute::xor_mapped_address, arrival.client);
    } else {
      out.add_address(Attribute::mapped_address, arrival.client);
    }
    if (arrival.other) obey(*request, reply);
    if (arrival.other && has_cookie) {
      const SocketAddress origin{
          reply.change_address ? arrival.other->address : arrival.local.address,
          reply.change_port ? arrival.other->port : arrival.local.port};
      out.add_address(Attribute::response_origin, origin)
          .add_address(Attribute::other_address, *arrival.other);
    }
    reply.bytes = out.finish();
  }
  std::ranges::copy(bytes.subspan(4, 4), reply.bytes.begin() + 4);
  return reply;
}

std::ptrdiff_t stun_frame(std::span<const std::uint8_t> bytes) {
  // The first two bits are zero (RFC 8489 section 5), lengths are multiples of 4, and over streams
  // there was never STUN without the cookie.
  if (!bytes.empty() && (bytes[0] & 0xc0) != 0) return -1;
  if (bytes.size() < 8) return 0;
  const int length = bytes[2] << 8 | bytes[3];
  if (length % 4 != 0 ||
      !std::equal(stun::cookie_bytes.begin(), stun::cookie_bytes.end(), bytes.begin() + 4))
    return -1;
  return length + static_cast<std::ptrdiff_t>(stun::header_size);
}

}  // namespace callready::serve
