#include "probe/net/stun.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stun/stunagent.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cstring>
#include <stdexcept>

#include "probe/util/text.hpp"

namespace callready::stun {
namespace {

std::uint16_t u16(const std::uint8_t* bytes) {
  return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

std::uint32_t u32(const std::uint8_t* bytes) {
  return static_cast<std::uint32_t>(u16(bytes)) << 16 | u16(bytes + 2);
}

StunAttribute native(Attribute attribute) { return static_cast<StunAttribute>(attribute); }

sockaddr_storage to_native(const SocketAddress& address) {
  sockaddr_storage storage{};
  const auto& bytes = address.address.bytes();
  if (address.address.is_v6()) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::memcpy(&v6.sin6_addr, bytes.data(), 16);
    std::memcpy(&storage, &v6, sizeof v6);
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, bytes.data(), 4);
    std::memcpy(&storage, &v4, sizeof v4);
  }
  return storage;
}

std::optional<SocketAddress> from_native(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, 16);
    return SocketAddress{IpAddress::v6(bytes), ntohs(v6.sin6_port)};
  }
  if (storage.ss_family != AF_INET) return std::nullopt;
  sockaddr_in v4{};
  std::memcpy(&v4, &storage, sizeof v4);
  std::array<std::uint8_t, 4> bytes{};
  std::memcpy(bytes.data(), &v4.sin_addr, 4);
  return SocketAddress{IpAddress::v4(bytes), ntohs(v4.sin_port)};
}

// Reads one message that libnice has found sound.
class Reader {
 public:
  Reader(std::span<const std::uint8_t> bytes, Message& out) : out_(out) {
    stun_agent_init(&agent_, no_attributes, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_IGNORE_CREDENTIALS);
    message_.agent = &agent_;
    // libnice takes one type for reading and writing; it only reads here.
    message_.buffer = const_cast<std::uint8_t*>(bytes.data());
    message_.buffer_len = bytes.size();
  }

  std::optional<SocketAddress> address(Attribute attribute, bool is_xor) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    const auto found =
        is_xor ? stun_message_find_xor_addr(&message_, native(attribute), &storage, &length)
               : stun_message_find_addr(&message_, native(attribute), &storage, &length);
    if (found == STUN_MESSAGE_RETURN_NOT_FOUND) return std::nullopt;
    std::optional<SocketAddress> value;
    if (found == STUN_MESSAGE_RETURN_SUCCESS) value = from_native(storage);
    if (!value) out_.unreadable.push_back(static_cast<std::uint16_t>(attribute));
    return value;
  }

  std::optional<std::span<const std::uint8_t>> bytes(Attribute attribute) {
    std::uint16_t length = 0;
    const auto* found = stun_message_find(&message_, native(attribute), &length);
    if (found == nullptr) return std::nullopt;
    return std::span(static_cast<const std::uint8_t*>(found), length);
  }

  std::optional<std::string> text(Attribute attribute) {
    const auto found = bytes(attribute);
    if (!found) return std::nullopt;
    return std::string(found->begin(), found->end());
  }

  std::optional<std::uint32_t> number(Attribute attribute) {
    const auto found = bytes(attribute);
    if (!found) return std::nullopt;
    if (found->size() == 4) return u32(found->data());
    out_.unreadable.push_back(static_cast<std::uint16_t>(attribute));
    return std::nullopt;
  }

  // RFC 8489 section 14.8: 21 bits zero, class (3 to 6), number (0 to 99), reason.
  void error() {
    const auto found = bytes(Attribute::error_code);
    if (!found) return;
    const bool sound =
        found->size() >= 4 && ((*found)[2] & 7) >= 3 && ((*found)[2] & 7) <= 6 && (*found)[3] <= 99;
    if (!sound) {
      out_.unreadable.push_back(static_cast<std::uint16_t>(Attribute::error_code));
      return;
    }
    out_.error_code = ((*found)[2] & 7) * 100 + (*found)[3];
    out_.reason.assign(found->begin() + 4, found->end());
  }

  const StunMessage* message() const { return &message_; }

 private:
  static constexpr std::uint16_t no_attributes[] = {0};
  StunAgent agent_{};
  StunMessage message_{};
  Message& out_;
};

Bytes hmac_sha1(std::span<const std::uint8_t> key, std::span<const std::uint8_t> text) {
  Bytes mac(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), text.data(), text.size(),
           mac.data(), &size) == nullptr) {
    throw std::runtime_error("OpenSSL cannot compute HMAC-SHA1");
  }
  mac.resize(size);
  return mac;
}

}  // namespace

TransactionId new_transaction_id() {
  TransactionId id;
  if (RAND_bytes(id.data(), static_cast<int>(id.size())) != 1) {
    throw std::runtime_error("OpenSSL has no random numbers");
  }
  return id;
}

DetailCode detail_of(Fault fault) {
  switch (fault) {
    case Fault::not_stun:
      return DetailCode::not_stun;
    case Fault::wrong_cookie:
      return DetailCode::wrong_cookie;
    case Fault::truncated:
      return DetailCode::truncated;
    case Fault::trailing_bytes:
      return DetailCode::trailing_bytes;
    case Fault::attribute_overrun:
      return DetailCode::attribute_overrun;
    case Fault::oversized:
      return DetailCode::oversized;
  }
  return DetailCode::malformed;
}

std::string_view to_string(Fault fault) { return callready::to_string(detail_of(fault)); }

void throw_exception_from_error(Fault fault, const boost::source_location& where) {
  throw std::logic_error("value() of a STUN fault (" + std::string(to_string(fault)) + ") at " +
                         where.to_string());
}

std::optional<SocketAddress> Message::mapped() const {
  return xor_mapped_address ? xor_mapped_address : mapped_address;
}

bool Message::answers(Method request, const TransactionId& request_id) const {
  return (message_class == Class::success || message_class == Class::error) &&
         method == static_cast<std::uint16_t>(request) && id == request_id;
}

bool Message::is(Class wanted, Method wanted_method) const {
  return message_class == wanted && method == static_cast<std::uint16_t>(wanted_method);
}

boost::system::result<Message, Fault> parse(std::span<const std::uint8_t> bytes) {
  // The top two bits of STUN are zero (RFC 8489 section 5): every text protocol and TLS differ.
  if (bytes.empty() || (bytes[0] & 0xC0) != 0) return Fault::not_stun;
  if (bytes.size() >= 8 && u32(bytes.data() + 4) != magic_cookie) return Fault::wrong_cookie;
  if (bytes.size() < header_size) return Fault::truncated;
  const std::size_t length = header_size + u16(bytes.data() + 2);
  if (length % 4 != 0) return Fault::not_stun;
  if (length > max_message) return Fault::oversized;
  if (bytes.size() < length) return Fault::truncated;
  if (bytes.size() > length) return Fault::trailing_bytes;
  if (stun_message_validate_buffer_length(bytes.data(), bytes.size(), true) !=
      static_cast<int>(length)) {
    return Fault::attribute_overrun;
  }
  Message message;
  Reader reader(bytes, message);
  switch (stun_message_get_class(reader.message())) {
    case STUN_REQUEST:
      message.message_class = Class::request;
      break;
    case STUN_INDICATION:
      message.message_class = Class::indication;
      break;
    case STUN_RESPONSE:
      message.message_class = Class::success;
      break;
    case STUN_ERROR:
      message.message_class = Class::error;
      break;
  }
  message.method = static_cast<std::uint16_t>(stun_message_get_method(reader.message()));
  std::copy_n(bytes.begin() + 8, message.id.size(), message.id.begin());
  reader.error();
  message.mapped_address = reader.address(Attribute::mapped_address, false);
  message.xor_mapped_address = reader.address(Attribute::xor_mapped_address, true);
  message.xor_relayed_address = reader.address(Attribute::xor_relayed_address, true);
  message.xor_peer_address = reader.address(Attribute::xor_peer_address, true);
  message.other_address = reader.address(Attribute::other_address, false);
  message.response_origin = reader.address(Attribute::response_origin, false);
  message.alternate_server = reader.address(Attribute::alternate_server, false);
  message.software = reader.text(Attribute::software);
  message.realm = reader.text(Attribute::realm);
  message.nonce = reader.text(Attribute::nonce);
  message.username = reader.text(Attribute::username);
  message.lifetime = reader.number(Attribute::lifetime);
  message.change_request = reader.number(Attribute::change_request);
  if (const auto port = reader.number(Attribute::response_port)) {
    message.response_port = static_cast<std::uint16_t>(*port >> 16);
  }
  if (const auto data = reader.bytes(Attribute::data)) {
    message.data = Bytes(data->begin(), data->end());
  }
  if (const auto unknown = reader.bytes(Attribute::unknown_attributes)) {
    for (std::size_t i = 0; i + 1 < unknown->size(); i += 2) {
      message.unknown_attributes.push_back(u16(unknown->data() + i));
    }
  }
  message.has_integrity = reader.bytes(Attribute::message_integrity).has_value();
  return message;
}

bool integrity_matches(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> key) {
  std::size_t at = header_size;
  while (at + 4 <= bytes.size()) {
    const auto type = u16(bytes.data() + at);
    const std::size_t length = u16(bytes.data() + at + 2);
    if (type == static_cast<std::uint16_t>(Attribute::message_integrity)) {
      if (length != 20 || at + 24 > bytes.size()) return false;
      // Hashed as if this attribute were the last one: the header's length says so.
      Bytes text(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
      const std::size_t counted = at + 24 - header_size;
      text[2] = static_cast<std::uint8_t>(counted >> 8);
      text[3] = static_cast<std::uint8_t>(counted);
      const auto mac = hmac_sha1(key, text);
      return CRYPTO_memcmp(mac.data(), bytes.data() + at + 4, 20) == 0;
    }
    at += 4 + (length + 3) / 4 * 4;
  }
  return false;
}

Bytes long_term_key(std::string_view username, std::string_view realm, std::string_view password) {
  std::string text(username);
  text.append(":").append(realm).append(":").append(password);
  Bytes key(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), key.data(), &size, EVP_md5(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot compute MD5 (FIPS mode?)");
  }
  key.resize(size);
  return key;
}

Credential time_limited_credential(std::string_view secret, std::string_view user,
                                   WallTime expiry) {
  Credential credential;
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(expiry.time_since_epoch()).count();
  credential.username = std::to_string(seconds) + ":" + std::string(user);
  const auto mac = hmac_sha1(bytes_of(secret), bytes_of(credential.username));
  std::string text(4 * ((mac.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), mac.data(),
                                     static_cast<int>(mac.size()));
  text.resize(static_cast<std::size_t>(length));
  credential.password = std::move(text);
  return credential;
}

struct Builder::Impl {
  StunAgent agent{};
  StunMessage message{};
  Bytes buffer = Bytes(max_message);
  bool fits = true;

  void note(StunMessageReturn result) { fits = fits && result == STUN_MESSAGE_RETURN_SUCCESS; }
};

void Builder::Destroy::operator()(Impl* impl) const { delete impl; }

Builder::Builder(Class message_class, Method method, const TransactionId& id) : impl_(new Impl) {
  static constexpr std::uint16_t no_attributes[] = {0};
  // "Short term" makes finish() take the key as it is; the long-term key is made in
  // long_term_key(), because libnice's own crashes on an empty REALM, which any server can send.
  stun_agent_init(&impl_->agent, no_attributes, STUN_COMPATIBILITY_RFC5389,
                  STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS);
  impl_->message.agent = &impl_->agent;
  impl_->message.buffer = impl_->buffer.data();
  impl_->message.buffer_len = impl_->buffer.size();
  StunTransactionId native_id;
  for (int i = 0; i < 4; ++i) {
    native_id[i] = static_cast<std::uint8_t>(magic_cookie >> (24 - 8 * i));
  }
  std::copy(id.begin(), id.end(), native_id + 4);
  constexpr StunClass classes[] = {STUN_REQUEST, STUN_INDICATION, STUN_RESPONSE, STUN_ERROR};
  impl_->fits = stun_message_init(&impl_->message, classes[static_cast<int>(message_class)],
                                  static_cast<StunMethod>(method), native_id);
}

Builder& Builder::add_u32(Attribute attribute, std::uint32_t value) {
  impl_->note(stun_message_append32(&impl_->message, native(attribute), value));
  return *this;
}

Builder& Builder::add_bytes(Attribute attribute, std::span<const std::uint8_t> value) {
  impl_->note(
      stun_message_append_bytes(&impl_->message, native(attribute), value.data(), value.size()));
  return *this;
}

Builder& Builder::add_text(Attribute attribute, std::string_view value) {
  return add_bytes(attribute, bytes_of(value));
}

Builder& Builder::add_address(Attribute attribute, const SocketAddress& value) {
  const auto storage = to_native(value);
  impl_->note(stun_message_append_addr(&impl_->message, native(attribute),
                                       reinterpret_cast<const sockaddr*>(&storage),
                                       sizeof storage));
  return *this;
}

Builder& Builder::add_xor_address(Attribute attribute, const SocketAddress& value) {
  const auto storage = to_native(value);
  impl_->note(
      stun_message_append_xor_addr(&impl_->message, native(attribute), &storage, sizeof storage));
  return *this;
}

Builder& Builder::add_error(int code, std::string_view reason) {
  Bytes value = {0, 0, static_cast<std::uint8_t>(code / 100),
                 static_cast<std::uint8_t>(code % 100)};
  const auto text = bytes_of(reason);
  value.insert(value.end(), text.begin(), text.end());
  return add_bytes(Attribute::error_code, value);
}

Bytes Builder::finish() { return finish({}); }

Bytes Builder::finish(std::span<const std::uint8_t> key) {
  const auto made = std::move(impl_);
  if (!made || !made->fits) return {};
  const auto size = stun_agent_finish_message(&made->agent, &made->message,
                                              key.empty() ? nullptr : key.data(), key.size());
  return Bytes(made->buffer.begin(), made->buffer.begin() + static_cast<std::ptrdiff_t>(size));
}

void add_software(Builder& builder, std::string_view text) {
  // Of the largest answer to a Binding request: three addresses of IPv6 (RFC 5780 section 7).
  constexpr std::size_t enough = 72;
  std::string filled(text);
  if (filled.size() < enough) filled.resize(enough, ' ');
  builder.add_text(Attribute::software, filled);
}

void add_change_request(Builder& builder, bool change_ip, bool change_port) {
  builder.add_u32(Attribute::change_request, (change_ip ? 4u : 0u) | (change_port ? 2u : 0u));
}

void add_response_port(Builder& builder, std::uint16_t port) {
  // Two bytes of port and two of padding.
  builder.add_u32(Attribute::response_port, static_cast<std::uint32_t>(port) << 16);
}

void add_fingerprint(Bytes& message) {
  const std::size_t counted = message.size() + 8 - header_size;
  message[2] = static_cast<std::uint8_t>(counted >> 8);
  message[3] = static_cast<std::uint8_t>(counted);
  boost::crc_32_type crc;
  crc.process_bytes(message.data(), message.size());
  const std::uint32_t value = crc.checksum() ^ 0x5354554E;
  for (const std::uint32_t word : {0x80280004u, value}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      message.push_back(static_cast<std::uint8_t>(word >> shift));
    }
  }
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string shown(text.substr(0, limit));
  for (auto& letter : shown) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  if (text.size() > limit) shown += "...";
  return shown;
}

std::string describe_non_stun(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return "nothing";
  // A TLS record: content type, then version 3.x (RFC 8446 section 5.1).
  if (bytes.size() >= 2 && bytes[1] == 3) {
    if (bytes[0] == 21) return "a TLS alert: this port wants TLS";
    if (bytes[0] == 22) return "a TLS handshake message";
  }
  const auto line_end = std::find_if(
      bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == '\r' || byte == '\n'; });
  const std::string line(bytes.begin(), line_end);
  const auto letters = std::count_if(line.begin(), line.end(),
                                     [](char letter) { return letter >= ' ' && letter <= '~'; });
  if (line.size() >= 4 && static_cast<std::size_t>(letters) == line.size()) {
    return printable(line, 80);
  }
  std::string shown = std::to_string(bytes.size()) + " bytes that begin with";
  constexpr std::string_view digits = "0123456789abcdef";
  for (const auto byte : bytes.subspan(0, std::min<std::size_t>(bytes.size(), 8))) {
    shown += ' ';
    shown += digits[byte >> 4];
    shown += digits[byte & 15];
  }
  return shown;
}

}  // namespace callready::stun
