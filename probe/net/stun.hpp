// STUN and TURN messages (RFC 8489, RFC 8656, RFC 5780): bytes in, bytes out. No sockets and no
// state; retransmissions and waiting are elsewhere. Its tests compare it with libnice.
//
//   const auto id = stun::new_transaction_id();
//   const auto request = stun::Builder(stun::Class::request, stun::Method::binding, id).finish();
//   const auto parsed = stun::parse(datagram);
//   if (!parsed.has_error() && parsed->answers(stun::Method::binding, id)) ... parsed->mapped()
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probe/model/observation.hpp"
#include "probe/net/asio.hpp"

namespace callready::stun {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint32_t magic_cookie = 0x2112A442;
inline constexpr std::array<std::uint8_t, 4> cookie_bytes = {0x21, 0x12, 0xA4, 0x42};
inline constexpr std::size_t header_size = 20;
// The largest message that we accept. The protocol allows 64 KiB; no answer to us needs a tenth of
// it.
inline constexpr std::size_t max_message = 8'192;

// Attributes begin at multiples of four (RFC 8489 section 14), and so does what follows ChannelData
// in a stream (RFC 8656 section 12.5).
inline std::size_t padded(std::size_t size) { return (size + 3) / 4 * 4; }

enum class Class : std::uint8_t { request, indication, success, error };

enum class Method : std::uint16_t {
  binding = 0x001,
  allocate = 0x003,
  refresh = 0x004,
  send = 0x006,
  data = 0x007,
  create_permission = 0x008,
  channel_bind = 0x009,
};

enum class Attribute : std::uint16_t {
  mapped_address = 0x0001,
  change_request = 0x0003,
  username = 0x0006,
  message_integrity = 0x0008,
  error_code = 0x0009,
  unknown_attributes = 0x000A,
  channel_number = 0x000C,
  lifetime = 0x000D,
  xor_peer_address = 0x0012,
  data = 0x0013,
  realm = 0x0014,
  nonce = 0x0015,
  xor_relayed_address = 0x0016,
  requested_address_family = 0x0017,
  even_port = 0x0018,
  requested_transport = 0x0019,
  dont_fragment = 0x001A,
  xor_mapped_address = 0x0020,
  reservation_token = 0x0022,
  priority = 0x0024,
  use_candidate = 0x0025,
  padding = 0x0026,
  response_port = 0x0027,
  alternate_domain = 0x8003,
  software = 0x8022,
  alternate_server = 0x8023,
  fingerprint = 0x8028,
  response_origin = 0x802B,
  other_address = 0x802C,
};

using TransactionId = std::array<std::uint8_t, 12>;
TransactionId new_transaction_id();  // from OpenSSL's random numbers

// Why bytes are not a STUN message.
enum class Fault {
  not_stun,           // the first bits, or the length, are not a STUN header's
  wrong_cookie,       // it could be RFC 3489; the magic cookie is missing
  truncated,          // fewer bytes than the header says
  trailing_bytes,     // more bytes than the header says
  attribute_overrun,  // an attribute's length goes past the end
  oversized,          // more than max_message
};
DetailCode detail_of(Fault fault);
std::string_view to_string(Fault fault);  // "wrong_cookie"

// A message as it came. Texts are the peer's bytes: use printable() before anybody reads them.
struct Message {
  Class message_class = Class::request;
  std::uint16_t method = 0;
  TransactionId id{};

  int error_code = 0;  // 300 to 699; 0: no (readable) ERROR-CODE
  std::string reason;
  std::optional<SocketAddress> mapped_address, xor_mapped_address, xor_relayed_address,
      xor_peer_address, other_address, response_origin, alternate_server;
  std::optional<std::string> software, realm, nonce, username, alternate_domain;
  std::optional<std::uint32_t> lifetime;  // seconds
  std::optional<std::uint32_t> change_request;
  std::optional<std::uint16_t> response_port;
  std::optional<Bytes> data;
  std::vector<std::uint16_t> unknown_attributes;  // which of ours the peer did not know (420)
  bool has_integrity = false;
  // The first attribute that a reader must understand (below 0x8000) and nobody has defined: a
  // success response with it is discarded (RFC 8489 section 6.3.3).
  std::optional<std::uint16_t> not_understood;

  // Our own address as the peer saw it: XOR-MAPPED-ADDRESS before MAPPED-ADDRESS.
  std::optional<SocketAddress> mapped() const;
  // True for a success or error response to that request.
  bool answers(Method request, const TransactionId& request_id) const;
  bool is(Class wanted, Method wanted_method) const;
};

boost::system::result<Message, Fault> parse(std::span<const std::uint8_t> bytes);
[[noreturn]] void throw_exception_from_error(Fault fault, const boost::source_location& where);

// An attribute as it came.
struct RawAttribute {
  std::uint16_t type = 0;
  std::span<const std::uint8_t> value;  // of the message's bytes
};
// The attributes of a message that parse() accepted, in its order. MESSAGE-INTEGRITY or FINGERPRINT
// is the last: what comes after it is not to be read (RFC 8489 sections 14.5 and 14.7).
std::vector<RawAttribute> attributes_of(std::span<const std::uint8_t> message);

// True where MESSAGE-INTEGRITY (RFC 8489 section 14.5) is there and was made with `key`. `bytes`
// is a message that parse() accepted.
bool integrity_matches(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> key);

// MD5(username:realm:password), RFC 8489 section 9.2.2. The password is taken as it is:
// OpaqueString preparation leaves ASCII alone.
Bytes long_term_key(std::string_view username, std::string_view realm, std::string_view password);

struct Credential {
  std::string username, password;
};
// "<expiry>:<user>" and base64(HMAC-SHA1(secret, username)), as coturn's --use-auth-secret and most
// providers do it (draft-uberti-behave-turn-rest-00 section 2.2). Valid until `expiry`.
Credential time_limited_credential(std::string_view secret, std::string_view user, WallTime expiry);

// Composes one message, attributes in the order of the calls.
class Builder {
 public:
  Builder(Class message_class, Method method, const TransactionId& id);

  Builder& add_u32(Attribute attribute, std::uint32_t value);
  Builder& add_bytes(Attribute attribute, std::span<const std::uint8_t> value);
  Builder& add_text(Attribute attribute, std::string_view value);
  Builder& add_address(Attribute attribute, const SocketAddress& value);
  Builder& add_xor_address(Attribute attribute, const SocketAddress& value);
  Builder& add_error(int code, std::string_view reason);

  // The message; empty where it would be larger than max_message. With a key it ends in
  // MESSAGE-INTEGRITY. Call it once: whoever waits for the answer then holds only its bytes.
  Bytes finish(std::span<const std::uint8_t> key = {});

 private:
  Bytes bytes_;
  bool fits_ = true;
};

// SOFTWARE (RFC 8489 section 6.1), filled up so that the request is no smaller than its answer: a
// server that never sends more than it got, such as ours, answers too.
void add_software(Builder& builder, std::string_view text);
// CHANGE-REQUEST (RFC 5780 section 7.2): answer from the other address, port, or both.
void add_change_request(Builder& builder, bool change_ip, bool change_port);
// RESPONSE-PORT (RFC 5780 section 7.5): answer to that port of ours.
void add_response_port(Builder& builder, std::uint16_t port);

// Appends FINGERPRINT (RFC 8489 section 14.7), which ICE requires.
void add_fingerprint(Bytes& message);

// For people and JSON: the peer's text as printable ASCII, other bytes as '?', cut at `limit`.
std::string printable(std::string_view text, std::size_t limit = 128);
// A word for what came instead of STUN: "HTTP/1.1 400 Bad Request", "a TLS alert", "16 bytes: ...".
std::string describe_non_stun(std::span<const std::uint8_t> bytes);

}  // namespace callready::stun
