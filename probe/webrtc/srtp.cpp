#include "probe/webrtc/srtp.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <map>

#include "probe/util/digest.hpp"
#include "probe/util/network_order.hpp"

namespace callready::webrtc {
namespace {

constexpr std::size_t key_size = 16, mac_size = 10, gcm_tag_size = 16;
constexpr std::size_t most_sources = 16;
// A salt, where GCM's is shorter and followed by zeros; a block adds two bytes that count blocks.
using Salt = std::array<std::uint8_t, 14>;
using Block = std::array<std::uint8_t, 16>;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* cipher) const { EVP_CIPHER_CTX_free(cipher); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

// The lowest bytes of `number`, the highest first, into those that end at `end`.
void mix(std::span<std::uint8_t> bytes, std::size_t end, std::uint64_t number, std::size_t count) {
  for (std::size_t i = 1; i <= count; ++i, number >>= 8U) {
    bytes[end - i] ^= static_cast<std::uint8_t>(number);
  }
}

// In place: encryption and decryption are the same.
bool counter_mode(EVP_CIPHER_CTX* cipher, const Block& begin, std::span<std::uint8_t> bytes) {
  int size = 0;
  return EVP_EncryptInit_ex(cipher, nullptr, nullptr, nullptr, begin.data()) == 1 &&
         EVP_EncryptUpdate(cipher, bytes.data(), &size, bytes.data(),
                           static_cast<int>(bytes.size())) == 1;
}

// RFC 3711 section 4.3.1, with a key derivation rate of 0.
bool derive(EVP_CIPHER_CTX* master, const Salt& salt, std::uint8_t label,
            std::span<std::uint8_t> key) {
  Block begin{};
  std::copy(salt.begin(), salt.end(), begin.begin());
  begin[7] ^= label;
  std::fill(key.begin(), key.end(), std::uint8_t{0});
  return counter_mode(master, begin, key);
}

// What came from one source (RFC 3711 section 3.3): packets carry only the lowest 16 bits of their
// index.
class Source {
 public:
  // The index that is nearest to the highest so far.
  std::uint64_t index_of(std::uint16_t sequence) const {
    if (seen_.none()) return sequence;
    const auto step = static_cast<std::int16_t>(sequence - static_cast<std::uint16_t>(highest_));
    const auto index = static_cast<std::int64_t>(highest_) + step;
    return index < 0 ? sequence : static_cast<std::uint64_t>(index);
  }
  bool is_new(std::uint64_t index) const {
    if (seen_.none() || index > highest_) return true;
    return highest_ - index < seen_.size() && !seen_[highest_ - index];
  }
  void take(std::uint64_t index) {
    if (index > highest_) {
      seen_ <<= std::min<std::uint64_t>(index - highest_, seen_.size());
      highest_ = index;
    }
    seen_.set(highest_ - index);
  }

 private:
  std::uint64_t highest_ = 0;
  std::bitset<128> seen_;  // the highest, and those before it
};

struct Header {
  std::size_t size = 0;  // with its extension
  std::uint16_t sequence = 0;
  std::uint32_t ssrc = 0;
};

// RFC 3550 section 5.1. Nothing if it is not RTP.
std::optional<Header> header_of(std::span<const std::uint8_t> packet) {
  if (packet.size() < 12 || packet[0] >> 6U != 2) return std::nullopt;
  Header header;
  header.size = 12 + 4 * (packet[0] & 15U);
  if ((packet[0] & 16U) != 0) {
    if (packet.size() < header.size + 4) return std::nullopt;
    header.size += 4 + std::size_t{4} * number_at<std::uint16_t>(packet, header.size + 2);
  }
  if (packet.size() < header.size) return std::nullopt;
  header.sequence = number_at<std::uint16_t>(packet, 2);
  header.ssrc = number_at<std::uint32_t>(packet, 8);
  return header;
}

// The packets of one direction.
class Direction {
 public:
  // `key`: the master key with its salt. False where OpenSSL fails, or the key has another size.
  bool open(SrtpProfile profile, const Bytes& key, bool sends) {
    gcm_ = profile == SrtpProfile::aead_aes_128_gcm;
    sends_ = sends;
    const std::size_t salt_size = gcm_ ? 12 : 14;
    if (key.size() != key_size + salt_size) return false;
    Salt master_salt{};
    std::copy(key.begin() + key_size, key.end(), master_salt.begin());
    Cipher master(EVP_CIPHER_CTX_new());
    cipher_.reset(EVP_CIPHER_CTX_new());
    std::array<std::uint8_t, key_size> own{};
    const auto* kind = gcm_ ? EVP_aes_128_gcm() : EVP_aes_128_ctr();
    return master && cipher_ &&
           EVP_EncryptInit_ex(master.get(), EVP_aes_128_ctr(), nullptr, key.data(), nullptr) == 1 &&
           derive(master.get(), master_salt, 0, own) &&
           derive(master.get(), master_salt, 1, mac_key_) &&
           derive(master.get(), master_salt, 2, std::span(salt_).first(salt_size)) &&
           EVP_CipherInit_ex(cipher_.get(), kind, nullptr, own.data(), nullptr, sends) == 1;
  }

  std::optional<Bytes> run(std::span<const std::uint8_t> from) {
    const std::size_t trailer = sends_ ? 0 : (gcm_ ? gcm_tag_size : mac_size);
    if (from.size() < trailer) return std::nullopt;
    const auto header = header_of(from.first(from.size() - trailer));
    if (!header) return std::nullopt;
    const auto known = sources_.find(header->ssrc);
    if (known == sources_.end() && sources_.size() >= most_sources) return std::nullopt;
    Source source = known == sources_.end() ? Source() : known->second;
    const auto index = source.index_of(header->sequence);
    if (!source.is_new(index)) return std::nullopt;
    Bytes packet(from.begin(), from.end());
    if (!(gcm_ ? aead(packet, *header, index) : counter(packet, *header, index))) {
      return std::nullopt;
    }
    source.take(index);
    sources_.insert_or_assign(header->ssrc, source);
    return packet;
  }

 private:
  // RFC 3711 section 4.1.1 and 4.2.1.
  bool counter(Bytes& packet, const Header& header, std::uint64_t index) {
    if (!sends_) {
      Bytes shown(packet.end() - mac_size, packet.end());
      packet.resize(packet.size() - mac_size);
      if (!is_same_secret(shown, mac(packet, index))) return false;
    }
    Block begin{};
    std::copy(salt_.begin(), salt_.end(), begin.begin());
    mix(begin, 8, header.ssrc, 4);
    mix(begin, 14, index, 6);
    if (!counter_mode(cipher_.get(), begin, std::span(packet).subspan(header.size))) return false;
    if (sends_) {
      const auto own = mac(packet, index);
      packet.insert(packet.end(), own.begin(), own.end());
    }
    return true;
  }

  Bytes mac(const Bytes& packet, std::uint64_t index) const {
    Bytes text = packet;
    text.resize(text.size() + 4);
    mix(text, text.size(), index >> 16U, 4);
    const auto whole = hmac_sha1(mac_key_, text);
    return {whole.begin(), whole.begin() + mac_size};
  }

  // RFC 7714 section 8: two zero bytes, the source, the index; the header is authentic, not secret.
  bool aead(Bytes& packet, const Header& header, std::uint64_t index) {
    std::array<std::uint8_t, 12> nonce{};
    std::copy_n(salt_.begin(), nonce.size(), nonce.begin());
    mix(nonce, 6, header.ssrc, 4);
    mix(nonce, 12, index, 6);
    auto* cipher = cipher_.get();
    if (EVP_CipherInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data(), -1) != 1) return false;
    Block tag{};
    if (!sends_) {
      std::copy(packet.end() - gcm_tag_size, packet.end(), tag.begin());
      packet.resize(packet.size() - gcm_tag_size);
      if (EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, gcm_tag_size, tag.data()) != 1) {
        return false;
      }
    }
    auto* const payload = packet.data() + header.size;
    int size = 0;
    if (EVP_CipherUpdate(cipher, nullptr, &size, packet.data(), static_cast<int>(header.size)) !=
            1 ||
        EVP_CipherUpdate(cipher, payload, &size, payload,
                         static_cast<int>(packet.size() - header.size)) != 1 ||
        EVP_CipherFinal_ex(cipher, payload, &size) != 1) {
      return false;
    }
    if (!sends_) return true;
    if (EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, gcm_tag_size, tag.data()) != 1) {
      return false;
    }
    packet.insert(packet.end(), tag.begin(), tag.end());
    return true;
  }

  bool gcm_ = false, sends_ = false;
  Cipher cipher_;
  Salt salt_{};
  std::array<std::uint8_t, 20> mac_key_{};
  std::map<std::uint32_t, Source> sources_;  // by SSRC; only those that proved to be authentic
};

}  // namespace

struct Srtp::Session {
  Direction sending, receiving;
};

std::optional<Srtp> Srtp::make(const SrtpKeys& keys) {
  auto session = std::make_shared<Session>();
  if (!session->sending.open(keys.profile, keys.sending, true) ||
      !session->receiving.open(keys.profile, keys.receiving, false)) {
    return std::nullopt;
  }
  return Srtp(std::move(session));
}

std::optional<Bytes> Srtp::protect(std::span<const std::uint8_t> rtp) {
  return session_->sending.run(rtp);
}

std::optional<Bytes> Srtp::unprotect(std::span<const std::uint8_t> packet) {
  return session_->receiving.run(packet);
}

}  // namespace callready::webrtc
