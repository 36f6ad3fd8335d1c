#include "probe/net/stun.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <stdexcept>

#include "probe/util/base64.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/network_order.hpp"
#include "probe/util/text.hpp"

namespace callready::stun {
namespace {

void append_u16(Bytes& bytes, std::size_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  bytes.push_back(static_cast<std::uint8_t>(value));
}

void append_u32(Bytes& bytes, std::uint32_t value) {
  append_u16(bytes, value >> 16);
  append_u16(bytes, value & 0xFFFF);
}

// The header's length, as if the message had `size` bytes.
void set_length(Bytes& message, std::size_t size) {
  put_number(message, 2, static_cast<std::uint16_t>(size - header_size));
}

// RFC 8489 section 14.1: a zero, the family, the port, the address.
std::optional<SocketAddress> read_address(std::span<const std::uint8_t> value) {
  if (value.size() < 4) return std::nullopt;
  const auto port = number_at<std::uint16_t>(value, 2);
  const auto address = value.subspan(4);
  const bool v4 = value[1] == 1 && address.size() == 4;
  const bool v6 = value[1] == 2 && address.size() == 16;
  if (!v4 && !v6) return std::nullopt;
  return SocketAddress{IpAddress::of_bytes(address.data(), v6), port};
}

Bytes address_value(const SocketAddress& address) {
  const bool is_v6 = address.address.is_v6();
  Bytes value = {0, static_cast<std::uint8_t>(is_v6 ? 2 : 1)};
  append_u16(value, address.port);
  const auto& bytes = address.address.bytes();
  value.insert(value.end(), bytes.begin(), bytes.begin() + (is_v6 ? 16 : 4));
  return value;
}

// RFC 8489 section 14.2: the port is masked with the first half of the cookie, the address with the
// cookie and the transaction id, which are the header from byte 4 on. Masked twice it is itself.
void mask_address(Bytes& value, std::span<const std::uint8_t> message) {
  const auto mask = message.subspan(4, 16);
  for (std::size_t i = 2; i < std::min<std::size_t>(value.size(), 20); ++i) {
    value[i] ^= mask[i < 4 ? i - 2 : i - 4];
  }
}

// Reads the attributes of one message; of several of the same type, the first (RFC 8489 section
// 14).
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> message)
      : message_(message), all_(attributes_of(message)) {}

  std::optional<std::span<const std::uint8_t>> bytes(Attribute attribute) const {
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const RawAttribute& one) {
      return one.type == static_cast<std::uint16_t>(attribute);
    });
    if (found == all_.end()) return std::nullopt;
    return found->value;
  }

  std::optional<SocketAddress> address(Attribute attribute, bool is_xor) const {
    const auto found = bytes(attribute);
    if (!found) return std::nullopt;
    Bytes plain(found->begin(), found->end());
    if (is_xor) mask_address(plain, message_);
    return read_address(plain);
  }

  std::optional<std::string> text(Attribute attribute) const {
    const auto found = bytes(attribute);
    if (!found) return std::nullopt;
    return std::string(found->begin(), found->end());
  }

  std::optional<std::uint32_t> number(Attribute attribute) const {
    const auto found = bytes(attribute);
    if (!found || found->size() != 4) return std::nullopt;
    return number_at<std::uint32_t>(*found, 0);
  }

  // Up to 0x002A all are assigned or reserved. Servers still send those of RFC 3489 and of old
  // drafts, which change nothing for us.
  std::optional<std::uint16_t> not_understood() const {
    const auto found = std::ranges::find_if(
        all_, [](const RawAttribute& one) { return one.type > 0x002A && one.type < 0x8000; });
    return found == all_.end() ? std::nullopt : std::optional(found->type);
  }

  // RFC 8489 section 14.8: 21 bits zero, class (3 to 6), number (0 to 99), reason.
  void error(Message& out) const {
    const auto found = bytes(Attribute::error_code);
    if (!found || found->size() < 4) return;
    const int hundreds = (*found)[2] & 7, rest = (*found)[3];
    if (hundreds < 3 || hundreds > 6 || rest > 99) return;
    out.error_code = hundreds * 100 + rest;
    out.reason.assign(found->begin() + 4, found->end());
  }

 private:
  std::span<const std::uint8_t> message_;
  std::vector<RawAttribute> all_;
};

// RFC 8489 section 5: the two bits of the class lie between those of the method.
std::size_t message_type(Class message_class, Method method) {
  const auto kind = static_cast<std::size_t>(message_class);
  const auto number = static_cast<std::size_t>(method);
  return (number & 0xF80) << 2 | (number & 0x70) << 1 | (number & 0xF) | (kind & 2) << 7 |
         (kind & 1) << 4;
}

}  // namespace

TransactionId new_transaction_id() { return random_bytes<sizeof(TransactionId)>(); }

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
  if (bytes.size() >= 8 && number_at<std::uint32_t>(bytes, 4) != magic_cookie)
    return Fault::wrong_cookie;
  if (bytes.size() < header_size) return Fault::truncated;
  const std::size_t length = header_size + number_at<std::uint16_t>(bytes, 2);
  if (length % 4 != 0) return Fault::not_stun;
  if (length > max_message) return Fault::oversized;
  if (bytes.size() < length) return Fault::truncated;
  if (bytes.size() > length) return Fault::trailing_bytes;
  for (std::size_t at = header_size; at < length;) {
    at += 4 + padded(number_at<std::uint16_t>(bytes, at + 2));
    if (at > length) return Fault::attribute_overrun;
  }
  Message message;
  const Reader reader(bytes);
  const unsigned type = number_at<std::uint16_t>(bytes, 0);
  message.message_class = static_cast<Class>((type & 0x100) >> 7 | (type & 0x10) >> 4);
  message.method =
      static_cast<std::uint16_t>((type & 0x3E00) >> 2 | (type & 0xE0) >> 1 | (type & 0xF));
  std::copy_n(bytes.begin() + 8, message.id.size(), message.id.begin());
  reader.error(message);
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
  message.alternate_domain = reader.text(Attribute::alternate_domain);
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
      message.unknown_attributes.push_back(number_at<std::uint16_t>(*unknown, i));
    }
  }
  message.has_integrity = reader.bytes(Attribute::message_integrity).has_value();
  message.not_understood = reader.not_understood();
  return message;
}

std::vector<RawAttribute> attributes_of(std::span<const std::uint8_t> message) {
  std::vector<RawAttribute> all;
  for (std::size_t at = header_size; at + 4 <= message.size();) {
    const auto type = number_at<std::uint16_t>(message, at);
    const auto rest = message.subspan(at + 4);
    const std::size_t length = number_at<std::uint16_t>(message, at + 2);
    if (length > rest.size()) break;
    all.push_back({type, rest.first(length)});
    const auto attribute = static_cast<Attribute>(type);
    if (attribute == Attribute::message_integrity || attribute == Attribute::fingerprint) break;
    at += 4 + padded(length);
  }
  return all;
}

bool integrity_matches(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> key) {
  const auto all = attributes_of(bytes);
  if (all.empty() || all.back().type != static_cast<std::uint16_t>(Attribute::message_integrity) ||
      all.back().value.size() != 20) {
    return false;
  }
  // The hash covers what comes before; the header's length is set as if this attribute were the
  // last.
  const auto* value = all.back().value.data();
  Bytes text(bytes.data(), value - 4);
  set_length(text, text.size() + 24);
  return is_same_secret(hmac_sha1(key, text), std::span(value, 20));
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
  credential.password = base64(hmac_sha1(bytes_of(secret), bytes_of(credential.username)));
  return credential;
}

Builder::Builder(Class message_class, Method method, const TransactionId& id) {
  append_u16(bytes_, message_type(message_class, method));
  append_u16(bytes_, 0);
  append_u32(bytes_, magic_cookie);
  bytes_.insert(bytes_.end(), id.begin(), id.end());
}

Builder& Builder::add_bytes(Attribute attribute, std::span<const std::uint8_t> value) {
  fits_ = fits_ && bytes_.size() + 4 + padded(value.size()) <= max_message;
  if (!fits_) return *this;
  append_u16(bytes_, static_cast<std::size_t>(attribute));
  append_u16(bytes_, value.size());
  bytes_.insert(bytes_.end(), value.begin(), value.end());
  bytes_.resize(padded(bytes_.size()));
  return *this;
}

Builder& Builder::add_u32(Attribute attribute, std::uint32_t value) {
  Bytes bytes;
  append_u32(bytes, value);
  return add_bytes(attribute, bytes);
}

Builder& Builder::add_text(Attribute attribute, std::string_view value) {
  return add_bytes(attribute, bytes_of(value));
}

Builder& Builder::add_address(Attribute attribute, const SocketAddress& value) {
  return add_bytes(attribute, address_value(value));
}

Builder& Builder::add_xor_address(Attribute attribute, const SocketAddress& value) {
  auto masked = address_value(value);
  mask_address(masked, bytes_);
  return add_bytes(attribute, masked);
}

Builder& Builder::add_error(int code, std::string_view reason) {
  Bytes value = {0, 0, static_cast<std::uint8_t>(code / 100),
                 static_cast<std::uint8_t>(code % 100)};
  const auto text = bytes_of(reason);
  value.insert(value.end(), text.begin(), text.end());
  return add_bytes(Attribute::error_code, value);
}

Bytes Builder::finish(std::span<const std::uint8_t> key) {
  if (!key.empty()) {
    set_length(bytes_, bytes_.size() + 24);
    add_bytes(Attribute::message_integrity, hmac_sha1(key, bytes_));
  }
  set_length(bytes_, bytes_.size());
  return fits_ ? std::exchange(bytes_, {}) : Bytes();
}

void add_software(Builder& builder, std::string_view text) {
  // The size of the largest answer to a Binding request: three addresses of IPv6 (RFC 5780 section
  // 7).
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
  set_length(message, message.size() + 8);
  boost::crc_32_type crc;
  crc.process_bytes(message.data(), message.size());
  append_u16(message, static_cast<std::size_t>(Attribute::fingerprint));
  append_u16(message, 4);
  append_u32(message, crc.checksum() ^ 0x5354554E);
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
  for (const auto& byte : bytes.subspan(0, std::min<std::size_t>(bytes.size(), 8))) {
    shown += ' ' + hex(std::span(&byte, 1));
  }
  return shown;
}

}  // namespace callready::stun
