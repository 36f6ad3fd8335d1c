// SRTP (RFC 3711, RFC 7714) by OpenSSL, for RTP only. Not by libsrtp2, which Debian builds over
// NSS: that takes up to 28 ms to begin, and does not survive a lack of memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace callready::webrtc {

using Bytes = std::vector<std::uint8_t>;

enum class SrtpProfile { aes128_cm_sha1_80, aead_aes_128_gcm };

// The keys, each with its salt, for what this end sends and for what it receives.
struct SrtpKeys {
  SrtpProfile profile = SrtpProfile::aes128_cm_sha1_80;
  Bytes sending, receiving;
};

class Srtp {
 public:
  // Nothing where OpenSSL fails: no memory, or keys of another size.
  static std::optional<Srtp> make(const SrtpKeys& keys);
  // The packet as it goes over the network; nothing if it is not RTP, or was sent before (the same
  // key stream would be used twice).
  std::optional<Bytes> protect(std::span<const std::uint8_t> rtp);
  // The RTP packet in it; nothing if it is forged, a duplicate, or too old.
  std::optional<Bytes> unprotect(std::span<const std::uint8_t> packet);

 private:
  struct Session;
  explicit Srtp(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  std::shared_ptr<Session> session_;
};

}  // namespace callready::webrtc
