// Session descriptions of a WebRTC call (RFC 8866, RFC 8829, RFC 8839): one offer, one answer. Text
// in, values out; what this program has no use for is skipped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/observation.hpp"

namespace callready::webrtc {

// How much is read of somebody else's text.
inline constexpr std::size_t most_sdp = 65'536, most_media = 32, most_candidates = 64;

enum class CandidateType { host, server_reflexive, peer_reflexive, relayed };
std::string_view to_string(CandidateType type);  // RFC 8839 section 5.1: "host", "srflx" ...

struct Candidate {
  CandidateType type = CandidateType::host;
  SocketAddress address;
  std::uint32_t priority = 0;
  std::string foundation;
};

// Of ICE and DTLS, for the session or for one of its media.
struct Keys {
  std::string ufrag, password;  // RFC 8839 section 5.4
  std::string fingerprint;      // SHA-256 in lower case hexadecimal, without colons (RFC 8122)
  std::string setup;            // "actpass", "active", "passive" (RFC 5763)
};

struct Media {
  std::string kind, protocol, mid;  // "audio", "UDP/TLS/RTP/SAVPF", "0"
  std::uint16_t port = 0;           // 0 in an answer: refused
  std::vector<std::string> formats;
  // Of these formats: "111 opus/48000/2" and "111 minptime=10".
  std::vector<std::string> codecs, parameters;
  std::vector<Candidate> candidates;  // over UDP, with an address; not those behind mDNS names
  bool rtcp_mux = false;
  Keys keys;
};

struct SessionDescription {
  Keys keys;
  bool bundle = false;
  std::vector<Media> media;

  // Those of a media line, or the session's where it has none.
  Keys keys_of(const Media& one) const;
};

// Nothing if it is not a session description, or exceeds the bounds.
std::optional<SessionDescription> parse_sdp(std::string_view text);

// What this end says about itself.
struct LocalEnd {
  Keys keys;
  std::vector<Candidate> candidates;
  std::uint64_t session = 0;  // of the o= line
  bool ice_lite = false;
};

// An offer of one audio stream: G.711 (RFC 3551).
std::string print_offer(const LocalEnd& local);

// The audio stream of an offer that print_answer() takes: Opus or G.711, ICE, one port for RTP and
// RTCP, and DTLS-SRTP that the other side begins: no address is sent more than it sent before it
// has returned a cookie. Nothing: there is none.
std::optional<std::size_t> acceptable_audio(const SessionDescription& offer);

// Takes that stream of the offer and refuses the others.
std::string print_answer(const SessionDescription& offer, std::size_t audio, const LocalEnd& local);

// Letters of base64 that ICE allows (RFC 8839's ice-char), from OpenSSL's random numbers.
std::string random_word(std::size_t length);

}  // namespace callready::webrtc
