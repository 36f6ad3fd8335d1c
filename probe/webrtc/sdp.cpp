#include "probe/webrtc/sdp.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"

namespace callready::webrtc {
namespace {

constexpr std::size_t most_words = 64, longest_line = 2'048;
constexpr std::string_view base64_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (const auto word : split(text, " ")) {
    if (!word.empty() && words.size() < most_words) words.push_back(word);
  }
  return words;
}

bool visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool ice_characters(std::string_view text, std::size_t least) {
  return text.size() >= least && text.size() <= 256 &&
         text.find_first_not_of(base64_letters) == text.npos;
}

// "AB:CD:..." of 32 bytes; empty where it is not that.
std::string fingerprint_of(std::string_view text) {
  std::string bare;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = lower(text[i]);
    if (i % 3 == 2) {
      if (c != ':') return {};
      continue;
    }
    if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return {};
    bare += c;
  }
  return bare.size() == 64 && text.size() == 95 ? bare : std::string();
}

std::string with_colons(const std::string& fingerprint) {
  std::string text;
  for (std::size_t i = 0; i < fingerprint.size(); ++i) {
    if (i > 0 && i % 2 == 0) text += ':';
    text += upper(fingerprint[i]);
  }
  return text;
}

// RFC 8839 section 5.1: foundation component transport priority address port "typ" type.
void read_candidate(std::string_view value, Media& media) {
  const auto words = words_of(value);
  if (words.size() < 8 || words[6] != "typ" || media.candidates.size() >= most_candidates) return;
  const bool udp = words[2] == "udp" || words[2] == "UDP";
  if (!udp || words[1] != "1" || words[0].size() > 32) return;
  const auto address = IpAddress::parse(std::string(words[4]));
  const auto port = whole_number<std::uint16_t>(words[5]);
  const auto priority = whole_number<std::uint32_t>(words[3]);
  if (!address || !port || *port == 0 || !priority) return;
  for (const auto type : {CandidateType::host, CandidateType::server_reflexive,
                          CandidateType::peer_reflexive, CandidateType::relayed}) {
    if (words[7] != to_string(type)) continue;
    media.candidates.push_back({type, {*address, *port}, *priority, std::string(words[0])});
  }
}

void read_keys(std::string_view name, std::string_view value, Keys& keys) {
  if (name == "ice-ufrag" && ice_characters(value, 4)) keys.ufrag = value;
  if (name == "ice-pwd" && ice_characters(value, 22)) keys.password = value;
  if (name == "setup" && value.size() < 16) keys.setup = value;
  if (name != "fingerprint") return;
  const auto words = words_of(value);
  if (words.size() == 2 && is_same_but_for_case(words[0], "sha-256"))
    keys.fingerprint = fingerprint_of(words[1]);
}

void read_format(std::string_view value, Media& media, std::vector<std::string>& list) {
  const auto format = value.substr(0, value.find(' '));
  if (contains(media.formats, format) && list.size() < most_words && value.size() < 512)
    list.emplace_back(value);
}

void read_attribute(std::string_view text, SessionDescription& session) {
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  const auto value = colon == text.npos ? std::string_view() : text.substr(colon + 1);
  if (session.media.empty()) {
    session.bundle |= name == "group" && value.starts_with("BUNDLE");
    return read_keys(name, value, session.keys);
  }
  auto& media = session.media.back();
  read_keys(name, value, media.keys);
  if (name == "mid" && value.size() <= 32 && value.find(' ') == value.npos) media.mid = value;
  if (name == "rtcp-mux") media.rtcp_mux = true;
  if (name == "rtpmap") read_format(value, media, media.codecs);
  if (name == "fmtp") read_format(value, media, media.parameters);
  if (name == "candidate") read_candidate(value, media);
}

bool read_media(std::string_view text, SessionDescription& session) {
  const auto words = words_of(text);
  const auto port = words.size() < 4 ? std::nullopt : whole_number<std::uint16_t>(words[1]);
  if (!port || session.media.size() >= most_media) return false;
  Media media;
  media.kind = words[0];
  media.port = *port;
  media.protocol = words[2];
  for (std::size_t i = 3; i < words.size(); ++i) media.formats.emplace_back(words[i]);
  session.media.push_back(std::move(media));
  return true;
}

// "111 opus/48000/2": Opus and G.711 are what every browser speaks (RFC 7874).
bool speaks(std::string_view codec) {
  const auto words = words_of(codec);
  if (words.size() != 2) return false;
  const auto name = upper_case(words[1].substr(0, words[1].find('/')));
  return name == "OPUS" || name == "PCMU" || name == "PCMA";
}

bool spoken(const Media& media, std::string_view format) {
  const bool fixed = format == "0" || format == "8";  // RFC 3551: PCMU, PCMA
  return fixed || std::any_of(media.codecs.begin(), media.codecs.end(), [&](const auto& codec) {
           return codec.starts_with(std::string(format) + ' ') && speaks(codec);
         });
}

void print_head(std::string& text, const LocalEnd& local) {
  text += fmt::format("v=0\r\no=- {} 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", local.session);
  if (local.ice_lite) text += "a=ice-lite\r\n";
}

void print_end(std::string& text, const LocalEnd& local) {
  const auto& keys = local.keys;
  text += fmt::format(
      "a=rtcp-mux\r\na=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=fingerprint:sha-256 {}\r\na=setup:{}\r\n",
      keys.ufrag, keys.password, with_colons(keys.fingerprint), keys.setup);
  for (const auto& candidate : local.candidates) {
    text += fmt::format("a=candidate:{} 1 udp {} {} {} typ {}", candidate.foundation,
                        candidate.priority, candidate.address.address.to_string(),
                        candidate.address.port, to_string(candidate.type));
    // RFC 8839 section 5.1: candidates other than host ones name their base, which is nobody's
    // business.
    if (candidate.type != CandidateType::host) text += " raddr 0.0.0.0 rport 9";
    text += "\r\n";
  }
  text += "a=end-of-candidates\r\n";
}

}  // namespace

std::string_view to_string(CandidateType type) {
  switch (type) {
    case CandidateType::host:
      return "host";
    case CandidateType::server_reflexive:
      return "srflx";
    case CandidateType::peer_reflexive:
      return "prflx";
    case CandidateType::relayed:
      return "relay";
  }
  return "?";
}

Keys SessionDescription::keys_of(const Media& one) const {
  Keys all = one.keys;
  if (all.ufrag.empty() || all.password.empty()) {
    all.ufrag = keys.ufrag;
    all.password = keys.password;
  }
  if (all.fingerprint.empty()) all.fingerprint = keys.fingerprint;
  if (all.setup.empty()) all.setup = keys.setup;
  return all;
}

std::optional<SessionDescription> parse_sdp(std::string_view text) {
  if (text.size() > most_sdp || !text.starts_with("v=0")) return std::nullopt;
  SessionDescription session;
  for (auto line : split(text, "\n")) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (line.size() > longest_line || line.size() < 2 || line[1] != '=' || !visible(line)) {
      return std::nullopt;
    }
    const auto value = line.substr(2);
    if (line[0] == 'a') read_attribute(value, session);
    if (line[0] == 'm' && !read_media(value, session)) return std::nullopt;
  }
  return session;
}

std::string print_offer(const LocalEnd& local) {
  std::string text;
  print_head(text, local);
  text +=
      "a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
      "a=sendrecv\r\na=rtpmap:0 PCMU/8000\r\n";
  print_end(text, local);
  return text;
}

std::optional<std::size_t> acceptable_audio(const SessionDescription& offer) {
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    const auto& media = offer.media[i];
    const auto keys = offer.keys_of(media);
    const bool secured = !keys.fingerprint.empty() && !keys.ufrag.empty() &&
                         !keys.password.empty() && keys.setup != "passive" && !keys.setup.empty();
    const bool known = std::any_of(media.formats.begin(), media.formats.end(),
                                   [&](const auto& format) { return spoken(media, format); });
    if (media.kind == "audio" && media.protocol == "UDP/TLS/RTP/SAVPF" && media.rtcp_mux &&
        secured && known) {
      return i;
    }
  }
  return std::nullopt;
}

std::string print_answer(const SessionDescription& offer, std::size_t audio,
                         const LocalEnd& local) {
  std::string text;
  print_head(text, local);
  if (offer.bundle) text += fmt::format("a=group:BUNDLE {}\r\n", offer.media[audio].mid);
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    const auto& media = offer.media[i];
    if (i != audio) {
      text += fmt::format("m={} 0 {} {}\r\nc=IN IP4 0.0.0.0\r\n", media.kind, media.protocol,
                          fmt::join(media.formats, " "));
      if (!media.mid.empty()) text += fmt::format("a=mid:{}\r\n", media.mid);
      text += "a=inactive\r\n";
      continue;
    }
    std::vector<std::string> formats;
    for (const auto& format : media.formats) {
      if (spoken(media, format)) formats.push_back(format);
    }
    text += fmt::format("m=audio 9 {} {}\r\nc=IN IP4 0.0.0.0\r\n", media.protocol,
                        fmt::join(formats, " "));
    if (!media.mid.empty()) text += fmt::format("a=mid:{}\r\n", media.mid);
    text += "a=sendrecv\r\n";
    for (const auto& codec : media.codecs) {
      if (speaks(codec)) text += fmt::format("a=rtpmap:{}\r\n", codec);
    }
    for (const auto& parameter : media.parameters) {
      if (spoken(media, parameter.substr(0, parameter.find(' ')))) {
        text += fmt::format("a=fmtp:{}\r\n", parameter);
      }
    }
    print_end(text, local);
  }
  return text;
}

std::string random_word(std::size_t length) {
  std::vector<std::uint8_t> bytes(length);
  fill_with_random(bytes);
  std::string word;
  for (const auto byte : bytes) word += base64_letters[byte & 63];
  return word;
}

}  // namespace callready::webrtc
