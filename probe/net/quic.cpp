#include "probe/net/quic.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>

#include "probe/util/digest.hpp"

namespace callready::quic {
namespace {

using View = std::span<const std::uint8_t>;

constexpr std::size_t tag_size = 16, sample_size = 16, number_size = 4;
constexpr std::size_t most_id = 20;  // bytes (RFC 9000 section 17.2)
constexpr std::size_t most_versions = 16;
constexpr std::size_t most_name = 255;
constexpr std::uint8_t long_header = 0x80, fixed_bit = 0x40, type_bits = 0x30;
// Frames (RFC 9000 section 19).
constexpr std::uint8_t padding = 0x00, ping = 0x01, ack = 0x02, ack_ecn = 0x03, crypto = 0x06,
                       connection_close = 0x1c;

struct Free {
  void operator()(EVP_CIPHER_CTX* cipher) const { EVP_CIPHER_CTX_free(cipher); }
  void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// --- Writing ---

void put(Bytes& bytes, std::uint64_t number, std::size_t count) {
  for (auto i = count; i-- > 0;) bytes.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
}

void put(Bytes& bytes, View more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

// RFC 9000 section 16; two bytes hold any length of ours.
void put_length(Bytes& bytes, std::size_t length) { put(bytes, 0x4000 | length, 2); }

// What `write` adds, preceded by its length in `count` bytes.
template <typename Write>
void put_block(Bytes& bytes, std::size_t count, Write write) {
  Bytes inner;
  write(inner);
  put(bytes, inner.size(), count);
  put(bytes, inner);
}

template <typename Write>
void put_extension(Bytes& bytes, std::uint16_t type, Write write) {
  put(bytes, type, 2);
  put_block(bytes, 2, write);
}

void put_ids(Bytes& bytes, View destination, View source) {
  for (const auto id : {destination, source}) {
    bytes.push_back(static_cast<std::uint8_t>(id.size()));
    put(bytes, id);
  }
}

// --- Reading ---

// The bytes that are left. Reading past the end makes it bad: all is zero or empty from then on.
class Reader {
 public:
  explicit Reader(View bytes) : left_(bytes) {}

  std::uint64_t number(std::size_t count) {
    std::uint64_t number = 0;
    for (const auto byte : take(count)) number = number << 8U | byte;
    return number;
  }
  // RFC 9000 section 16.
  std::uint64_t variable() {
    if (left_.empty()) bad_ = true;
    if (bad_) return 0;
    const auto count = std::size_t{1} << (left_.front() >> 6U);
    return number(count) & ~(std::uint64_t{3} << (8 * count - 2));
  }
  View take(std::uint64_t count) {
    bad_ = bad_ || count > left_.size();
    if (bad_) return {};
    const auto taken = left_.first(static_cast<std::size_t>(count));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  View id() {
    const auto size = number(1);
    bad_ = bad_ || size > most_id;
    return take(size);
  }
  View left() const { return left_; }
  bool bad() const { return bad_; }

 private:
  View left_;
  bool bad_ = false;
};

// --- Keys ---

bool hkdf(int mode, View key, View salt_or_info, std::span<std::uint8_t> out) {
  const Owned<EVP_KDF> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const Owned<EVP_KDF_CTX> context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  if (!context) return false;
  const bool extract = mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
  const auto bytes = [](const char* name, View view) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(view.data()),
                                             view.size());
  };
  char digest[] = "SHA256";
  const std::array parameters{
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      bytes(OSSL_KDF_PARAM_KEY, key),
      bytes(extract ? OSSL_KDF_PARAM_SALT : OSSL_KDF_PARAM_INFO, salt_or_info),
      OSSL_PARAM_construct_end(),
  };
  return EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) == 1;
}

// RFC 8446 section 7.1, without a context.
bool expand(View secret, std::string_view label, std::span<std::uint8_t> out) {
  Bytes info;
  put(info, out.size(), 2);
  put_block(info, 1, [&](Bytes& inner) {
    for (const auto part : {std::string_view("tls13 "), label}) {
      inner.insert(inner.end(), part.begin(), part.end());
    }
  });
  info.push_back(0);
  return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, secret, info, out);
}

bool derive(View initial, std::string_view label, Keys& keys) {
  std::array<std::uint8_t, 32> secret{};
  return expand(initial, label, secret) && expand(secret, "quic key", keys.key) &&
         expand(secret, "quic iv", keys.iv) && expand(secret, "quic hp", keys.header);
}

using Mask = std::array<std::uint8_t, sample_size>;

// RFC 9001 section 5.4.3.
std::optional<Mask> header_mask(const Keys& keys, View sample) {
  const Owned<EVP_CIPHER_CTX> cipher(EVP_CIPHER_CTX_new());
  Mask mask{};
  int size = 0;
  const bool made = cipher && sample.size() == mask.size() &&
                    EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_ecb(), nullptr, keys.header.data(),
                                       nullptr) == 1 &&
                    EVP_CIPHER_CTX_set_padding(cipher.get(), 0) == 1 &&
                    EVP_EncryptUpdate(cipher.get(), mask.data(), &size, sample.data(),
                                      static_cast<int>(sample.size())) == 1;
  return made ? std::optional(mask) : std::nullopt;
}

// In a long header four bits are masked; masking them again restores them.
std::uint8_t first_byte(std::uint8_t byte, const Mask& mask) {
  return static_cast<std::uint8_t>(byte ^ (mask[0] & 0x0fU));
}

// RFC 9001 section 5.3: the nonce is the IV XOR the packet number.
Owned<EVP_CIPHER_CTX> packet_cipher(const Keys& keys, std::uint32_t number, bool encrypt) {
  Owned<EVP_CIPHER_CTX> cipher(EVP_CIPHER_CTX_new());
  auto nonce = keys.iv;
  for (std::size_t i = 0; i < number_size; ++i) {
    nonce[nonce.size() - 1 - i] ^= static_cast<std::uint8_t>(number >> (8 * i));
  }
  const bool made = cipher && EVP_CipherInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr,
                                                keys.key.data(), nonce.data(), encrypt) == 1;
  return made ? std::move(cipher) : nullptr;
}

bool run_through(EVP_CIPHER_CTX* cipher, View header, View in, std::uint8_t* out) {
  int size = 0;
  return EVP_CipherUpdate(cipher, nullptr, &size, header.data(), static_cast<int>(header.size())) ==
             1 &&
         EVP_CipherUpdate(cipher, out, &size, in.data(), static_cast<int>(in.size())) == 1;
}

// What all long headers begin with (RFC 9000 section 17.2, RFC 8999 section 5.1).
struct LongHeader {
  std::uint8_t first = 0;
  std::uint32_t version = 0;
  View destination, source;
};

std::optional<LongHeader> take_header(Reader& reader) {
  LongHeader header;
  header.first = static_cast<std::uint8_t>(reader.number(1));
  header.version = static_cast<std::uint32_t>(reader.number(4));
  header.destination = reader.id();
  header.source = reader.id();
  const bool is_one = !reader.bad() && (header.first & long_header) != 0;
  return is_one ? std::optional(header) : std::nullopt;
}

// RFC 9000 section 19.3.
void skip_ack(Reader& frames, bool with_ecn) {
  frames.variable();
  frames.variable();
  auto ranges = frames.variable();
  frames.variable();
  for (; ranges > 0 && !frames.bad(); --ranges) {
    frames.variable();
    frames.variable();
  }
  for (int i = 0; with_ecn && i < 3; ++i) frames.variable();
}

// The error of a CONNECTION_CLOSE, if there is one before any frame that only a connection needs.
std::optional<std::uint64_t> close_in(View bytes) {
  Reader frames(bytes);
  while (!frames.left().empty() && !frames.bad()) {
    const auto type = frames.number(1);
    if (type == padding || type == ping) continue;
    if (type == ack || type == ack_ecn) {
      skip_ack(frames, type == ack_ecn);
      continue;
    }
    if (type != connection_close) return std::nullopt;
    const auto error = frames.variable();
    return frames.bad() ? std::nullopt : std::optional(error);
  }
  return std::nullopt;
}

// --- The ClientHello (RFC 8446 section 4.1.2) ---

void put_hello(Bytes& bytes, const Attempt& attempt, std::string_view name) {
  put(bytes, 0x0303, 2);
  put(bytes, attempt.random);
  put(bytes, 0, 1);  // no session ID (RFC 9001 section 8.4)
  put_block(bytes, 2, [](Bytes& suites) {
    for (const auto suite : {0x1301U, 0x1302U, 0x1303U}) put(suites, suite, 2);
  });
  put(bytes, 0x0100, 2);  // no compression
  put_block(bytes, 2, [&](Bytes& extensions) {
    if (!name.empty()) {
      put_extension(extensions, 0, [&](Bytes& server_name) {
        put_block(server_name, 2, [&](Bytes& list) {
          put(list, 0, 1);
          put_block(list, 2,
                    [&](Bytes& host) { host.insert(host.end(), name.begin(), name.end()); });
        });
      });
    }
    put_extension(extensions, 10, [](Bytes& groups) {
      put_block(groups, 2, [](Bytes& list) {
        for (const auto group : {0x001dU, 0x0017U, 0x0018U}) put(list, group, 2);
      });
    });
    put_extension(extensions, 13, [](Bytes& signatures) {
      put_block(signatures, 2, [](Bytes& list) {
        for (const auto one :
             {0x0403U, 0x0804U, 0x0401U, 0x0503U, 0x0805U, 0x0501U, 0x0806U, 0x0601U}) {
          put(list, one, 2);
        }
      });
    });
    put_extension(extensions, 16, [](Bytes& alpn) {
      put_block(alpn, 2, [](Bytes& list) {
        put_block(list, 1, [](Bytes& h3) { h3 = {'h', '3'}; });
      });
    });
    put_extension(extensions, 43, [](Bytes& versions) {
      put_block(versions, 1, [](Bytes& list) { put(list, 0x0304, 2); });
    });
    put_extension(extensions, 51, [&](Bytes& shares) {
      put_block(shares, 2, [&](Bytes& list) {
        put(list, 0x001d, 2);
        put_block(list, 2, [&](Bytes& key) { put(key, attempt.key_share); });
      });
    });
    // RFC 9000 section 18.2: an idle timeout of a second, a little data, the three streams that
    // HTTP/3 asks for (RFC 9114 section 6.2), and our connection ID, which is mandatory.
    put_extension(extensions, 57, [&](Bytes& parameters) {
      parameters = {0x01, 0x02, 0x43, 0xe8, 0x04, 0x02, 0x50, 0x00,
                    0x07, 0x02, 0x44, 0x00, 0x09, 0x01, 0x03};
      parameters.push_back(0x0f);
      put_block(parameters, 1, [&](Bytes& id) { put(id, attempt.source); });
    });
  });
}

Result<Reply> not_ours(const char* why) { return Failure{FailureKind::malformed, why, 0, {}}; }

bool same(View a, View b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}  // namespace

std::optional<InitialKeys> initial_keys(View destination) {
  static constexpr std::array<std::uint8_t, 20> salt{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34,
                                                     0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8,
                                                     0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
  std::array<std::uint8_t, 32> secret{};
  InitialKeys keys;
  const bool made = hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, destination, salt, secret) &&
                    derive(secret, "client in", keys.client) &&
                    derive(secret, "server in", keys.server);
  return made ? std::optional(keys) : std::nullopt;
}

Attempt new_attempt() {
  Attempt attempt;
  fill_with_random(attempt.destination);
  fill_with_random(attempt.source);
  fill_with_random(attempt.random);
  fill_with_random(attempt.key_share);
  return attempt;
}

Bytes version_question(const Attempt& attempt) {
  Bytes packet{long_header | fixed_bit};
  put(packet, reserved_version, 4);
  put_ids(packet, attempt.destination, attempt.source);
  packet.resize(datagram_size);
  return packet;
}

std::optional<Bytes> seal_initial(const Keys& keys, View destination, View source,
                                  std::uint32_t number, View frames, std::size_t datagram) {
  Bytes header{static_cast<std::uint8_t>(long_header | fixed_bit | (number_size - 1))};
  put(header, version_1, 4);
  put_ids(header, destination, source);
  header.push_back(0);  // no token
  const auto before = header.size() + 2 + number_size;
  if (datagram < before + frames.size() + tag_size) return std::nullopt;
  put_length(header, datagram - header.size() - 2);
  put(header, number, number_size);
  Bytes text(frames.begin(), frames.end());
  text.resize(datagram - before - tag_size);  // PADDING frames are zeros
  auto packet = header;
  packet.resize(datagram);
  const auto cipher = packet_cipher(keys, number, true);
  std::array<std::uint8_t, tag_size> rest{};
  int size = 0;
  const bool sealed = cipher && run_through(cipher.get(), header, text, packet.data() + before) &&
                      EVP_CipherFinal_ex(cipher.get(), rest.data(), &size) == 1 &&
                      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, tag_size,
                                          packet.data() + before + text.size()) == 1;
  if (!sealed) return std::nullopt;
  const auto mask = header_mask(keys, View(packet).subspan(before, sample_size));
  if (!mask) return std::nullopt;
  packet[0] = first_byte(packet[0], *mask);
  for (std::size_t i = 0; i < number_size; ++i) {
    packet[before - number_size + i] ^= (*mask)[i + 1];
  }
  return packet;
}

std::optional<Bytes> open_initial(const Keys& keys, View datagram) {
  Reader reader(datagram);
  const auto head = take_header(reader);
  if (!head || head->version != version_1 || (head->first & type_bits) != 0) return std::nullopt;
  reader.take(reader.variable());  // a token
  const auto sealed = reader.take(reader.variable());
  if (reader.bad() || sealed.size() < number_size + sample_size) return std::nullopt;
  const auto before = static_cast<std::size_t>(sealed.data() - datagram.data());
  const auto mask = header_mask(keys, sealed.subspan(number_size, sample_size));
  if (!mask) return std::nullopt;
  Bytes header(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(before));
  header[0] = first_byte(header[0], *mask);
  const std::size_t count = (header[0] & 3U) + 1;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    header.push_back(sealed[i] ^ (*mask)[i + 1]);
    number = number << 8U | header.back();
  }
  const auto text = sealed.subspan(count, sealed.size() - count - tag_size);
  Bytes frames(text.begin(), text.end());
  Bytes tag(sealed.end() - tag_size, sealed.end());
  const auto cipher = packet_cipher(keys, number, false);
  std::array<std::uint8_t, tag_size> rest{};
  int size = 0;
  const bool opened =
      cipher && run_through(cipher.get(), header, text, frames.data()) &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) == 1 &&
      EVP_CipherFinal_ex(cipher.get(), rest.data(), &size) == 1;
  return opened ? std::optional(std::move(frames)) : std::nullopt;
}

std::optional<Bytes> client_initial(const Attempt& attempt, std::string_view name) {
  const auto keys = initial_keys(attempt.destination);
  if (!keys || name.size() > most_name) return std::nullopt;
  Bytes hello{1};
  put_block(hello, 3, [&](Bytes& body) { put_hello(body, attempt, name); });
  Bytes frames{crypto, 0};
  put_length(frames, hello.size());
  put(frames, hello);
  return seal_initial(keys->client, attempt.destination, attempt.source, 0, frames, datagram_size);
}

std::optional<Bytes> client_close(const Attempt& attempt, View server) {
  const auto keys = initial_keys(attempt.destination);
  if (!keys || server.size() > most_id) return std::nullopt;
  const Bytes frames{connection_close, 0, 0, 0};  // no error, no frame type, no reason
  return seal_initial(keys->client, server, attempt.source, 1, frames, datagram_size);
}

Result<Reply> parse_reply(View datagram, const Attempt& attempt) {
  Reader reader(datagram);
  const auto head = take_header(reader);
  if (!head) return not_ours("not QUIC");
  if (!same(head->destination, attempt.source)) return not_ours("QUIC for another connection");
  Reply reply;
  reply.server.assign(head->source.begin(), head->source.end());
  if (head->version == 0) {
    // RFC 9000 section 17.2.1: both connection IDs come back.
    if (!same(head->source, attempt.destination) || reader.left().size() < 4) {
      return not_ours("no version negotiation for this connection");
    }
    while (reader.left().size() >= 4 && reply.versions.size() < most_versions) {
      reply.versions.push_back(static_cast<std::uint32_t>(reader.number(4)));
    }
    return reply;
  }
  if (head->version != version_1) return not_ours("QUIC of a version that was not offered");
  constexpr std::array types{Packet::initial, Packet::versions, Packet::handshake, Packet::retry};
  reply.packet = types[(head->first & type_bits) >> 4U];
  if (reply.packet == Packet::versions) return not_ours("a client's QUIC packet");  // 0-RTT
  if (reply.packet != Packet::initial) return reply;
  const auto keys = initial_keys(attempt.destination);
  const auto frames = keys ? open_initial(keys->server, datagram) : std::nullopt;
  if (!frames) return not_ours("a QUIC packet that does not open");
  reply.closed = close_in(*frames);
  return reply;
}

}  // namespace callready::quic
