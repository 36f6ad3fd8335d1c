#include <srtp2/srtp.h>

#include "probe/platform/late_library.hpp"
#include "probe/webrtc/srtp.hpp"

namespace callready::webrtc {
namespace {

struct Libsrtp : platform::LateLibrary {
  Libsrtp() : LateLibrary("libsrtp2.so.1") {}

  LATE_FUNCTION(srtp_create);
  LATE_FUNCTION(srtp_crypto_policy_set_from_profile_for_rtcp);
  LATE_FUNCTION(srtp_crypto_policy_set_from_profile_for_rtp);
  LATE_FUNCTION(srtp_dealloc);
  LATE_FUNCTION(srtp_init);
  LATE_FUNCTION(srtp_protect);
  LATE_FUNCTION(srtp_unprotect);
};

const Libsrtp& libsrtp() {
  static const Libsrtp loaded;
  return loaded;
}

}  // namespace

// RFC 3711 section 3.1: what a packet may grow by; libsrtp2 wants that much room behind it.
constexpr std::size_t most_trailer = SRTP_MAX_TRAILER_LEN;

struct Srtp::Session {
  srtp_t sending = nullptr, receiving = nullptr;
  Session() = default;
  ~Session() {
    if (sending != nullptr) libsrtp().srtp_dealloc(sending);
    if (receiving != nullptr) libsrtp().srtp_dealloc(receiving);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  static bool open(srtp_t& one, const SrtpKeys& keys, bool out) {
    srtp_policy_t policy{};
    const bool gcm = keys.profile == SrtpProfile::aead_aes_128_gcm;
    const auto profile = gcm ? srtp_profile_aead_aes_128_gcm : srtp_profile_aes128_cm_sha1_80;
    if (libsrtp().srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile) !=
            srtp_err_status_ok ||
        libsrtp().srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile) !=
            srtp_err_status_ok) {
      return false;
    }
    auto key = out ? keys.sending : keys.receiving;
    policy.ssrc.type = out ? ssrc_any_outbound : ssrc_any_inbound;
    policy.key = key.data();
    policy.window_size = 128;
    return libsrtp().srtp_create(&one, &policy) == srtp_err_status_ok;
  }
};

bool srtp_ready() {
  static const bool ready = libsrtp().complete() && libsrtp().srtp_init() == srtp_err_status_ok;
  return ready;
}

std::optional<Srtp> Srtp::make(const SrtpKeys& keys) {
  auto session = std::make_shared<Session>();
  if (!srtp_ready() || !Session::open(session->sending, keys, true) ||
      !Session::open(session->receiving, keys, false)) {
    return std::nullopt;
  }
  return Srtp(std::move(session));
}

std::optional<Bytes> Srtp::protect(std::span<const std::uint8_t> rtp) {
  Bytes packet(rtp.begin(), rtp.end());
  packet.resize(rtp.size() + most_trailer);
  int size = static_cast<int>(rtp.size());
  if (libsrtp().srtp_protect(session_->sending, packet.data(), &size) != srtp_err_status_ok) {
    return std::nullopt;
  }
  packet.resize(static_cast<std::size_t>(size));
  return packet;
}

std::optional<Bytes> Srtp::unprotect(std::span<const std::uint8_t> packet) {
  Bytes rtp(packet.begin(), packet.end());
  int size = static_cast<int>(rtp.size());
  if (libsrtp().srtp_unprotect(session_->receiving, rtp.data(), &size) != srtp_err_status_ok) {
    return std::nullopt;
  }
  rtp.resize(static_cast<std::size_t>(size));
  return rtp;
}

}  // namespace callready::webrtc
