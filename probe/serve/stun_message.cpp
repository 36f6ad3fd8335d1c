#include "probe/serve/stun_message.hpp"

#include <openssl/rand.h>
#include <stun/stunagent.h>

#include "probe/util/digest.hpp"

namespace callready::serve {
namespace {

using asio::ip::udp;

constexpr std::size_t stun_header_size = 20;
constexpr auto change_request = STUN_ATTRIBUTE_CHANGE_REQUEST;
constexpr auto response_port = static_cast<StunAttribute>(0x0027);    // RFC 5780 section 7.5
constexpr auto response_origin = static_cast<StunAttribute>(0x802b);  // section 7.3
constexpr auto other_address = static_cast<StunAttribute>(0x802c);    // section 7.4

// What a request may hold that must be understood; libnice wants the lists to end with 0.
constexpr std::uint16_t plain_attributes[] = {STUN_ATTRIBUTE_USERNAME,
                                              STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
                                              STUN_ATTRIBUTE_REALM,
                                              STUN_ATTRIBUTE_NONCE,
                                              STUN_ATTRIBUTE_CHANNEL_NUMBER,
                                              STUN_ATTRIBUTE_LIFETIME,
                                              STUN_ATTRIBUTE_XOR_PEER_ADDRESS,
                                              STUN_ATTRIBUTE_REQUESTED_ADDRESS_TYPE,
                                              STUN_ATTRIBUTE_EVEN_PORT,
                                              STUN_ATTRIBUTE_REQUESTED_TRANSPORT,
                                              STUN_ATTRIBUTE_DONT_FRAGMENT,
                                              STUN_ATTRIBUTE_RESERVATION_TOKEN,
                                              STUN_ATTRIBUTE_PRIORITY,
                                              STUN_ATTRIBUTE_USE_CANDIDATE,
                                              0};
constexpr std::uint16_t discovery_attributes[] = {
    STUN_ATTRIBUTE_USERNAME, STUN_ATTRIBUTE_MESSAGE_INTEGRITY, change_request, response_port, 0};

void append_address(StunMessage& message, StunAttribute type, const SocketAddress& address) {
  const auto endpoint = to_endpoint<udp>(address);
  stun_message_append_addr(&message, type, endpoint.data(),
                           static_cast<socklen_t>(endpoint.size()));
}

void append_xor_address(StunMessage& message, const SocketAddress& address) {
  const auto endpoint = to_endpoint<udp>(address);
  sockaddr_storage storage{};
  std::memcpy(&storage, endpoint.data(), endpoint.size());
  stun_message_append_xor_addr(&message, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &storage,
                               static_cast<socklen_t>(endpoint.size()));
}

std::string fresh_nonce() {
  std::array<unsigned char, 12> random{};
  RAND_bytes(random.data(), static_cast<int>(random.size()));
  return hex(random);
}

// The method's twelve bits (RFC 8489 section 5) as they came: libnice's StunMethod cannot hold all.
unsigned method_of(std::span<const std::uint8_t> bytes) {
  const unsigned type = static_cast<unsigned>(bytes[0] << 8 | bytes[1]);
  return (type & 0x3e00) >> 2 | (type & 0x00e0) >> 1 | (type & 0x000f);
}

bool needs_credentials(unsigned method) {
  return method == STUN_ALLOCATE || method == STUN_REFRESH || method == STUN_CREATEPERMISSION ||
         method == STUN_CHANNELBIND;
}

void fill_binding(StunMessage& out, const StunMessage& request, const StunArrival& arrival,
                  StunReply& reply) {
  if (stun_message_has_cookie(&request)) {
    append_xor_address(out, arrival.client);
  } else {
    append_address(out, STUN_ATTRIBUTE_MAPPED_ADDRESS, arrival.client);
  }
  if (!arrival.other) return;
  std::uint32_t value = 0;
  if (stun_message_find32(&request, change_request, &value) == STUN_MESSAGE_RETURN_SUCCESS) {
    reply.change_address = (value & 4) != 0;
    reply.change_port = (value & 2) != 0;
  }
  if (stun_message_find32(&request, response_port, &value) == STUN_MESSAGE_RETURN_SUCCESS) {
    reply.to.port = static_cast<std::uint16_t>(value >> 16);
  }
  if (!stun_message_has_cookie(&request)) return;
  SocketAddress origin = arrival.local;
  if (reply.change_address) origin.address = arrival.other->address;
  if (reply.change_port) origin.port = arrival.other->port;
  append_address(out, response_origin, origin);
  append_address(out, other_address, *arrival.other);
}

}  // namespace

StunReply answer_stun(const StunIdentity& identity, std::span<const std::uint8_t> bytes,
                      const StunArrival& arrival) {
  StunReply reply;
  reply.to = arrival.client;
  if (bytes.size() < stun_header_size ||
      stun_message_validate_buffer_length(bytes.data(), bytes.size(), true) !=
          static_cast<int>(bytes.size())) {
    return reply;
  }
  StunMessage request{};
  request.buffer = const_cast<std::uint8_t*>(bytes.data());  // only read here
  request.buffer_len = bytes.size();
  const bool modern = stun_message_has_cookie(&request);
  unsigned flags = STUN_AGENT_USAGE_IGNORE_CREDENTIALS;
  if (modern && !identity.software.empty()) flags |= STUN_AGENT_USAGE_ADD_SOFTWARE;
  StunAgent agent;
  stun_agent_init(&agent, arrival.other ? discovery_attributes : plain_attributes,
                  modern ? STUN_COMPATIBILITY_RFC5389 : STUN_COMPATIBILITY_RFC3489,
                  static_cast<StunAgentUsageFlags>(flags));
  if (!identity.software.empty()) stun_agent_set_software(&agent, identity.software.c_str());
  const auto valid =
      stun_agent_validate(&agent, &request, bytes.data(), bytes.size(), nullptr, nullptr);
  const bool unknown = valid == STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE;
  if (!unknown && valid != STUN_VALIDATION_SUCCESS) return reply;
  if (stun_message_get_class(&request) != STUN_REQUEST) return reply;
  const auto method = method_of(bytes);
  Bytes buffer(1'024);
  StunMessage out{};
  std::size_t size = 0;
  if (needs_credentials(method) && modern) {
    // Before anything else is looked at (RFC 8489 section 9.2.4, RFC 8656 section 7.2).
    stun_agent_init_error(&agent, &out, buffer.data(), buffer.size(), &request,
                          STUN_ERROR_UNAUTHORIZED);
    const auto nonce = fresh_nonce();
    stun_message_append_string(&out, STUN_ATTRIBUTE_REALM, identity.realm.c_str());
    stun_message_append_string(&out, STUN_ATTRIBUTE_NONCE, nonce.c_str());
    size = stun_agent_finish_message(&agent, &out, nullptr, 0);
  } else if (method != STUN_BINDING) {
    return reply;
  } else if (unknown) {
    size = stun_agent_build_unknown_attributes_error(&agent, &out, buffer.data(), buffer.size(),
                                                     &request);
  } else {
    stun_agent_init_response(&agent, &out, buffer.data(), buffer.size(), &request);
    fill_binding(out, request, arrival, reply);
    size = stun_agent_finish_message(&agent, &out, nullptr, 0);
  }
  buffer.resize(size);
  reply.bytes = std::move(buffer);
  return reply;
}

std::ptrdiff_t stun_frame(std::span<const std::uint8_t> bytes) {
  // The first two bits are zero (RFC 8489 section 5), lengths are multiples of 4, and over streams
  // there was never STUN without the cookie.
  static constexpr std::array<std::uint8_t, 4> cookie{0x21, 0x12, 0xa4, 0x42};
  if (!bytes.empty() && (bytes[0] & 0xc0) != 0) return -1;
  if (bytes.size() < 8) return 0;
  const int length = bytes[2] << 8 | bytes[3];
  if (length % 4 != 0 || !std::equal(cookie.begin(), cookie.end(), bytes.begin() + 4)) return -1;
  return length + static_cast<std::ptrdiff_t>(stun_header_size);
}

}  // namespace callready::serve
