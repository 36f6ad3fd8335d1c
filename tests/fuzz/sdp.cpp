// Session descriptions of WebRTC calls (RFC 8866): offers, and the answers that are made of them.
#include "probe/webrtc/sdp.hpp"

#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {

void sdp(Input input) {
  const auto offer = webrtc::parse_sdp(text_of(input));
  if (!offer) return;
  FUZZ_REQUIRE(offer->media.size() <= webrtc::most_media);
  for (const auto& media : offer->media) {
    FUZZ_REQUIRE(media.candidates.size() <= webrtc::most_candidates);
    const auto keys = offer->keys_of(media);
    FUZZ_REQUIRE(keys.fingerprint.empty() || keys.fingerprint.size() == 64);
  }
  const auto audio = webrtc::acceptable_audio(*offer);
  if (!audio) return;
  webrtc::LocalEnd local;
  local.keys = {"ours", "abcdefghijklmnopqrstuv", std::string(64, 'a'), "passive"};
  local.candidates = {{webrtc::CandidateType::host, {IpAddress::v4({192, 0, 2, 1}), 5000}, 1, "1"}};
  const auto text = webrtc::print_answer(*offer, *audio, local);
  const auto answer = webrtc::parse_sdp(text);
  FUZZ_REQUIRE(answer && answer->media.size() == offer->media.size());
  // What an offer says does not get into the lines of ours.
  const auto keys = answer->keys_of(answer->media[*audio]);
  FUZZ_REQUIRE(keys.ufrag == "ours" && keys.password == local.keys.password);
  FUZZ_REQUIRE(keys.fingerprint == local.keys.fingerprint && keys.setup == "passive");
  for (std::size_t i = 0; i < answer->media.size(); ++i) {
    FUZZ_REQUIRE((answer->media[i].port != 0) == (i == *audio));
  }
}

}  // namespace callready::fuzz
